/** Limits on what a team or a key may ask for in a UTC minute, and at once. The same words in the manifest, the API, D1 and answers. */
import { z } from 'zod';

/** Far beyond what one team can send, and small enough that sums of limits stay exact. */
const REQUESTS_MAX = 1_000_000_000;
const TOKENS_MAX = 1_000_000_000_000;
const CONCURRENT_MAX = 1_000_000;

/** The limits of a team or a key; what is absent is not limited. A team's and its key's both hold. */
export const limits = z
  .strictObject({
    /** Requests that begin in one UTC minute. */
    requests_per_minute: z.int().positive().max(REQUESTS_MAX).optional(),
    /** Prompt and completion tokens of one UTC minute: held as an estimate while a request runs, counted as used when it ends. */
    tokens_per_minute: z.int().positive().max(TOKENS_MAX).optional(),
    /** Requests under way at once. */
    concurrent: z.int().positive().max(CONCURRENT_MAX).optional(),
  })
  .meta({ id: 'Limits' });
export type Limits = z.infer<typeof limits>;
