/** What makes two requests the same: where they go, what they say, and the headers that shape the answer. */
import { createHash, type Hash } from 'node:crypto';

/** Headers that change what is answered. Authorization is not among them: the digest is only ever used beside the key. */
const SHAPING_HEADERS = [
  'anthropic-beta',
  'anthropic-version',
  'x-anthropic-beta',
  'x-headrace-policy',
  'x-openrouter-experimental-metadata',
  'x-openrouter-metadata',
  'x-session-id',
];

/** The two mounts answer alike. */
const MOUNT = /^(\/api)?\/v1(?=\/)/;

export interface DigestedRequest {
  /** Absolute. */
  url: string;
  headers: Headers;
  /** Parsed JSON, or the fields of a form with files as bytes. */
  body: unknown;
}

/**
 * Digests a request with SHA-256. The body counts as what was understood of it: order of keys, white space and the boundary of a form
 * change between two tries of the same client and change nothing here.
 */
export function requestDigest({ url, headers, body }: DigestedRequest): Uint8Array {
  const hash = createHash('sha256');
  const { pathname, search } = new URL(url);
  addText(hash, 'p', pathname.replace(MOUNT, '') + search);
  for (const name of SHAPING_HEADERS) addText(hash, 'h', headers.get(name) ?? '');
  addValue(hash, body);
  return new Uint8Array(hash.digest());
}

/** Every value begins with its kind and its length, so that no two bodies read the same. Depth is bounded by whoever read the body. */
function addValue(hash: Hash, value: unknown): void {
  if (value instanceof Uint8Array) {
    hash.update(`b${value.byteLength}:`).update(value);
  } else if (Array.isArray(value)) {
    hash.update(`a${value.length}:`);
    for (const item of value) addValue(hash, item);
  } else if (typeof value === 'object' && value !== null) {
    const names = Object.keys(value).sort();
    hash.update(`o${names.length}:`);
    for (const name of names) {
      addText(hash, 'k', name);
      addValue(hash, (value as Record<string, unknown>)[name]);
    }
  } else if (typeof value === 'string') {
    addText(hash, 's', value);
  } else {
    addText(hash, 'v', String(value));
  }
}

function addText(hash: Hash, kind: string, text: string): void {
  hash.update(`${kind}${text.length}:`).update(text, 'utf16le');
}
