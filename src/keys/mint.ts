/** New API keys. */
import { createHash } from 'node:crypto';
import { keyLabel } from '#schema/key';

const SECRET_BYTES = 32;

/** A key in the three forms that it has: the key itself, shown once; what is stored; what people see. */
export interface MintedKey {
  token: string;
  /** SHA-256, hex. */
  hash: string;
  label: string;
}

/** Makes a key: a prefix that tells its kind, `sk-hr-` where none is given, and 256 random bits in base64url. */
export function mintKey(prefix = 'sk-hr-'): MintedKey {
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(SECRET_BYTES))).toString('base64url');
  const token = `${prefix}${secret}`;
  return { token, hash: createHash('sha256').update(token).digest('hex'), label: keyLabel(token) };
}
