/** Provider keys of teams as managers see them: OpenRouter's records. The keys themselves are in none of them. */
import { z } from 'zod';

const providerKey = z
  .strictObject({
    id: z.string(),
    provider: z.string(),
    label: z.string().describe('The key, its middle left out'),
    name: z.string().nullable(),
    disabled: z.boolean(),
    workspace_id: z.string().describe('The team that brought it'),
    created_at: z.iso.datetime(),
    sort_order: z.literal(0).describe('A team has one key for a provider'),
    is_fallback: z.literal(false),
    is_byok_only: z.literal(true).describe('While it is enabled, the house’s own key for the provider never serves the team'),
    is_required: z.literal(true),
    allowed_models: z.null(),
    allowed_api_key_hashes: z.null(),
    allowed_user_ids: z.null(),
    declared_zdr: z.null(),
    headrace: z.strictObject({
      team: z.string(),
      origin: z.string().describe('Where the key is sent, and nowhere else'),
      updated_at: z.iso.datetime(),
    }),
  })
  .meta({ id: 'ProviderKey' });

export const providerKeyList = z
  .strictObject({ data: z.array(providerKey), total_count: z.int().nonnegative() })
  .meta({ id: 'ProviderKeyList' });
export const providerKeyData = z.strictObject({ data: providerKey }).meta({ id: 'ProviderKeyData' });
export const deletedProviderKey = z.strictObject({ deleted: z.literal(true) }).meta({ id: 'DeletedProviderKey' });
