/** API keys as they arrive: their shape and their hash. The key itself goes no further than this file. */
import { createHash } from 'node:crypto';

/** `sk-hr-` and printable ASCII without spaces, 20 to 200 characters in all. */
const TOKEN_SHAPE = /^sk-hr-[\x21-\x7e]{14,194}$/;

/** Answers whether a token can be one of ours at all; others are not worth a look-up. */
export function isTokenShaped(token: string): boolean {
  return TOKEN_SHAPE.test(token);
}

/** Tokens seen last, with their hashes: hashing costs as much as planning. Never leaves this isolate's memory. */
const hashes = new Map<string, string>();
const HASHES_MAX = 1000;

/** Hashes a token with SHA-256, lower-case hex: the only form that is looked up or stored. */
export function hashToken(token: string): string {
  const known = hashes.get(token);
  if (known !== undefined) return known;
  const hash = createHash('sha256').update(token).digest('hex');
  if (hashes.size >= HASHES_MAX) hashes.clear();
  hashes.set(token, hash);
  return hash;
}
