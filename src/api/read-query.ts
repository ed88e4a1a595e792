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

/** Reads a query. Throws GatewayError `invalid_request` with `param` set to the field, and the values that it takes. */
export function readQuery<Contract extends z.ZodType>(contract: Contract, c: Context): z.output<Contract> {
  const result = contract.safeParse(c.req.query());
  if (result.success) return result.data;
  const { path, sentence } = describeProblem(result.error);
  const param = path.split('.')[0] ?? '';
  throw new GatewayError('invalid_request', `Invalid value for the query parameter '${param}': ${sentence}.`, { param });
}
