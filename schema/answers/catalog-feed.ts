/** The catalogue as plans read it, for whoever makes plans elsewhere. Prices in pico-USD per token or unit, instants in epoch milliseconds. */
import { z } from 'zod';
import { capability, claimSource, dataPolicy, kvCodec, quantization, supplyKind, verificationState } from '../catalog.ts';

const claim = z.object({
  kind: z.enum(['no_training', 'zero_retention', 'attested', 'blind']),
  source: claimSource,
  observed_at_ms: z.number(),
  expires_at_ms: z.number().nullable(),
  covers_gpu: z.boolean().optional(),
  tcb_up_to_date: z.boolean().optional(),
});

const price = z.object({
  prompt_pico_usd_per_token: z.number(),
  completion_pico_usd_per_token: z.number(),
  cache_read_pico_usd_per_token: z.number().optional(),
  cache_write_pico_usd_per_token: z.number().optional(),
  request_nano_usd: z.number(),
  unit_pico_usd: z.number().optional(),
});

const offer = z.object({
  id: z.string(),
  provider: z.string(),
  tag: z.string(),
  operator: z.string(),
  supply: supplyKind,
  owner: z.string().nullable().describe('The team that it belongs to; null where it is shared'),
  context: z.number(),
  max_output: z.number().nullable(),
  quantization,
  kv_cache: kvCodec,
  max_concurrency: z.number().nullable(),
  capabilities: z.array(capability),
  jurisdiction: z.array(z.string()),
  data_policy: dataPolicy,
  claims: z.array(claim),
  verification: verificationState,
  price: price.nullable(),
  capacity: z.object({ pool_tokens: z.number().nullable(), max_sequences: z.number().nullable() }).optional(),
  expected: z
    .object({ ttft_ms: z.number().nullable(), tpot_ms: z.number().nullable(), source: z.enum(['probe', 'node', 'model']) })
    .optional(),
  traffic_share: z.number().optional(),
  callable: z.boolean().describe('Whether this deployment has what it takes to call it (its key)'),
});

/** Answer of `GET /catalog`. */
export const catalogFeedAnswer = z
  .object({
    data: z.object({
      version: z.string(),
      taken_at_ms: z.number(),
      models: z.array(z.object({ id: z.string(), name: z.string(), context: z.number().nullable(), offers: z.array(offer) })),
      aliases: z.record(z.string(), z.string()),
      providers: z.array(z.object({ id: z.string(), name: z.string(), supply: supplyKind })),
    }),
  })
  .meta({ id: 'CatalogFeed' });
export type CatalogFeed = z.infer<typeof catalogFeedAnswer>['data'];
