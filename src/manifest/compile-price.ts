/** Turns the price of an endpoint as people write it into the integers that are charged. */
import { PRICED_UNITS, pricedUnitsOf, type ManifestEndpoint } from '#schema/manifest';
import { toNanoUsd, toPicoUsdPerToken, toPicoUsdPerUnit, type Price } from '#schema/money';

/** Compiles a price that passed `checkPrice`: what it leaves out costs nothing. Null where no price is stated. */
export function compilePrice(price: ManifestEndpoint['price']): Price | null {
  if (price === undefined) return null;
  const [unit] = pricedUnitsOf(price);
  return {
    promptPicoUsdPerToken: toPicoUsdPerToken(price.prompt ?? 0),
    completionPicoUsdPerToken: toPicoUsdPerToken(price.completion ?? 0),
    ...(price.cache_read === undefined ? {} : { cacheReadPicoUsdPerToken: toPicoUsdPerToken(price.cache_read) }),
    ...(price.cache_write === undefined ? {} : { cacheWritePicoUsdPerToken: toPicoUsdPerToken(price.cache_write) }),
    requestNanoUsd: toNanoUsd(price.request ?? 0),
    ...(unit === undefined ? {} : { unitPicoUsd: toPicoUsdPerUnit(price[unit] ?? 0, PRICED_UNITS[unit]) }),
  };
}
