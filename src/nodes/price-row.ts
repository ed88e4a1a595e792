/** The price of a registered endpoint as a dated row. Pure. */
import type { Price } from '#schema/money';
import type { StoredOffer } from './registrations-store.ts';

const NO_PRICE = {
  promptPicoUsdPerToken: null,
  completionPicoUsdPerToken: null,
  cacheReadPicoUsdPerToken: null,
  cacheWritePicoUsdPerToken: null,
  requestNanoUsd: 0,
  unitPicoUsd: null,
};
const COLUMNS = Object.keys(NO_PRICE) as (keyof typeof NO_PRICE)[];

/** Builds the row that makes `price` hold from now on; null where it holds already. A price that is taken back leaves none. */
export function toOfferRow(
  endpointId: string,
  price: Price | null,
  { before, nowMs }: { before: StoredOffer | null; nowMs: number },
): StoredOffer | null {
  const terms = { ...NO_PRICE, ...price } as Pick<StoredOffer, keyof typeof NO_PRICE>;
  if (before === null && price === null) return null;
  if (before !== null && COLUMNS.every((column) => before[column] === terms[column])) return null;
  // A row is named by its instant.
  return { endpointId, validFromMs: Math.max(nowMs, (before?.validFromMs ?? -1) + 1), ...terms, source: 'registered' };
}
