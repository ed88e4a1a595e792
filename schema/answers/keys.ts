/** Keys as their holders and managers see them: OpenRouter's records. Money in USD. */
import { z } from 'zod';
import { statedLimits } from './limits.ts';

const usd = z.number().nonnegative();

const limits = {
  limit: usd.nullable().describe('USD that the key may be charged in one period; null without a limit'),
  limit_remaining: usd.nullable(),
  limit_reset: z.enum(['daily', 'weekly', 'monthly']).nullable(),
  include_byok_in_limit: z.boolean(),
  usage: usd.describe('USD charged so far'),
  usage_daily: usd.describe('Since midnight UTC'),
  usage_weekly: usd.describe('Since Monday'),
  usage_monthly: usd,
  byok_usage: usd.describe('USD that the team’s own provider keys were billed beside that, at list prices'),
  byok_usage_daily: usd,
  byok_usage_weekly: usd,
  byok_usage_monthly: usd,
};
const holder = {
  label: z.string().describe('The key, its middle left out'),
  expires_at: z.iso.datetime().nullable(),
  creator_user_id: z.null(),
};
const replacedKey = z.strictObject({
  hash: z.string(),
  works_until: z.iso.datetime().describe('When the old key stops to work, or has stopped'),
});
const models = z.array(z.string()).nullable().describe('Globs over model ids; null allows every model');

/** The answer of `GET /key`. */
export const ownKey = z
  .strictObject({
    data: z.strictObject({
      ...holder,
      ...limits,
      is_free_tier: z.boolean(),
      is_management_key: z.boolean(),
      is_provisioning_key: z.boolean(),
      organization_id: z.null(),
      workspace_id: z.string().nullable(),
      allowed_data_regions: z.array(z.string()),
      free_model_daily_requests: z.strictObject({ limit: z.int(), remaining: z.int(), used: z.int() }),
      rate_limit: z.strictObject({ requests: z.int(), interval: z.string(), note: z.string() }),
      headrace: z.strictObject({
        name: z.string(),
        team: z.string().nullable(),
        policy: z.string().nullable(),
        models,
        limits: statedLimits,
      }),
    }),
  })
  .meta({ id: 'OwnKey' });

const managedKey = z
  .strictObject({
    ...holder,
    ...limits,
    hash: z.string().describe('SHA-256 of the key, its name in paths'),
    name: z.string(),
    disabled: z.boolean(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime().nullable(),
    external_user: z.null(),
    workspace_id: z.string(),
    headrace: z.strictObject({
      team: z.string().nullable(),
      policy: z.string().nullable(),
      models,
      limits: statedLimits,
      source: z.string().describe('`api`, or `manifest` for keys that only headrace.yaml changes'),
      previous: replacedKey.nullable().describe('The key that this one replaced when it was last rotated'),
    }),
  })
  .meta({ id: 'ManagedKey' });

export const keyList = z.strictObject({ data: z.array(managedKey) }).meta({ id: 'KeyList' });
export const keyData = z.strictObject({ data: managedKey }).meta({ id: 'KeyData' });
export const createdKey = z
  .strictObject({ data: managedKey, key: z.string().describe('The key itself, shown this once') })
  .meta({ id: 'CreatedKey' });
export const changedKey = z
  .strictObject({
    data: managedKey,
    changes: z
      .record(z.string(), z.strictObject({ from: z.unknown(), to: z.unknown() }))
      .describe('What became different; empty where nothing did'),
  })
  .meta({ id: 'ChangedKey' });
export const rotatedKey = z
  .strictObject({ data: managedKey, key: z.string().describe('The new key itself, shown this once'), replaces: replacedKey })
  .meta({ id: 'RotatedKey' });
export const deletedKey = z.strictObject({ deleted: z.literal(true) }).meta({ id: 'DeletedKey' });
