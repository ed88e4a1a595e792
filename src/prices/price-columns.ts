/** How a price stands in D1: the columns of `offers`, and the same as JSON. */
import type { Price } from '#schema/money';

/** Columns of `offers` that are a price, with the fields that they are. */
export const PRICE_COLUMNS = {
  prompt_pico_usd_per_token: 'promptPicoUsdPerToken',
  completion_pico_usd_per_token: 'completionPicoUsdPerToken',
  cache_read_pico_usd_per_token: 'cacheReadPicoUsdPerToken',
  cache_write_pico_usd_per_token: 'cacheWritePicoUsdPerToken',
  request_nano_usd: 'requestNanoUsd',
  unit_pico_usd: 'unitPicoUsd',
} as const;
/** Arguments of `json_object` that print the price of a row of `offers`. */
export const PRICE_OBJECT = Object.entries(PRICE_COLUMNS)
  .map(([column, field]) => `'${field}', offers.${column}`)
  .join(', ');

/** Reads a price as SQLite prints it; null where its endpoint has none. */
export function toPrice(text: string | null): Price | null {
  if (text === null) return null;
  const stated = Object.entries(JSON.parse(text) as Record<string, number | null>).filter(([, value]) => value !== null);
  const price = Object.fromEntries(stated) as Partial<Price>;
  return price.promptPicoUsdPerToken === undefined || price.completionPicoUsdPerToken === undefined ? null : (price as Price);
}
