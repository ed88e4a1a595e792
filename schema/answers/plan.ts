/** The answers of `POST /explain`, and the plan on receipts. */
import { z } from 'zod';
import { privacyTier, supplyKind } from '#schema/catalog';

const ms = z.number().nonnegative();
const amount = z.number().nonnegative();

/** In median prices of the model. */
const terms = z.strictObject({
  price: z.number().describe('Expected price of the request, over the median'),
  ttft: amount.describe('Waiting for the first token'),
  ttft_miss: amount.describe('Missing the objective for it'),
  tpot: amount.describe('Waiting for the other tokens'),
  verification: amount.describe('Not being verified, where that is preferred'),
  risk: amount.describe('Failures before a success, p/(1−p) times what one costs'),
});

const load = z.strictObject({ in_flight: amount, cap: amount });

const speed = z.enum(['measured', 'probe', 'node', 'model', 'prior']);
const basis = z.strictObject({
  ttft: speed,
  tpot: speed,
  load: z.enum(['node', 'counted']).nullable().describe('Whose count the load is; null where nothing is known'),
});

const candidate = z.strictObject({
  endpoint: z.string(),
  provider: z.string(),
  tag: z.string(),
  supply: supplyKind,
  tier: privacyTier,
  rank: z.int(),
  index: z.number().nullable().describe('Ascending index is the order; null where `order` or `sort` decided'),
  terms: terms.nullable().describe('What the index is the sum of, in median prices of the model'),
  cost: z.number().nonnegative().describe('Expected, USD'),
  cost_nano_usd: z.number().nonnegative(),
  ttft_ms: ms.describe('Expected time to the first token'),
  tpot_ms: ms.describe('Expected time per further token'),
  failure_probability: z.number().min(0).max(1),
  cache_hit: z.number().min(0).max(1).describe('How likely the conversation’s earlier turns are in its prompt cache'),
  load: load.nullable().describe('Requests that are there and how many may be; null where nothing is known'),
  gates: z.array(z.string()).describe('Soft gates that it fails now: `stage`, `cap`, `backoff`, `breaker`'),
  basis: basis
    .optional()
    .describe(
      'What the speeds rest on: `measured` in requests, `probe`d by the router, told by the `node`, computed by the capacity `model`, or a `prior` of its kind of supply; absent on older receipts',
    ),
});

const rejection = z.strictObject({
  endpoint: z.string(),
  provider: z.string(),
  supply: supplyKind,
  filter: z.string().describe('The first hard filter that it fails, `H1` to `H7`; or `full`: its KV cache has no room for the request now'),
  reason: z.string(),
});

export const planBody = z
  .strictObject({
    object: z.literal('plan'),
    model: z.string(),
    snapshot_version: z.string(),
    planned_at: z.iso.datetime(),
    planned_at_ms: z.int(),
    optimize: z.string(),
    method: z.string().describe('How the order came about: `index`, `order`, `sort:price` …'),
    relaxed: z.array(z.string()).describe('Soft gates that were opened because nothing else was left'),
    facts: z.strictObject({
      prompt_tokens: z.int().nonnegative(),
      max_tokens: z.int().nullable(),
      expected_completion_tokens: z.int().nonnegative(),
      stream: z.boolean(),
      needs: z.array(z.string()),
    }),
    candidates: z.array(candidate).describe('Best first'),
    rejections: z.array(rejection),
    skipped: z
      .array(rejection)
      .optional()
      .describe(
        'On receipts: candidates that could not be asked any more when their turn came, `full`, or behind a `breaker` that another request was probing; absent where there were none',
      ),
  })
  .meta({ id: 'Plan' });

/** A receipt's plan, made again. */
export const replayBody = z
  .strictObject({
    object: z.literal('replay'),
    generation: z.string(),
    same_snapshot: z.boolean().describe('The catalogue has not changed since'),
    same_order: z.boolean().describe('The recorded inputs gave the recorded order again'),
    recorded: z.array(z.string()).describe('Endpoints in the order in which the request had them'),
    replayed: z.array(z.string()),
    plan: planBody,
  })
  .meta({ id: 'Replay' });

/** The plan of a request that was not made. */
export const explainedPlan = z
  .strictObject({
    ...planBody.shape,
    policy: z.strictObject({ name: z.string(), version: z.int().nonnegative() }).describe('The policy that it was made under'),
  })
  .meta({ id: 'ExplainedPlan' });

/** What `POST /explain` answers: a plan, or with `generation` a replay. */
export const explainBody = z.union([explainedPlan, replayBody]).meta({ id: 'Explanation' });
