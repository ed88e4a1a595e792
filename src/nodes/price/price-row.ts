/** The price of a registered endpoint as a dated row. Pure. */
import type { Price } from '#schema/money';
import type { StoredEndpoint, StoredOffer } from '../register/registrations-store.ts';

const NO_PRICE = {
  promptPicoUsdPerToken: null,
  completionPicoUsdPerToken: null,
  cacheReadPicoUsdPerToken: null,
  cacheWritePicoUsdPerToken: null,
  requestNanoUsd: 0,
  unitPicoUsd: null,
};
const COLUMNS = Object.keys(NO_PRICE) as (keyof typeof NO_PRICE)[];

/** Who says that a price holds from now on. */
interface Statement {
  /** The newest row so far. */
  before: StoredOffer | null;
  nowMs: number;
  isManager: boolean;
}

/** Builds the row that makes `price` hold from now on; null where it holds already. A price that is taken back leaves none. */
export function toOfferRow(
  { id, modelId }: Pick<StoredEndpoint, 'id' | 'modelId'>,
  price: Price | null,
  { before, nowMs, isManager }: Statement,
): StoredOffer | null {
  const terms = { ...NO_PRICE, ...price } as Pick<StoredOffer, keyof typeof NO_PRICE>;
  if (before === null && price === null) return null;
  const isOfModel = (before?.modelId ?? modelId) === modelId;
  if (before !== null && isOfModel && COLUMNS.every((column) => before[column] === terms[column])) return null;
  // A row is named by its instant.
  const validFromMs = Math.max(nowMs, (before?.validFromMs ?? -1) + 1);
  return { endpointId: id, validFromMs, ...terms, source: isManager ? 'manager' : 'registered', modelId };
}

/** Reads the price out of a row; null where it states none. */
export function priceOfRow(row: StoredOffer | null): Price | null {
  if (row === null || row.promptPicoUsdPerToken === null || row.completionPicoUsdPerToken === null) return null;
  const stated = COLUMNS.map((column) => [column, row[column]] as const).filter(([, amount]) => amount !== null);
  return Object.fromEntries(stated) as unknown as Price;
}
