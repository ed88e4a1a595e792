/** Sums over receipts. Money in USD. */
import { z } from 'zod';

const count = z.int().nonnegative();
const usd = z.number().nonnegative();

/** The answer of `GET /credits`. */
export const credits = z
  .strictObject({
    data: z.strictObject({
      total_credits: usd.describe('Budgets for all time, added up'),
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
        byok_usage_inference: z.literal(0),
        workspace_id: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'Activity' });
