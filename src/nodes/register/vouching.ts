/** A manager's word for an endpoint: who gives it, since when, and what ends it. Pure. */
import { GatewayError } from '#schema/error';
import type { UpdateEndpoint } from '#schema/registration';
import { isManager, type SupplyManager } from '../supply-manager.ts';
import type { StoredRegistration } from './registrations-store.ts';

/** Who vouches for an endpoint, and since when; null where nobody does. */
export type Vouching = Pick<StoredRegistration, 'vouchedBy' | 'vouchedAtMs'>;

/** Nobody's word. */
export const UNVOUCHED: Vouching = { vouchedBy: null, vouchedAtMs: null };

/** Gives a manager's word. */
export function vouchedFor({ actor }: SupplyManager, nowMs: number): Vouching {
  return { vouchedBy: actor, vouchedAtMs: nowMs };
}

/** Tells whether a manager's change lets an endpoint in whatever it has proven: its address is taken for proven on that word. */
export function isLetIn(
  manager: SupplyManager,
  { state, wish, isElsewhere }: { state: string; wish: UpdateEndpoint; isElsewhere: boolean },
): boolean {
  if (!isManager(manager)) return false;
  if (isElsewhere || (state === 'pending' && wish.state === 'active')) return true;
  return wish.vouched === true && (state === 'pending' || state === 'quarantined');
}

/**
 * Finds whose word stands after a change: the word was given for one model at one place, so it ends where its operator makes another of it, or
 * a manager takes it back. `letsIn`: the manager's change lets it in. Throws GatewayError `permission_denied` where an operator vouches for itself.
 */
export function vouchingAfter(
  { vouchedBy, vouchedAtMs }: Vouching,
  change: { manager: SupplyManager; wish: UpdateEndpoint; isMoved: boolean; letsIn: boolean; nowMs: number },
): Vouching {
  const { manager, wish, isMoved, letsIn, nowMs } = change;
  if (!isManager(manager)) {
    if (wish.vouched !== undefined)
      throw new GatewayError('permission_denied', 'Vouching is for managers: it needs a management key (sk-hr-mgmt-…).', {
        param: 'vouched',
      });
    const isAnother = isMoved || wish.model !== undefined || wish.upstream_model !== undefined;
    return isAnother ? UNVOUCHED : { vouchedBy, vouchedAtMs };
  }
  if (wish.vouched === false) return UNVOUCHED;
  return wish.vouched === true || letsIn ? vouchedFor(manager, nowMs) : { vouchedBy, vouchedAtMs };
}
