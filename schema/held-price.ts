/** What a manager says of a price that was held. */
import { z } from 'zod';

/** The body of `POST /prices/held/{endpoint}`. */
export const decidePrice = z
  .strictObject({
    decision: z.enum(['accept', 'reject']).describe('`accept`: it is charged from now on. `reject`: what was charged before stays.'),
    seen_at: z.iso.datetime().describe('The `seen_at` of the price that is meant: another one that came meanwhile is not decided about.'),
  })
  .meta({ id: 'DecidePrice' });
export type DecidePrice = z.infer<typeof decidePrice>;
