/** Payments into a team's prepaid balance: the body of `POST /credits`. */
import { z } from 'zod';
import { toNanoUsd, toUsd } from './money.ts';

/** The body of `POST /credits`. */
export const addCredit = z
  .strictObject({
    team: z.string().min(1).max(64),
    /** USD, to the nano; in all that fits into exact integers. */
    amount_usd: z
      .number()
      .positive('expected an amount above 0')
      .max(9e6)
      .refine(
        (usd) => toNanoUsd(usd) > 0 && toUsd(toNanoUsd(usd)) === usd,
        'expected at most 9 decimals: a nano-USD is the smallest amount',
      ),
    /** Chosen by the caller, such as the number of an invoice: the same id adds once. */
    id: z
      .string()
      .min(1)
      .max(100)
      .regex(/^[\x21-\x7e]+$/, 'expected letters, digits and signs of ASCII, without spaces'),
    note: z
      .string()
      .max(200)
      // No pattern: the description of the API would pass it on to engines without Unicode classes.
      .refine((text) => !/\p{Cc}/u.test(text), 'expected text without control characters')
      .nullish(),
  })
  .meta({ id: 'AddCredit' });
export type AddCredit = z.infer<typeof addCredit>;
