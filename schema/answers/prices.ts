/** Price feeds and held prices as managers see them. Prices in USD per million tokens, as in the manifest. */
import { z } from 'zod';

const price = z
  .object({
    prompt: z.number(),
    completion: z.number(),
    cache_read: z.number().optional(),
    cache_write: z.number().optional(),
    request: z.number().describe('USD for each request'),
    unit: z.number().optional().describe('USD for one image, search, second or character'),
  })
  .meta({ id: 'FeedPrice' });

const feed = z
  .object({
    id: z.string(),
    provider: z.string().describe('Whose endpoints it speaks of'),
    url: z.string(),
    source: z.enum(['manifest', 'card']).describe('`card`: the list of a known provider'),
    enabled: z.boolean().describe('Whether it is read on schedule'),
    state: z.enum(['never_read', 'good', 'failing']),
    read_at: z.iso.datetime().nullable(),
    good_at: z.iso.datetime().nullable().describe('When it was last read without complaint: prices are from then'),
    next_read_at: z.iso.datetime().nullable(),
    error: z.string().nullable().describe('Why the last reading failed or was not believed; prices stayed as they were'),
    failed_readings: z.int().describe('Readings in a row that failed'),
    models: z.int().describe('Models that the last good reading listed'),
    changes: z.int().describe('Prices that it changed'),
  })
  .meta({ id: 'PriceFeed' });

export const priceFeedList = z.object({ data: z.array(feed) }).meta({ id: 'PriceFeedList' });

export const priceFeedReading = z
  .object({
    data: z.object({
      feed: z.string(),
      at: z.iso.datetime(),
      error: z.string().nullable().describe('Why nothing of it was believed; null where it was'),
      models: z.int(),
      changed: z.array(z.object({ endpoint: z.string(), from: price.nullable(), to: price })),
      held: z.array(z.object({ endpoint: z.string(), from: price.nullable(), to: price, reason: z.string() })),
      added: z.array(z.string()).describe('Endpoints that it has brought'),
      dropped: z.array(z.string()).describe('Endpoints that it no longer lists, for the second time'),
      unknown: z.object({ count: z.int(), first: z.array(z.string()) }).describe('Models that no endpoint here calls'),
      unpriced: z.int().describe('Models with an endpoint of which it states no price'),
      problems: z.array(z.string()).describe('What could not be believed, the first 20'),
    }),
  })
  .meta({ id: 'PriceFeedReading' });

export const heldPriceList = z
  .object({
    data: z.array(
      z.object({
        endpoint: z.string(),
        feed: z.string().nullable().describe('The feed that states it; null where an operator asks'),
        operator: z.string().nullable().describe('The operator that asks it for its endpoint; null where a feed states it'),
        seen_at: z.iso.datetime().describe('Names the price: to be sent back with the decision'),
        current: price.nullable().describe('What is charged; null where no price is known'),
        stated: price,
        reason: z.string(),
      }),
    ),
  })
  .meta({ id: 'HeldPriceList' });

export const decidedPrice = z
  .object({ data: z.object({ endpoint: z.string(), decision: z.enum(['accept', 'reject']) }) })
  .meta({ id: 'DecidedPrice' });
