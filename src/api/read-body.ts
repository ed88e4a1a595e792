/** The body of a request, from bytes to JSON, bounded in every direction. */
import { GatewayError } from '#schema/error';
import { readBytes } from './read-bytes.ts';

/** Largest body accepted, 10 MiB. */
export const BODY_BYTES_MAX = 10 * 1024 * 1024;
/** Deepest nesting accepted. */
const DEPTH_MAX = 64;
/** Media types read as JSON; clients in browsers without preflight send `text/plain`. */
const JSON_TYPES = /^(application\/(json|[\w.-]+\+json)|text\/(json|plain))$/;

/** Strict UTF-8; a byte order mark is dropped. Whole texts leave no state behind, so one decoder serves all. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/**
 * Reads a JSON body. Throws GatewayError: `payload_too_large`, `unsupported_media_type`, `invalid_json`, and `invalid_request`
 * for nesting beyond 64 levels and keys that reach prototypes. Of duplicate keys the last counts, as JSON.parse has it.
 */
export async function readBody(request: Request, bytesMax = BODY_BYTES_MAX): Promise<unknown> {
  const body = parse(decode(await readBytes(request, { bytesMax, checkType })));
  checkShape(body, 1);
  return body;
}

function checkType(mediaType: string): void {
  if (mediaType === '' || JSON_TYPES.test(mediaType)) return;
  throw new GatewayError('unsupported_media_type', 'The request body must be JSON; send Content-Type: application/json.');
}

function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new GatewayError('invalid_json', 'The request body is not valid UTF-8.');
  }
}

function parse(text: string): unknown {
  if (text.trim() === '') throw new GatewayError('invalid_json', 'The request body is empty; expected a JSON object.');
  try {
    return JSON.parse(text);
  } catch (failure) {
    // The parser's own message quotes the body.
    const position = failure instanceof Error ? /position (\d+)/.exec(failure.message)?.[1] : undefined;
    throw new GatewayError(
      'invalid_json',
      `The request body is not valid JSON${position === undefined ? '' : ` (at character ${position})`}.`,
    );
  }
}

function checkShape(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > DEPTH_MAX) throw new GatewayError('invalid_request', `The request body is nested deeper than ${DEPTH_MAX} levels.`);
  if (Array.isArray(value)) {
    for (const item of value) checkShape(item, depth + 1);
    return;
  }
  // What JSON.parse made has own keys only.
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key];
    checkKey(key, field);
    checkShape(field, depth + 1);
  }
}

/** Refuses keys that could reach an object's prototype where fields are copied or merged, here or further up. */
function checkKey(key: string, value: unknown): void {
  const isPollution =
    key === '__proto__' ||
    // A schema may well name a property `constructor`; only the way through it is an attack.
    (key === 'constructor' && typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype'));
  if (isPollution) throw new GatewayError('invalid_request', `The key '${key}' is not allowed in a request.`, { param: key });
}
