/** Prices in OpenRouter's words: decimal strings in USD per token, request or image. */
import type { Offer, Operation } from '#schema/catalog';
import { toUsd, toUsdPerTokenString, type Price } from '#schema/money';

/** What an operation is billed by where it is not tokens. */
const UNITS: Partial<Record<Operation, string>> = { images: 'image', rerank: 'search', speech: 'character', transcription: 'second' };

/** Adds up what a token in, a token out and a unit cost, in pico-USD: good enough to say which of two offers is cheaper. */
export function sumOfPrices({ promptPicoUsdPerToken, completionPicoUsdPerToken, unitPicoUsd = 0 }: Price): number {
  return promptPicoUsdPerToken + completionPicoUsdPerToken + unitPicoUsd;
}

/** Says what an offer bills besides tokens, such as USD per image; null where it bills none. */
export function toUnitPrice({ price, operations }: Offer): { unit: string; usd: string } | null {
  if (price?.unitPicoUsd === undefined) return null;
  const [unit = 'unit'] = [...operations].flatMap((operation) => UNITS[operation] ?? []);
  return { unit, usd: toUsdPerTokenString(price.unitPicoUsd) };
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
