/**
 * The manifest: the whole deployment as one strict YAML file, `headrace.yaml`. DESIGN §4.
 * Shapes only; what must agree across the file is checked by `src/manifest/cross-check.ts`.
 */
import { z } from 'zod';
import { capability, claimSource, country, dialectId, kvCodec, quantization, supplyKind } from './catalog.ts';
import { policyDocument } from './policy.ts';

/** Name of a team, endpoint, policy or key: it stands in URLs, headers and receipts. */
const id = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, `.`, `_` or `-`, starting with a letter or digit');

/** Name of a model or alias as callers write it, for example `qwen/qwen3-8b`. */
const modelName = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:@/-]*$/, 'expected a model name such as qwen/qwen3-8b');

export const modelGlob = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9._:@/*-]+$/, 'expected a model name in which only `*` is special, such as qwen/*');

const secretName = z.string().regex(/^[A-Z][A-Z0-9_]{0,127}$/, 'expected the name of an environment variable, such as TOGETHER_API_KEY');
const literal = z.string().min(1).max(4096);

/** Where a key comes from: the name of a secret, or (under `npm start` only) the value itself. */
const secretFields = { secret: secretName.optional(), value: literal.optional() };
const secretReference = z.strictObject(secretFields);
export type SecretReference = z.infer<typeof secretReference>;

/** What an endpoint can be billed by besides tokens, with how many of them its price is for. */
export const PRICED_UNITS = { image: 1, search: 1, second: 1, character: 1e6 } as const;
export type PricedUnit = keyof typeof PRICED_UNITS;

/** USD per million tokens or characters; `request`, `image`, `search` and `second` are USD each. At most one unit beside tokens. */
const usd = z.number().nonnegative().max(1e6);
/** One image, search or second costs cents; the bound keeps every money product exact. */
const usdEach = usd.max(100);
const endpointPrice = z
  .strictObject({
    prompt: usd.optional(),
    completion: usd.optional(),
    cache_read: usd.optional(),
    cache_write: usd.optional(),
    request: usd.optional(),
    image: usdEach.optional(),
    search: usdEach.optional(),
    second: usdEach.optional(),
    character: usd.optional(),
  })
  .refine((price) => price.prompt !== undefined || pricedUnitsOf(price).length > 0, {
    error: 'expected prompt and completion, or one of image, search, second, character',
  })
  .refine((price) => pricedUnitsOf(price).length <= 1, { error: 'expected only one of image, search, second, character' });

/** Lists the units that a price names; a valid one names one at most. */
export function pricedUnitsOf(price: { [Unit in PricedUnit]?: number | undefined }): PricedUnit[] {
  return (Object.keys(PRICED_UNITS) as PricedUnit[]).filter((unit) => price[unit] !== undefined);
}

/** An amount in USD that captured and held charges together never pass within one period (UTC calendar). */
const budget = z.strictObject({
  usd: z.number().positive('a budget must be above 0').max(9e6),
  per: z.enum(['day', 'week', 'month', 'total']),
});

const limits = z.strictObject({
  requests_per_minute: z.int().positive().optional(),
  tokens_per_minute: z.int().positive().optional(),
  concurrent: z.int().positive().optional(),
});

/** What an operator says about the data: unknown is `null` and counts as the worst. */
const manifestDataPolicy = z.strictObject({
  trains: z.boolean().nullable().default(null),
  retention_days: z.int().nonnegative().nullable().default(null),
  source: claimSource.exclude(['hardware']).default('operator'),
});

/** One endpoint of the deployment. Tokens for `context` and `max_output`; absent facts come from the provider's card, then count as unknown. */
export const manifestEndpoint = z.strictObject({
  id,
  provider: id.default('selfhosted'),
  supply: supplyKind.optional(),
  owner: id.optional(),
  model: modelName,
  upstream_model: z.string().min(1).max(300).optional(),
  url: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .max(2000)
    .optional(),
  link: z.literal('tunnel').optional(),
  key: secretReference.optional(),
  dialect: dialectId.optional(),
  engine: id.optional(),
  hardware: z.strictObject({ gpu: id, count: z.int().positive().max(1024).default(1) }).optional(),
  weights: quantization.optional(),
  kv_cache: kvCodec.optional(),
  context: z.int().positive().max(100_000_000).optional(),
  max_output: z.int().positive().max(100_000_000).optional(),
  max_concurrency: z.int().positive().max(100_000).optional(),
  price: endpointPrice.optional(),
  capabilities: z.array(capability.exclude(['messages'])).optional(),
  jurisdiction: z.array(country).optional(),
  data_policy: manifestDataPolicy.optional(),
});
export type ManifestEndpoint = z.infer<typeof manifestEndpoint>;

/** A key of a team: named, with its own policy, budget and models (`*` globs) where stated. */
export const manifestKey = z.strictObject({
  name: id,
  ...secretFields,
  policy: id.optional(),
  budget: budget.optional(),
  models: z.array(modelGlob).min(1).max(200).optional(),
});
export type ManifestKey = z.infer<typeof manifestKey>;

export const manifestTeam = z.strictObject({
  id,
  policy: id.optional(),
  budget: budget.optional(),
  limits: limits.optional(),
  keys: z.array(manifestKey).max(1000).default([]),
});

export const manifestProvider = z.strictObject({ id, key: secretReference });

export const manifest = z
  .strictObject({
    version: z.literal(1),
    defaults: z.strictObject({ policy: id.optional() }).default({}),
    management_keys: z
      .array(z.strictObject({ name: id, ...secretFields }))
      .max(100)
      .default([]),
    aliases: z.record(modelName, modelName).default({}),
    providers: z.array(manifestProvider).max(1000).default([]),
    endpoints: z.array(manifestEndpoint).max(20_000).default([]),
    policies: z.record(id, policyDocument).default({}),
    teams: z.array(manifestTeam).max(10_000).default([]),
  })
  .meta({ id: 'Manifest', title: 'Headrace manifest', description: 'The whole deployment as one file, headrace.yaml.' });
export type Manifest = z.infer<typeof manifest>;
