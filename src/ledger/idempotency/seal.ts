/**
 * Answers under seal. The sealing key comes from the caller's token, the `Idempotency-Key` and the request itself, and is stored nowhere:
 * only a repeat of the request can open the answer, the deployment that keeps it cannot.
 */
import { createHash, hkdfSync } from 'node:crypto';

const INFO = 'headrace idempotency 1';
const SEALING_KEY_BYTES = 32;
const FINGERPRINT_BYTES = 32;
/** AES-GCM's own nonce length (NIST SP 800-38D §5.2.1.1). */
const NONCE_BYTES = 12;

export interface TicketSecrets {
  /** Names the ticket within the team. */
  id: string;
  /** Tells this request from others under the same ticket; a guess at the request cannot be tried without the token. */
  fingerprint: string;
  sealingKey: Uint8Array<ArrayBuffer>;
}

export interface SecretSources {
  /** The calling key's id: another key of the team has tickets of its own. */
  keyId: string;
  token: string;
  idempotencyKey: string;
  requestDigest: Uint8Array;
}

/** Derives what a ticket is named, recognised and sealed by. HKDF-SHA256 (RFC 5869). */
export function ticketSecrets({ keyId, token, idempotencyKey, requestDigest }: SecretSources): TicketSecrets {
  const info = Buffer.concat([Buffer.from(INFO), requestDigest]);
  const derived = new Uint8Array(hkdfSync('sha256', token, idempotencyKey, info, SEALING_KEY_BYTES + FINGERPRINT_BYTES));
  return {
    id: createHash('sha256')
      .update(JSON.stringify([keyId, idempotencyKey]))
      .digest('hex'),
    fingerprint: Buffer.from(derived.subarray(SEALING_KEY_BYTES)).toString('hex'),
    sealingKey: derived.slice(0, SEALING_KEY_BYTES),
  };
}

/** Seals bytes for one generation: nonce, then AES-256-GCM ciphertext and tag. */
export async function seal(bytes: Uint8Array<ArrayBuffer>, { sealingKey }: TicketSecrets, generationId: string): Promise<Uint8Array> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt(terms(nonce, generationId), await importKey(sealingKey, 'encrypt'), bytes);
  const joined = new Uint8Array(NONCE_BYTES + sealed.byteLength);
  joined.set(nonce);
  joined.set(new Uint8Array(sealed), NONCE_BYTES);
  return joined;
}

/** Opens what `seal` made; null for anything else. */
export async function unseal(
  sealed: Uint8Array,
  { sealingKey }: TicketSecrets,
  generationId: string,
): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    const nonce = sealed.slice(0, NONCE_BYTES);
    const key = await importKey(sealingKey, 'decrypt');
    return new Uint8Array(await crypto.subtle.decrypt(terms(nonce, generationId), key, sealed.slice(NONCE_BYTES)));
  } catch {
    return null;
  }
}

function terms(nonce: Uint8Array<ArrayBuffer>, generationId: string) {
  return { name: 'AES-GCM', iv: nonce, additionalData: new TextEncoder().encode(generationId) };
}

function importKey(bytes: Uint8Array<ArrayBuffer>, use: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, [use]);
}
