/** Sums over receipts. Money in USD. */
import { z } from 'zod';

const count = z.int().nonnegative();
const usd = z.number().nonnegative();

/** The answer of `GET /credits`. */
export const credits = z
  .strictObject({
    data: z.strictObject({
      total_credits: usd.describe('Budgets for all time and what was paid ahead, added up'),
      total_usage: usd.describe('Everything ever charged'),
    }),
  })
  .meta({ id: 'Credits' });

/** The answer of `GET /activity`. */
export const activity = z
  .strictObject({
    data: z.array(
      z.strictObject({
        date: z.iso.date(),
        model: z.string(),
        model_permaslug: z.string(),
        endpoint_id: z.string(),
        provider_name: z.string(),
        requests: count,
        prompt_tokens: count,
        completion_tokens: count,
        reasoning_tokens: count,
        usage: usd,
        byok_usage_inference: usd.describe('What the team’s own provider keys were billed, at list prices'),
        workspace_id: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'Activity' });

/** The answer of `GET /usage`. */
export const usageSums = z
  .strictObject({
    data: z.array(
      z.strictObject({
        model: z.string().optional(),
        key: z.string().optional().describe('Id of the key, which its rotations leave as it is'),
        name: z.string().nullable().optional().describe('What people call the key; null where it is gone'),
        label: z.string().nullable().optional(),
        endpoint: z.string().nullable().optional().describe('Null where no endpoint served'),
        provider: z.string().nullable().optional(),
        team: z.string().nullable().optional(),
        day: z.iso.date().or(z.literal('other')).optional(),
        other: z.literal(true).optional().describe('The row of all groups that did not get one'),
        requests: count,
        prompt_tokens: count,
        completion_tokens: count,
        reasoning_tokens: count,
        cached_tokens: count,
        cost_usd: usd,
        byok_usd: usd.describe('What teams’ own provider keys were billed at list price'),
        errors: count.describe('Requests that failed or broke off'),
      }),
    ),
    since: z.iso.datetime(),
    until: z.iso.datetime(),
  })
  .meta({ id: 'UsageSums' });
