/** What must not be done twice. */
import type { Receipt } from '#schema/receipt';
import type { RowTexts } from '../account-port.ts';
import { findInRows } from '../rows.ts';

/** Answers whether a receipt stands for work that must not be done twice: it cost something, or came to its end. */
export function wasSpent({ state, chargedNanoUsd, byokNanoUsd = 0 }: Pick<Receipt, 'state' | 'chargedNanoUsd' | 'byokNanoUsd'>): boolean {
  return state === 'completed' || chargedNanoUsd > 0 || byokNanoUsd > 0;
}

/** Answers the same for a generation whose receipt may be on its way to D1. */
export function wasSpentIn(outbox: { findBatch(generationId: string): RowTexts | null }, generationId: string): boolean {
  const batch = outbox.findBatch(generationId);
  const receipt = batch === null ? null : findInRows(batch, generationId);
  return receipt !== null && wasSpent(receipt);
}
