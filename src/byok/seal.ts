/**
 * Seals: how keys of teams rest. AES-256-GCM under a secret of the deployment, bound to the team, the provider and the origin that a key may
 * be sent to, so that a row copied to another place opens nowhere (K1, K15).
 */
import { fromBase64, toBase64 } from '#schema/base64';
import type { Seal } from '#schema/byok';
import { GatewayError } from '#schema/error';

/** The Worker secret that seals and opens. */
export const SEAL_SECRET = 'HEADRACE_SEAL_KEY';
/** The one before it, which opens what has not been sealed anew yet (K14). */
export const PREVIOUS_SEAL_SECRET = 'HEADRACE_SEAL_KEY_PREVIOUS';

const SECRET_BYTES = 32;
/** A random vector of 96 bits is safe for 2^32 seals under one secret. NIST SP 800-38D §8.3. */
const IV_BYTES = 12;
const KEY_ID_DIGITS = 16;

/** What a key is sealed to. None of the three can hold the `|` that separates them. */
export interface SealScope {
  teamId: string;
  providerId: string;
  /** Such as `https://api.example.com`. */
  origin: string;
}

/** What came of opening a seal: the key, and whether the current secret sealed it; or why there is none, in a word fit for a log. */
export type Opened = { key: string; isCurrent: boolean } | { reason: 'unknown_secret' | 'broken_seal' };

/** Seals and opens under the secrets of one deployment. */
export interface Sealer {
  /** Throws GatewayError `permission_denied` where the deployment has no usable secret (K12). */
  seal(scope: SealScope, key: string): Promise<Seal>;
  /** Never rejects. */
  open(scope: SealScope, seal: Seal): Promise<Opened>;
}

interface SecretKey {
  id: string;
  key: CryptoKey;
}

/** Creates the sealer of one isolate. `secret` reads Worker secrets by name. */
export function createSealer(secret: (name: string) => string | undefined): Sealer {
  // Secrets never change within an isolate, and importing one costs more than opening a seal.
  const imported = new Map<string, Promise<SecretKey | null>>();

  function secretKey(name: string): Promise<SecretKey | null> {
    const known = imported.get(name) ?? importSecret(secret(name));
    imported.set(name, known);
    return known;
  }

  return {
    async seal(scope, key) {
      const current = (await secretKey(SEAL_SECRET)) ?? refuseToSeal(secret(SEAL_SECRET));
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      const ciphertext = new Uint8Array(await crypto.subtle.encrypt(paramsOf(scope, iv), current.key, new TextEncoder().encode(key)));
      const bytes = new Uint8Array(iv.length + ciphertext.length);
      bytes.set(iv);
      bytes.set(ciphertext, iv.length);
      return { sealKeyId: current.id, sealed: toBase64(bytes) };
    },
    async open(scope, { sealKeyId, sealed }) {
      const bytes = fromBase64(sealed);
      const current = await secretKey(SEAL_SECRET);
      const sealer = current?.id === sealKeyId ? current : await secretKey(PREVIOUS_SEAL_SECRET);
      if (sealer?.id !== sealKeyId) return { reason: 'unknown_secret' };
      if (bytes === null || bytes.length <= IV_BYTES) return { reason: 'broken_seal' };
      try {
        const params = paramsOf(scope, bytes.slice(0, IV_BYTES));
        const plain = await crypto.subtle.decrypt(params, sealer.key, bytes.slice(IV_BYTES));
        return { key: new TextDecoder().decode(plain), isCurrent: sealer === current };
      } catch {
        return { reason: 'broken_seal' };
      }
    },
  };
}

/** Reads a secret of 32 bytes, as 64 hex digits or in base64url (padded or not); null for anything else. */
export function readSealSecret(text: string | undefined): Uint8Array<ArrayBuffer> | null {
  if (text === undefined) return null;
  if (/^[0-9a-f]{64}$/i.test(text)) return Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
  if (!/^[\w-]{43}=?$/.test(text)) return null;
  const bytes = fromBase64(text.replaceAll('-', '+').replaceAll('_', '/'));
  return bytes?.length === SECRET_BYTES ? Uint8Array.from(bytes) : null;
}

async function importSecret(text: string | undefined): Promise<SecretKey | null> {
  const bytes = readSealSecret(text);
  if (bytes === null) return null;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const id = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .slice(0, KEY_ID_DIGITS);
  return { id, key: await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']) };
}

function paramsOf({ teamId, providerId, origin }: SealScope, iv: Uint8Array<ArrayBuffer>) {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(`${teamId}|${providerId}|${origin}`) };
}

function refuseToSeal(text: string | undefined): never {
  const what = text === undefined ? 'is not set' : 'is not 32 bytes in hex or base64url';
  throw new GatewayError('permission_denied', `This deployment cannot keep provider keys: its secret ${SEAL_SECRET} ${what}.`);
}
