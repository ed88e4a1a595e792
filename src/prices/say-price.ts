/** Prices for people, in the manifest's units. */
import { toUsd, type Price } from '#schema/money';

const PICO_PER_USD = 1e12;

/** Writes pico-USD per token as USD per million tokens, without an exponent: 150,000 is `0.15`. */
export function sayUsdPerMillion(picoUsdPerToken: number): string {
  const digits = String(picoUsdPerToken).padStart(7, '0');
  const fraction = digits.slice(-6).replace(/0+$/, '');
  return fraction === '' ? digits.slice(0, -6) : `${digits.slice(0, -6)}.${fraction}`;
}

/** Writes how many times one amount is another: `×4`, `÷20`; empty where one of them is zero. */
export function sayFactor(from: number, to: number): string {
  if (from === 0 || to === 0) return '';
  const factor = to >= from ? to / from : from / to;
  return ` (${to >= from ? '×' : '÷'}${factor >= 10 ? Math.round(factor) : Number(factor.toFixed(1))})`;
}

/** Writes a price in the manifest's words: USD per million tokens, USD for each request and unit. */
export function toPriceWords(price: Price) {
  const { cacheReadPicoUsdPerToken: cacheRead, cacheWritePicoUsdPerToken: cacheWrite, unitPicoUsd } = price;
  return {
    prompt: toUsdPerMillion(price.promptPicoUsdPerToken),
    completion: toUsdPerMillion(price.completionPicoUsdPerToken),
    ...(cacheRead !== undefined && { cache_read: toUsdPerMillion(cacheRead) }),
    ...(cacheWrite !== undefined && { cache_write: toUsdPerMillion(cacheWrite) }),
    request: toUsd(price.requestNanoUsd),
    ...(unitPicoUsd !== undefined && { unit: unitPicoUsd / PICO_PER_USD }),
  };
}

/** One USD per million tokens is a million pico-USD a token. */
function toUsdPerMillion(picoUsdPerToken: number): number {
  return picoUsdPerToken / 1e6;
}
