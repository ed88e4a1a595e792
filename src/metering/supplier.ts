/** How far a supplier's word about its own work goes. Pure. */
import type { Offer } from '#schema/catalog';

/** Who reports what was used. */
export type Supplier = Pick<Offer, 'supply' | 'isRegistered'>;

/** Tells whether anybody may be behind it: a miner, or an operator that has registered itself. What it reports must show in what it delivers (M14). */
export function isAnonymous({ supply, isRegistered }: Supplier): boolean {
  return supply === 'subnet' || isRegistered === true;
}
