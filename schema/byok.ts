/**
 * Keys that teams bring for providers (BYOK): what a manager may say of one, how a request gets it, and what it may do with it.
 * OpenRouter's names, then ours.
 */
import { z } from 'zod';

/** Shows which provider key it is without giving it away: `abc...xyz`. */
export function providerKeyLabel(key: string): string {
  return `${key.slice(0, 3)}...${key.slice(-3)}`;
}

/** Vendors' keys are long and random; of a short one the label would tell too much. Anything but visible ASCII could split a header. */
const providerKey = z.string().regex(/^[\x21-\x7e]{16,4096}$/, 'expected 16 to 4096 visible ASCII characters without spaces');

const name = z
  .string()
  .trim()
  .max(100)
  // No pattern: the description of the API would pass it on to engines without Unicode classes.
  .refine((text) => !/\p{Cc}/u.test(text), 'expected text without control characters')
  .nullable();

const ALL_OF_THE_TEAM = 'a provider key serves all keys and models of its team; leave it out';
const ALWAYS_REQUIRED = 'while a team’s key is enabled, its provider is asked with that key only; disable the key instead';

/** OpenRouter's further fields, as far as what they ask for is what happens here anyway. */
const foreign = {
  is_fallback: z.literal(false, { error: 'the house’s key never serves beside a team’s own; leave it out' }).optional(),
  is_byok_only: z.literal(true, { error: ALWAYS_REQUIRED }).optional(),
  is_required: z.literal(true, { error: ALWAYS_REQUIRED }).optional(),
  allowed_models: z.null({ error: ALL_OF_THE_TEAM }).optional(),
  allowed_api_key_hashes: z.null({ error: ALL_OF_THE_TEAM }).optional(),
  allowed_user_ids: z.null({ error: ALL_OF_THE_TEAM }).optional(),
  declared_zdr: z.null({ error: 'privacy tiers rest on the provider’s own claims; leave it out' }).optional(),
};

/** The body of `POST /byok`. `key` is never shown again; `workspace_id` is OpenRouter's word for `team`. */
export const createProviderKey = z
  .strictObject({
    provider: z.string().min(1).max(64),
    key: providerKey,
    team: z.string().min(1).max(64).optional(),
    workspace_id: z.string().min(1).max(64).optional(),
    name: name.optional(),
    disabled: z.boolean().default(false),
    ...foreign,
  })
  .meta({ id: 'CreateProviderKey' });
export type CreateProviderKey = z.infer<typeof createProviderKey>;

/** The body of `PATCH /byok/{id}`: what is absent stays. A `key` takes the place of the one before. */
export const updateProviderKey = z
  .strictObject({ name, key: providerKey, disabled: z.boolean(), ...foreign })
  .partial()
  .meta({ id: 'UpdateProviderKey' });
export type UpdateProviderKey = z.infer<typeof updateProviderKey>;

/** A key at rest. */
export interface Seal {
  /** Which deployment secret sealed it: the first 16 hex digits of its SHA-256. */
  sealKeyId: string;
  /** Initialisation vector, ciphertext and tag, base64. */
  sealed: string;
}

/** An enabled key of a team as the look-up of a caller brings it along. */
export interface SealedKey extends Seal {
  id: string;
  provider: string;
  /** Where it may be sent, such as `https://api.example.com`. */
  origin: string;
}

/** A team's key for the length of a request. */
export interface OwnKey {
  /** The name under which health knows it; another one once the key has been replaced. */
  credential: string;
  /** Null: it cannot be opened here, so nothing is called with it, nor with anybody else's in its place. */
  key: string | null;
}

/** Finds the team's own key for a place; undefined where the house's is used. Pure. */
export type OwnKeyOf = (place: { providerId: string; url: string }) => OwnKey | undefined;
