/** Prices as lists write them, decimal strings and JSON numbers alike, to exact integers. Nothing is ever computed in floats. */

/** What a field of a list holds. */
export type ReadAmount = { kind: 'amount'; amount: number } | { kind: 'absent' } | { kind: 'refused'; why: string };

/** Digits before and behind the point, exponent. More than any price needs, and bounded. */
const DECIMAL = /^([+-]?)(\d{0,30})(?:\.(\d{0,60}))?(?:e([+-]?\d{1,3}))?$/i;
/** Exponents beyond this are no price in any unit. */
const SHIFT_MAX = 60;
/** The largest exact integer. No price comes near it, but a mistake of units must still be seen for what it is. */
export const AMOUNT_MAX = Number.MAX_SAFE_INTEGER;

const refuse = (why: string): ReadAmount => ({ kind: 'refused', why });

/**
 * Reads a decimal and multiplies it by 10^`power`, to the nearest integer: `toInteger('1e-7', 12)` is 100,000. Null, nothing and the empty
 * string are absent. Refused: what is no decimal, what is negative, what would be rounded to nothing, and what is above `AMOUNT_MAX`.
 */
export function toInteger(value: unknown, power: number): ReadAmount {
  if (value === undefined || value === null || value === '') return { kind: 'absent' };
  if (typeof value !== 'string' && typeof value !== 'number') return refuse('is no number');
  const match = DECIMAL.exec(String(value).trim());
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match ?? [];
  const digits = whole + fraction;
  if (match === null || digits === '') return refuse('is no number');
  const units = BigInt(digits);
  if (units === 0n) return { kind: 'amount', amount: 0 };
  if (sign === '-') return refuse('is negative');
  const shift = Number(exponent) - fraction.length + power;
  if (shift > SHIFT_MAX) return refuse('is beyond every price');
  const scaled = shift >= 0 ? units * 10n ** BigInt(shift) : roundedQuotient(units, -shift);
  if (scaled === 0n) return refuse('is less than can be charged');
  return scaled > BigInt(AMOUNT_MAX) ? refuse('is beyond every price') : { kind: 'amount', amount: Number(scaled) };
}

/** Divides by 10^`places`, half up. */
function roundedQuotient(units: bigint, places: number): bigint {
  // Nothing that DECIMAL lets through has more digits than this.
  if (places > 200) return 0n;
  const divisor = 10n ** BigInt(places);
  return (units * 2n + divisor) / (divisor * 2n);
}
