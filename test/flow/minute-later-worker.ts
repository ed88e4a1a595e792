/** The whole Worker with Accounts that live a minute ahead: whoever held a ticket before they started is not heard of any more. */
import { HELD_MS } from '#src/ledger/idempotency/terms';
import { Account as PresentAccount } from '#src/ledger/account';

// oxlint-disable-next-line import/no-default-export -- the entry of a Worker
export { default, HealthBoard, NodeLink } from '#src/index';

/** The Account a minute later. */
export class Account extends PresentAccount {
  protected override now(): number {
    return super.now() + HELD_MS;
  }
}
