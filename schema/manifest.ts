/**
 * The manifest: the whole deployment as one strict YAML file, `headrace.yaml`. DESIGN §4.
 * Shapes only; what must agree across the file is checked by `src/manifest/cross-check.ts`.
 */
import { z } from 'zod';
import {
  capability,
  claimSource,
  country,
  dialectId,
  kvCodec,
  operationsOf,
  quantization,
  supplyKind,
  type Capability,
  type Operation,
} from './catalog.ts';
import { limits } from './limits.ts';
import { policyDocument } from './policy.ts';
import { feedFormat } from './price-feed.ts';

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

const secretName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,127}$/, 'expected the name of an environment variable, such as TOGETHER_API_KEY')
  .describe('Name of the environment variable or Worker secret that holds the key, such as TOGETHER_API_KEY.');
export const literal = z
  .string()
  .max(4096)
  // It goes into a header of every upstream call.
  .regex(/^[\x21-\x7e]+$/, 'expected printable characters without spaces')
  .describe('The key itself, instead of `secret`. Accepted by `npm start` only.');

/** Where a key comes from: the name of a secret, or (under `npm start` only) the value itself. */
const secretFields = { secret: secretName.optional(), value: literal.optional() };
const secretReference = z.strictObject(secretFields);
export type SecretReference = z.infer<typeof secretReference>;

/** What an endpoint can be billed by besides tokens, with how many of them its price is for. */
export const PRICED_UNITS = { image: 1, search: 1, second: 1, character: 1e6 } as const;
export type PricedUnit = keyof typeof PRICED_UNITS;

/** The least price that is not free: prices are integers in pico-USD a token. */
const USD_PER_MILLION_MIN = 1e-6;

/** USD per million tokens or characters; `request`, `image`, `search` and `second` are USD each. At most one unit beside tokens. */
const usd = z
  .number()
  .nonnegative()
  .max(1e6)
  .refine((price) => price === 0 || price >= USD_PER_MILLION_MIN, `expected 0 or at least ${USD_PER_MILLION_MIN}: less cannot be charged`);
/** One image, search or second costs cents; the bound keeps every money product exact. */
const usdEach = usd.max(100);
const endpointPrice = z
  .strictObject({
    prompt: usd.optional().describe('USD per million prompt tokens.'),
    completion: usd.optional().describe('USD per million completion tokens.'),
    cache_read: usd.optional().describe('USD per million prompt tokens that the endpoint’s prompt cache held.'),
    cache_write: usd.optional().describe('USD per million prompt tokens that are written to its prompt cache.'),
    request: usd.optional().describe('USD for each request, beside its tokens.'),
    image: usdEach.optional().describe('USD for one image.'),
    search: usdEach.optional().describe('USD for one ranking.'),
    second: usdEach.optional().describe('USD for one second of audio that is heard.'),
    character: usd.optional().describe('USD per million characters that are spoken.'),
  })
  .refine((price) => price.prompt !== undefined || pricedUnitsOf(price).length > 0, {
    error: 'expected prompt and completion, or one of image, search, second, character',
  })
  .refine((price) => pricedUnitsOf(price).length <= 1, { error: 'expected only one of image, search, second, character' });

/** Lists the units that a price names; a valid one names one at most. */
export function pricedUnitsOf(price: { [Unit in PricedUnit]?: number | undefined }): PricedUnit[] {
  return (Object.keys(PRICED_UNITS) as PricedUnit[]).filter((unit) => price[unit] !== undefined);
}

/** Which operation each unit bills. */
export const BILLED_OPERATION: Readonly<Record<PricedUnit, Operation>> = {
  image: 'images',
  search: 'rerank',
  second: 'transcription',
  character: 'speech',
};

/** Finds the unit that endpoints with these capabilities are billed by besides tokens; null where there is none. */
export function billedUnitOf(capabilities: Iterable<Capability>): PricedUnit | null {
  const operations = operationsOf(capabilities);
  return (Object.keys(PRICED_UNITS) as PricedUnit[]).find((unit) => operations.has(BILLED_OPERATION[unit])) ?? null;
}

/** Tells whether endpoints with these capabilities are asked for the same things that are billed by units. */
export function isBilledAlike(one: Iterable<Capability>, other: Iterable<Capability>): boolean {
  const [billed, others] = [operationsOf(one), operationsOf(other)];
  return Object.values(BILLED_OPERATION).every((operation) => billed.has(operation) === others.has(operation));
}

/** Less is no budget: it would be rounded to nothing. */
const BUDGET_USD_MIN = 1e-6;

/** An amount in USD that captured and held charges together never pass within one period (UTC calendar). */
const budget = z.strictObject({
  usd: z
    .number()
    .min(BUDGET_USD_MIN, `a budget must be above 0: at least ${BUDGET_USD_MIN}`)
    .max(9e6)
    .describe('USD. What is spent and what is held for requests under way never pass it together.'),
  per: z.enum(['day', 'week', 'month', 'total']).describe('When it begins anew: each UTC day, Monday, month; `total` never.'),
});

/** What an operator says about the data: unknown is `null` and counts as the worst. */
const manifestDataPolicy = z.strictObject({
  trains: z.boolean().nullable().default(null).describe('Whether prompts are trained on; null: unknown.'),
  retention_days: z.int().nonnegative().nullable().default(null).describe('For how many days prompts are kept; null: unknown.'),
  source: claimSource
    .exclude(['hardware'])
    .default('operator')
    .describe('Whose word it is: a contract’s, the provider’s or the operator’s.'),
});

/** One endpoint of the deployment. Tokens for `context` and `max_output`; absent facts come from the provider's card, then count as unknown. */
export const manifestEndpoint = z.strictObject({
  id: id.describe('Name of the endpoint: it stands in headers and receipts, and in `order`, `only` and `ignore`.'),
  provider: id.default('selfhosted').describe('Id of a known provider; `selfhosted` for an endpoint of one’s own.'),
  supply: supplyKind.optional().describe('Kind of supply; for `selfhosted` endpoints that are something else.'),
  owner: id.optional().describe('Id of the team that may use it; absent: every team.'),
  model: modelName.describe('What callers name, such as qwen/qwen3-8b.'),
  upstream_model: z.string().min(1).max(300).optional().describe('What the endpoint itself calls the model. Default: the same.'),
  url: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .max(2000)
    .optional()
    .describe('Where its API begins, such as https://gpu.example.com/v1. Public https, or a host that the deployment allows by name.'),
  link: z.literal('tunnel').optional().describe('Instead of `url`: the node connects to the router.'),
  key: secretReference.optional().describe('The key that the endpoint asks for. Default: its provider’s.'),
  dialect: dialectId.optional().describe('Wire format. Default: its provider’s, else openai-chat.'),
  engine: id.optional().describe('Inference engine, such as vllm.'),
  hardware: z
    .strictObject({
      gpu: id.describe('Such as rtx-4090.'),
      count: z.int().positive().max(1024).default(1),
    })
    .optional()
    .describe('What it runs on.'),
  weights: quantization.optional().describe('Precision of the weights.'),
  kv_cache: kvCodec.optional().describe('Codec of the KV cache.'),
  context: z.int().positive().max(100_000_000).optional().describe('Tokens of prompt and answer together. Default: the model’s.'),
  max_output: z.int().positive().max(100_000_000).optional().describe('Most tokens of one answer. Default: not bounded.'),
  max_concurrency: z.int().positive().max(100_000).optional().describe('Requests at once. Default: learned.'),
  price: endpointPrice.optional().describe('What is charged. Without one, only policies with `allow_unpriced` use the endpoint.'),
  capabilities: z
    .array(capability.exclude(['messages']))
    .max(100)
    .optional()
    .describe('What it can be asked for beside plain chat. Default: its provider’s.'),
  jurisdiction: z.array(country).max(250).optional().describe('Where prompts may be processed, ISO 3166 such as DE. Absent: unknown.'),
  data_policy: manifestDataPolicy.optional().describe('What happens to prompts there. Absent: unknown, which counts as the worst.'),
});
export type ManifestEndpoint = z.infer<typeof manifestEndpoint>;

/** A date or an instant. A date means its beginning in UTC. */
const expires = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], {
    error: 'expected a date such as 2027-01-31, or a time such as 2027-01-31T18:00:00Z',
  })
  .describe('When the key stops working: a date (at its beginning, UTC) or a time such as 2027-01-31T18:00:00Z.');

/** A key of a team: named, with its own policy, budget, limits and models (`*` globs) where stated. All of them hold beside the team's. */
export const manifestKey = z.strictObject({
  name: id.describe('Name of the key within its team.'),
  ...secretFields,
  policy: id.optional().describe('Name of a policy that holds beside the team’s.'),
  budget: budget.optional().describe('The key’s own; the team’s holds as well.'),
  limits: limits.optional().describe('The key’s own; the team’s hold as well.'),
  models: z.array(modelGlob).min(1).max(200).optional().describe('Models that the key may use, such as [qwen/*]; only `*` is special.'),
  expires: expires.optional(),
  disabled: z.boolean().default(false).describe('True: refuse the key, but keep it.'),
});
export type ManifestKey = z.infer<typeof manifestKey>;

export const manifestTeam = z.strictObject({
  id: id.describe('Name of the team.'),
  policy: id.optional().describe('Name of a policy that holds for all its requests.'),
  budget: budget.optional().describe('What all its keys may spend together.'),
  limits: limits.optional().describe('What all its keys may ask for together.'),
  keys: z.array(manifestKey).max(1000).default([]).describe('Its inference keys. A key that is removed here is disabled.'),
});

export const manifestProvider = z.strictObject({ id: id.describe('Id of a known provider, such as together.'), key: secretReference });

/** A list of models and prices that somebody publishes: what it lists becomes endpoints, at the prices that it states. */
export const manifestPriceFeed = z.strictObject({
  id: id.describe('Name of the feed: its endpoints are called `<id>:<model>`.'),
  url: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .max(2000)
    .describe('Where the list is, such as https://api.example.com/v1/models. Public https, or a host that the deployment allows by name.'),
  format: feedFormat.describe('How it is written: OpenRouter’s flat list of models, or its typed one (2.x).'),
  provider: id.nullish().describe('Id of the known provider whose models these are. Absent: a provider of its own, called like the feed.'),
  supply: supplyKind.optional().describe('Kind of supply of a provider of its own. Default: centralized.'),
  endpoint_url: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .max(2000)
    .optional()
    .describe('Where the API of the models begins. Default: the provider’s address, else that of the list without its `/models`.'),
  key: secretReference.optional().describe('The key that the models ask for. Default: its provider’s, at the provider’s own address.'),
});
export type ManifestPriceFeed = z.infer<typeof manifestPriceFeed>;

/** A key that manages the deployment, or the one team that it names, and never infers. */
export const manifestManagementKey = z.strictObject({
  name: id.describe('Name of the key.'),
  ...secretFields,
  team: id.optional().describe('Id of the one team that it manages; absent: the whole deployment.'),
  expires: expires.optional(),
  disabled: z.boolean().default(false).describe('True: refuse the key, but keep it.'),
});

export const manifest = z
  .strictObject({
    version: z.literal(1).describe('Version of this format.'),
    defaults: z
      .strictObject({ policy: id.optional().describe('Name of the policy that holds for everybody.') })
      .default({})
      .describe('What holds for the whole deployment.'),
    management_keys: z.array(manifestManagementKey).max(100).default([]).describe('Keys that manage and never infer.'),
    aliases: z.record(modelName, modelName).default({}).describe('Name that callers use → model that it stands for.'),
    providers: z.array(manifestProvider).max(1000).default([]).describe('Known providers whose key stands elsewhere than usual.'),
    endpoints: z.array(manifestEndpoint).max(20_000).default([]).describe('Endpoints beside those that the catalogue knows.'),
    price_feeds: z
      .array(manifestPriceFeed)
      .max(100)
      .default([])
      .describe('Lists whose models become endpoints at the prices that they state.'),
    policies: z.record(id, policyDocument).default({}).describe('Routing policies by name.'),
    teams: z.array(manifestTeam).max(10_000).default([]).describe('Who may ask, under which policy, for how much.'),
  })
  .meta({
    id: 'Manifest',
    title: 'Headrace manifest',
    description: 'The whole deployment as one file, headrace.yaml.',
    examples: [
      {
        version: 1,
        defaults: { policy: 'balanced' },
        policies: { balanced: { optimize: 'balanced' } },
        teams: [{ id: 'research', budget: { usd: 200, per: 'month' }, keys: [{ name: 'ci', secret: 'RESEARCH_CI_KEY' }] }],
      },
    ],
  });
export type Manifest = z.infer<typeof manifest>;
