/** Prepaid balances: a payment counts once, whatever is repeated, and is in the journal. */
import type { AccountStore } from './account-store.ts';
import type { CreditStore, TopUp } from './credit-store.ts';
import type { OutboxStore } from './outbox-store.ts';
import { TEAM_MONEY } from './quota-id.ts';

/** `conflict`: a payment of that id was for another amount; nothing was added. */
export type TopUpResult = 'added' | 'repeated' | 'conflict';

/** Adds a payment, in one transaction with its journal entry: the team gets what the bank gave. */
export function addTopUp(
  { store, outbox, credits }: { store: AccountStore; outbox: OutboxStore; credits: CreditStore },
  teamId: string,
  topUp: TopUp,
  nowMs: number,
): TopUpResult {
  const { id, nanoUsd } = topUp;
  const known = credits.amountOf(id);
  if (known !== null) return known === nanoUsd ? 'repeated' : 'conflict';
  const balance = store.balance(TEAM_MONEY, 'nano_usd');
  if (!isPayable(nanoUsd, balance.credits?.total ?? 0)) throw new RangeError('a payment is a positive amount that can be counted exactly');
  balance.roll(nowMs);
  balance.topUp(nanoUsd);
  store.save();
  credits.put(topUp, nowMs);
  const batchId = `credit:${teamId}:${id}`;
  const rows = [
    [batchId, `team:${teamId}`, nanoUsd],
    [batchId, 'bank', -nanoUsd],
  ];
  outbox.put({ batchId, receipts: '', attempts: '', journal: rows.map((row) => JSON.stringify(row)).join(',') });
  return 'added';
}

function isPayable(nanoUsd: number, paidInNanoUsd: number): boolean {
  return Number.isSafeInteger(nanoUsd) && nanoUsd > 0 && Number.isSafeInteger(nanoUsd + paidInNanoUsd);
}
