/** What the customer pays, as far as it concerns the hold. */
import type { Receipt } from '#schema/receipt';

/**
 * Keeps a capture within its hold: what an upstream reports beyond the worst case is the house's loss, not the customer's.
 * An amount that is no amount (NaN, infinite) captures the whole hold, a negative one nothing.
 */
export function capturable(receipt: Receipt, heldNanoUsd: number): Receipt {
  const charged = Number.isFinite(receipt.chargedNanoUsd) ? Math.round(receipt.chargedNanoUsd) : heldNanoUsd;
  const captured = Math.min(heldNanoUsd, Math.max(0, charged));
  if (captured === receipt.chargedNanoUsd) return receipt;
  const excess = Math.max(0, charged - captured);
  return { ...receipt, chargedNanoUsd: captured, absorbedNanoUsd: receipt.absorbedNanoUsd + excess };
}
