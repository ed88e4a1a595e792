/** Which list of models a card names and how it is written: data, so that a new provider of a known family needs no code. */
import { z } from 'zod';

/** Ways of writing prices, as docs/prices.md explains them. */
export const FEED_FAMILIES = [
  'openrouter',
  'per_million',
  'nested_per_million',
  'per_token',
  'ten_thousandths',
  'published_usd',
  'openrouter_v2',
  'hub_router',
  'unpriced',
] as const;
const feedFamily = z.enum(FEED_FAMILIES);

const paths = z.array(z.string().regex(/^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$/)).min(1);

/** A provider's list of models. Fields are paths, the first that holds something counts. */
export const priceFeed = z.strictObject({
  url: z.url(),
  family: feedFamily,
  /** True where zero is a price there, and not a gap. */
  free: z.boolean().optional(),
  /** Where prices stand in the families whose fields have names of their own. */
  prices: z
    .strictObject({
      prompt: paths,
      completion: paths,
      cacheRead: paths.optional(),
      cacheWrite: paths.optional(),
      request: paths.optional(),
    })
    .optional(),
  /** Where the context stands, in tokens. Default `context_length`. */
  context: paths.optional(),
  /** Where the longest answer stands, in tokens. Default `max_output_length`, `max_completion_tokens`. */
  maxOutput: paths.optional(),
  /** Whose offers are read, in a list of several providers. */
  provider: z.string().optional(),
});
export type PriceFeed = z.infer<typeof priceFeed>;
