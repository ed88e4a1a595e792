/** API keys as people see them, and what a management key may say of an inference key: the bodies of `POST /keys`, `PATCH /keys/{hash}` and `POST /keys/{hash}/rotate`. OpenRouter's names, then ours. */
import { z } from 'zod';
import { limits } from './limits.ts';
import { modelGlob } from './manifest.ts';

/** Shows which key it is without giving it away: `sk-hr-abc...xyz`. */
export function keyLabel(token: string): string {
  const [prefix = ''] = /^sk-hr-(mgmt-|op-)?/.exec(token) ?? [];
  return `${token.slice(0, prefix.length + 3)}...${token.slice(-3)}`;
}

const fields = {
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    // No pattern: the description of the API would pass it on to engines without Unicode classes.
    .refine((text) => !/\p{Cc}/u.test(text), 'expected text without control characters'),
  /** USD that the key may be charged in one period; null lifts the limit. */
  limit: z.number().nonnegative().max(9e6).nullable(),
  /** When the limit begins anew, at UTC midnight; null never. */
  limit_reset: z.enum(['daily', 'weekly', 'monthly']).nullable(),
  /** Accepted and without effect: what a team's own provider keys are billed counts towards no limit. */
  include_byok_in_limit: z.boolean(),
  expires_at: z.iso.datetime({ offset: true, error: 'expected a date and time such as 2027-01-31T00:00:00Z' }).nullable(),
  /** Name of the stored policy that holds for the key, beside its team's. */
  policy: z.string().min(1).max(64).nullable(),
  /** Globs over model ids; null allows every model. */
  models: z.array(modelGlob).min(1).max(200).nullable(),
  /** Requests and tokens per minute, requests at once, beside its team's; replaces what was stated before, null lifts them all. */
  limits: limits.nullable(),
};

/** The body of `POST /keys`. `workspace_id` is OpenRouter's word for `team`. */
export const createKey = z
  .strictObject({
    ...z.strictObject(fields).partial().shape,
    name: fields.name,
    team: z.string().min(1).max(64).optional(),
    workspace_id: z.string().min(1).max(64).optional(),
    creator_user_id: z.null({ error: 'keys belong to teams here, not to people; name the team in `workspace_id`' }).optional(),
    external: z.null({ error: 'keys are made here, never brought along; leave it out' }).optional(),
  })
  .meta({ id: 'CreateKey' });
export type CreateKey = z.infer<typeof createKey>;

/** The body of `PATCH /keys/{hash}`: what is absent stays. */
export const updateKey = z
  .strictObject({ ...fields, disabled: z.boolean() })
  .partial()
  .meta({ id: 'UpdateKey' });
export type UpdateKey = z.infer<typeof updateKey>;

const DAY_S = 86_400;

/** The body of `POST /keys/{hash}/rotate`. */
export const rotateKey = z
  .strictObject({
    /** Seconds for which the old key goes on working; 0 ends it at once. */
    overlap_s: z
      .int()
      .nonnegative()
      .max(30 * DAY_S)
      .default(DAY_S),
  })
  .meta({ id: 'RotateKey' });
export type RotateKey = z.infer<typeof rotateKey>;
