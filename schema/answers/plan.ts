/** The answer of `POST /explain`, and the plan on receipts. */
import { z } from 'zod';
import { privacyTier, supplyKind } from '#schema/catalog';

const ms = z.number().nonnegative();

const candidate = z.strictObject({
  endpoint: z.string(),
  provider: z.string(),
  tag: z.string(),
  supply: supplyKind,
  tier: privacyTier,
  rank: z.int(),
  index: z.number().nullable().describe('Ascending index is the order; null where `order` or `sort` decided'),
  cost: z.number().nonnegative().describe('Expected, USD'),
  cost_nano_usd: z.number().nonnegative(),
  ttft_ms: ms.describe('Expected time to the first token'),
  tpot_ms: ms.describe('Expected time per further token'),
  failure_probability: z.number().min(0).max(1),
  gates: z.array(z.string()).describe('Soft gates that it fails now: `cap`, `backoff`, `breaker`'),
});

const rejection = z.strictObject({
  endpoint: z.string(),
  provider: z.string(),
  supply: supplyKind,
  filter: z.string().describe('The first hard filter that it fails, `H1` to `H7`'),
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
  })
  .meta({ id: 'Plan' });
