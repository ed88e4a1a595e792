/** Recorded requests as the replay feed tells them. Amounts in nano-USD, durations and instants in milliseconds. */
import { z } from 'zod';
import { privacyTier, supplyKind } from '../catalog.ts';
import { apiKind, receiptState, usageSource } from '../receipt.ts';

const item = z.object({
  id: z.string(),
  created_at_ms: z.number(),
  team: z.string(),
  key: z.string().describe('Id of the key'),
  key_models: z.array(z.string()).nullable().describe('Globs over the models that the key may use now; null where it may use all'),
  policy: z.string(),
  policy_version: z.number(),
  api: apiKind,
  stream: z.boolean(),
  state: receiptState,
  error_code: z.string().nullable(),
  requested_model: z.string(),
  model: z.string(),
  endpoint: z.string().nullable(),
  provider: z.string().nullable(),
  supply: supplyKind.nullable(),
  tier: privacyTier.nullable(),
  usage: z.object({
    source: usageSource,
    prompt_tokens: z.number(),
    completion_tokens: z.number(),
    reasoning_tokens: z.number(),
    cache_read_tokens: z.number(),
    cache_write_tokens: z.number(),
    units: z.number().nullable().describe('Images, characters, seconds or searches; null where tokens are billed'),
  }),
  timing: z.object({
    overhead_ms: z.number(),
    ttft_ms: z.number().nullable(),
    tpot_ms: z.number().nullable(),
    total_ms: z.number(),
  }),
  charged_nano_usd: z.number(),
  plan: z.looseObject({}).describe('The plan as the ledger keeps it; its columns are named in it'),
});

/** Answer of `GET /receipts`: team by team, oldest first. */
export const receiptsFeed = z
  .object({
    total: z.number().optional().describe('Receipts from here on; on the first page only'),
    next_cursor: z.string().nullable().describe('Where the next page begins; null on the last'),
    data: z.array(item),
  })
  .meta({ id: 'ReceiptsFeed' });
export type ReceiptsFeed = z.infer<typeof receiptsFeed>;
export type ReceiptFeedItem = ReceiptsFeed['data'][number];
