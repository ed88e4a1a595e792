/** Prices in OpenRouter's words: decimal strings in USD per token, request or image. */
import type { Offer } from '#schema/catalog';
import { billedUnitOf } from '#schema/manifest';
import { toUsd, toUsdPerTokenString, type Price } from '#schema/money';

/** Adds up what a token in, a token out and a unit cost, in pico-USD: good enough to say which of two offers is cheaper. */
export function sumOfPrices({ promptPicoUsdPerToken, completionPicoUsdPerToken, unitPicoUsd = 0 }: Price): number {
  return promptPicoUsdPerToken + completionPicoUsdPerToken + unitPicoUsd;
}

/** Says what an offer bills besides tokens, such as USD per image; null where it bills none. */
export function toUnitPrice({ price, capabilities }: Offer): { unit: string; usd: string } | null {
  if (price?.unitPicoUsd === undefined) return null;
  return { unit: billedUnitOf(capabilities) ?? 'unit', usd: toUsdPerTokenString(price.unitPicoUsd) };
}

/** Prints the prices of an offer. Unknown ones print as `-1`, OpenRouter's mark for "not fixed"; it has no word for searches, characters and seconds. */
export function toPricing(offer: Offer | undefined): Record<string, string> {
  if (!offer?.price) return { prompt: '-1', completion: '-1' };
  const { promptPicoUsdPerToken, completionPicoUsdPerToken, requestNanoUsd } = offer.price;
  const { cacheReadPicoUsdPerToken: cacheRead, cacheWritePicoUsdPerToken: cacheWrite } = offer.price;
  const unitPrice = toUnitPrice(offer);
  return {
    prompt: toUsdPerTokenString(promptPicoUsdPerToken),
    completion: toUsdPerTokenString(completionPicoUsdPerToken),
    ...(requestNanoUsd > 0 && {
      request: toUsd(requestNanoUsd)
        .toFixed(9)
        .replace(/\.?0+$/, ''),
    }),
    ...(unitPrice?.unit === 'image' && { image: unitPrice.usd }),
    ...(cacheRead !== undefined && { input_cache_read: toUsdPerTokenString(cacheRead) }),
    ...(cacheWrite !== undefined && { input_cache_write: toUsdPerTokenString(cacheWrite) }),
  };
}
