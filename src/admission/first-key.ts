/** The key that opens a new deployment: a Worker secret, good for as long as no management key is stored. */
import { keyLabel } from '#schema/key';
import type { Caller } from './caller.ts';
import { hashToken } from './token.ts';

/** Name of the Worker secret. Manifests usually list it under `management_keys`, and are then what holds. */
export const FIRST_KEY_SECRET = 'HEADRACE_ADMIN_KEY';
/** As management keys of manifests are; anything else, the empty text above all, opens nothing (K12). */
const SHAPE = /^sk-hr-mgmt-[\x21-\x7e]{9,189}$/;

/** Answers who calls with a key of this SHA-256 (hex), where it is the first key; null for all others. */
export function firstCaller(hash: string, secret: string | undefined): Caller | null {
  if (secret === undefined || !SHAPE.test(secret) || hashToken(secret) !== hash) return null;
  return {
    keyId: 'key-first',
    kind: 'management',
    label: keyLabel(secret),
    name: FIRST_KEY_SECRET,
    team: null,
    keyPolicy: null,
    models: null,
    budget: null,
    limits: null,
    quotas: [],
    createdAtMs: 0,
    expiresAtMs: null,
  };
}
