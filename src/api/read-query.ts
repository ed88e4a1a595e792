/** The query of a URL, read by its contract. */
import type { Context } from 'hono';
import { z } from 'zod';
import { describeProblem } from '#schema/describe-issue';
import { GatewayError } from '#schema/error';

/** A list in one field: words between commas, at least one, each one that `word` allows. */
export function csv<Word extends z.ZodType<string, string>>(word: Word) {
  return z
    .string()
    .max(2000)
    .transform((list) => list.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()])))
    .pipe(z.array(word).min(1, 'expected words between commas'));
}

/** A whole number, zero or more. */
export const whole = z
  .string()
  .regex(/^\d{1,12}$/, 'expected a whole number, 0 or more')
  .transform(Number);

/** A decimal number, zero or more. */
export const decimal = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,12})?$/, 'expected a decimal number, 0 or more')
  .transform(Number);

/** The last instant that ISO 8601 writes with four digits for the year, in epoch milliseconds. */
const INSTANT_MS_MAX = Date.UTC(10_000, 0) - 1;
const EXPECTED_INSTANT = 'expected an instant such as 2027-01-31T00:00:00Z, a day such as 2027-01-31 (UTC), or epoch milliseconds';
const isoInstant = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);

/** An instant as ISO 8601, a UTC day, or epoch milliseconds; gives epoch milliseconds. */
export const instant = z
  .string()
  .max(40, EXPECTED_INSTANT)
  .refine((text) => /^\d{1,16}$/.test(text) || isoInstant.safeParse(text).success, EXPECTED_INSTANT)
  .transform((text) => (/^\d+$/.test(text) ? Number(text) : Date.parse(text)))
  .refine((instantMs) => instantMs >= 0 && instantMs <= INSTANT_MS_MAX, EXPECTED_INSTANT);

/** Reads a query. Throws GatewayError `invalid_request` with `param` set to the field, and the values that it takes. */
export function readQuery<Contract extends z.ZodType>(contract: Contract, c: Context): z.output<Contract> {
  const result = contract.safeParse(c.req.query());
  if (result.success) return result.data;
  const { path, sentence } = describeProblem(result.error);
  const param = path.split('.')[0] ?? '';
  throw new GatewayError('invalid_request', `Invalid value for the query parameter '${param}': ${sentence}.`, { param });
}
