/** Endpoints and providers: OpenRouter's records, and under `headrace` what decides where private and quantised traffic may go. */
import { z } from 'zod';
import { claimSource, country, kvCodec, operation, privacyTier, quantization, supplyKind, verificationState } from '#schema/catalog';
import { architecture, pricing, unitPrice } from './models.ts';

const percent = z.number().min(0).max(100).nullable();
const percentiles = z.strictObject({ p50: z.number(), p75: z.number(), p90: z.number(), p99: z.number() }).nullable();

const claim = z.strictObject({
  kind: z.string().describe('The tier that it proves'),
  source: claimSource,
  evidence: z.string(),
  observed_at: z.iso.datetime().nullable(),
  expires_at: z.iso.datetime().nullable(),
});

const facts = z.strictObject({
  endpoint: z.string(),
  provider: z.string(),
  supply: supplyKind,
  callable: z.boolean().describe('Whether this deployment holds the key that it takes'),
  operations: z.array(operation),
  unit_price: unitPrice,
  tier: privacyTier.describe('The privacy tier that its claims reach'),
  tier_source: claimSource.nullable().describe('Who vouches for the tier; null where nobody has to'),
  claims: z.array(claim),
  jurisdiction: z.array(country).describe('Countries that may process a prompt'),
  data_policy: z.strictObject({
    trains: z.boolean().nullable(),
    retention_days: z.int().nullable(),
    source: claimSource.nullable(),
  }),
  kv_cache: kvCodec.describe('How the endpoint stores its KV cache'),
  engine: z.string().nullable(),
  hardware: z.strictObject({ gpu: z.string(), count: z.int() }).nullable(),
  max_concurrency: z.int().nullable(),
  verification: verificationState,
  price_valid_from: z.iso.datetime().nullable(),
  owned: z.boolean().describe('Whether it belongs to one team'),
});

export const endpoint = z
  .strictObject({
    name: z.string(),
    model_id: z.string(),
    model_name: z.string(),
    context_length: z.int(),
    pricing: z.strictObject({ ...pricing.shape, discount: z.number() }),
    provider_name: z.string(),
    tag: z.string().describe('What to send in `provider.only`, `order` and `ignore`'),
    quantization: quantization.nullable(),
    max_completion_tokens: z.int().nullable(),
    max_prompt_tokens: z.int().nullable(),
    supported_parameters: z.array(z.string()),
    status: z.int().describe('0 where it can be called, else negative'),
    uptime_last_5m: percent,
    uptime_last_30m: percent,
    uptime_last_1d: percent,
    latency_last_30m: percentiles.describe('Milliseconds to the first token; null without a key'),
    throughput_last_30m: percentiles.describe('Tokens per second; null without a key'),
    supports_implicit_caching: z.boolean(),
    supports_voice_cloning: z.boolean(),
    supports_tool_choice: z.strictObject({ auto: z.boolean(), none: z.boolean(), required: z.boolean(), function: z.boolean() }),
    headrace: facts,
  })
  .meta({ id: 'Endpoint' });

export const endpointList = z.strictObject({ data: z.array(endpoint) }).meta({ id: 'EndpointList' });

export const modelEndpoints = z
  .strictObject({
    data: z.strictObject({
      id: z.string(),
      name: z.string(),
      created: z.int(),
      description: z.string(),
      architecture,
      endpoints: z.array(endpoint).describe('Callable ones first'),
    }),
  })
  .meta({ id: 'ModelEndpoints' });

export const providerList = z
  .strictObject({
    data: z.array(
      z.strictObject({
        name: z.string(),
        slug: z.string().describe('What to send in `provider.only`, `order` and `ignore`'),
        privacy_policy_url: z.string().nullable(),
        terms_of_service_url: z.string().nullable(),
        status_page_url: z.string().nullable(),
        headquarters: country.nullable(),
        datacenters: z.array(country).nullable(),
        headrace: z.strictObject({ supply: supplyKind, endpoints: z.int().nonnegative(), callable: z.int().nonnegative() }),
      }),
    ),
  })
  .meta({ id: 'ProviderList' });
