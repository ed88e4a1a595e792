/** Discounts of a whole list of prices: what is to be paid is the price less its discount. */
import type { ListedPrices } from '#schema/listed-model';
import { toInteger } from './decimal.ts';
import type { Complain } from './read-list.ts';
import { NO_PRICES } from './read-prices.ts';

const WHOLE = 1_000_000_000;

/** Takes a discount off every price of a model: 0.25 leaves three quarters, -0.25 is a markup. One that cannot be read leaves no price. */
export function lessDiscount(prices: ListedPrices, discount: unknown, complain: Complain): ListedPrices {
  const billionths = payableOf(discount);
  if (billionths === WHOLE) return prices;
  if (billionths === null) {
    complain('its discount cannot be read: no price is taken');
    return NO_PRICES;
  }
  const pay = (amount: number | null): number | null => amount && payable(amount, billionths);
  return {
    ...prices,
    promptPicoUsdPerToken: pay(prices.promptPicoUsdPerToken),
    completionPicoUsdPerToken: pay(prices.completionPicoUsdPerToken),
    cacheReadPicoUsdPerToken: pay(prices.cacheReadPicoUsdPerToken),
    cacheWritePicoUsdPerToken: pay(prices.cacheWritePicoUsdPerToken),
    requestNanoUsd: pay(prices.requestNanoUsd),
    unit: prices.unit && { ...prices.unit, picoUsd: payable(prices.unit.picoUsd, billionths) },
  };
}

/** Reads what is left of a price, in billionths; null of a discount that is no number, leaves nothing, or more than doubles the price. */
function payableOf(discount: unknown): number | null {
  const text = typeof discount === 'number' ? String(discount) : discount;
  const markup = typeof text === 'string' && text.trim().startsWith('-') ? text.trim().slice(1) : null;
  const read = toInteger(markup ?? text, 9);
  if (read.kind === 'absent') return markup === null ? WHOLE : null;
  if (read.kind === 'refused' || read.amount > WHOLE) return null;
  const left = markup === null ? WHOLE - read.amount : WHOLE + read.amount;
  return left === 0 ? null : left;
}

/** Rounds up: what is left of a price is never nothing. */
function payable(amount: number, billionths: number): number {
  return Number((BigInt(amount) * BigInt(billionths) + BigInt(WHOLE - 1)) / BigInt(WHOLE));
}
