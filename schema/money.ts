/**
 * Money as integers. Prices are pico-USD per token (10⁻¹²), amounts are nano-USD (10⁻⁹); 1 nano = 1,000 pico.
 * The only rounding in the house stands here.
 */
import { z } from 'zod';

export const picoUsdPerToken = z.int().nonnegative();
export const nanoUsd = z.int();

/** Pico-USD in one nano-USD. */
const PICO_PER_NANO = 1000;
/** Nano-USD in one USD. */
export const NANO_PER_USD = 1e9;

/**
 * Prices of one offer. Token prices in pico-USD per token, `requestNanoUsd` flat per request.
 * A missing cache price means that cached tokens cost what other prompt tokens cost.
 */
export const price = z.object({
  promptPicoUsdPerToken: picoUsdPerToken,
  completionPicoUsdPerToken: picoUsdPerToken,
  cacheReadPicoUsdPerToken: picoUsdPerToken.optional(),
  cacheWritePicoUsdPerToken: picoUsdPerToken.optional(),
  requestNanoUsd: nanoUsd.nonnegative().default(0),
  /** Per image, character, second of audio or search, whichever the endpoint's operation is billed by. */
  unitPicoUsd: z.int().nonnegative().optional(),
});
export type Price = z.infer<typeof price>;

/** Token counts that a price applies to. `promptTokens` includes the cached ones, as OpenAI counts them. */
export interface PricedTokens {
  promptTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  completionTokens: number;
  /** Billing units, perhaps a fraction of one. */
  units?: number;
}

/** Converts USD per million tokens (how people write prices) to pico-USD per token, to the nearest integer. */
export function toPicoUsdPerToken(usdPerMillionTokens: number): number {
  return Math.round(usdPerMillionTokens * 1e6);
}

/** Converts USD per so many units to pico-USD per unit, to the nearest integer. */
export function toPicoUsdPerUnit(usd: number, units: number): number {
  return Math.round((usd * 1e12) / units);
}

/** Converts USD to pico-USD, to the nearest integer: the price of one image, search or second. */
export function toPicoUsd(usd: number): number {
  return Math.round(usd * 1e12);
}

/** Converts USD to nano-USD, to the nearest integer. */
export function toNanoUsd(usd: number): number {
  return Math.round(usd * NANO_PER_USD);
}

/** Converts nano-USD to USD, for answers to people. Exact to the nano below 9 million USD. */
export function toUsd(amountNanoUsd: number): number {
  return amountNanoUsd / NANO_PER_USD;
}

/** Converts pico-USD per token to a decimal USD-per-token string without exponent, as OpenRouter prints prices. */
export function toUsdPerTokenString(pricePicoUsdPerToken: number): string {
  const digits = String(pricePicoUsdPerToken).padStart(13, '0');
  const fraction = digits.slice(-12).replace(/0+$/, '');
  return fraction === '' ? digits.slice(0, -12) : `${digits.slice(0, -12)}.${fraction}`;
}

/**
 * Prices one request: every component in pico-USD, summed exactly, rounded once (half up) to nano-USD. Where nothing was read or said, nothing is due,
 * no fee for the request either.
 * Exact while the sum is below 2^53 pico-USD (about 9,000 USD a request); admission bounds token counts far below that.
 */
export function costNanoUsd(terms: Price, tokens: PricedTokens): number {
  const plainTokens = Math.max(0, tokens.promptTokens - tokens.cacheReadTokens - tokens.cacheWriteTokens);
  const picoUsd =
    plainTokens * terms.promptPicoUsdPerToken +
    tokens.cacheReadTokens * (terms.cacheReadPicoUsdPerToken ?? terms.promptPicoUsdPerToken) +
    tokens.cacheWriteTokens * (terms.cacheWritePicoUsdPerToken ?? terms.promptPicoUsdPerToken) +
    tokens.completionTokens * terms.completionPicoUsdPerToken +
    (tokens.units ?? 0) * (terms.unitPicoUsd ?? 0);
  const isUsed = tokens.promptTokens + tokens.completionTokens + (tokens.units ?? 0) > 0;
  return Math.round(picoUsd / PICO_PER_NANO) + (isUsed ? terms.requestNanoUsd : 0);
}
