/** Lists of models and prices that somebody publishes, as a deployment names them and as D1 keeps them. */
import { z } from 'zod';
import { supplyKind } from './catalog.ts';

/** Formats in which anybody may publish a list: OpenRouter's flat one, and its typed one since version 2. */
export const FEED_FORMATS = ['openrouter', 'openrouter-v2'] as const;
export const feedFormat = z.enum(FEED_FORMATS);

/** What a deployment says of a feed of its own: where it is, and how the models that it lists are called. */
export const priceFeedTerms = z.object({
  url: z.string(),
  format: feedFormat,
  /** Whose endpoints these are: a known provider, or the feed itself. */
  provider: z.string(),
  supply: supplyKind,
  /** Where the API of the models begins. */
  endpointUrl: z.string(),
  /** Name of the secret that they ask for; null where they ask for none. */
  keySecret: z.string().nullable(),
});
export type PriceFeedTerms = z.infer<typeof priceFeedTerms>;

/** How rows that a feed has written say where they come from. */
export function feedSource(feedId: string): string {
  return `feed:${feedId}`;
}

/** Reads the id of the feed out of a row's source; null where it comes from elsewhere. */
export function feedOfSource(source: unknown): string | null {
  return typeof source === 'string' && source.startsWith('feed:') ? source.slice('feed:'.length) : null;
}
