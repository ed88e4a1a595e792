/** The body of a request, from bytes to JSON, bounded in every direction. */
import { GatewayError } from '#schema/error';

/** Largest body accepted, 10 MiB. */
export const BODY_BYTES_MAX = 10 * 1024 * 1024;
/** How much of a refused body is read and forgotten, and for how long, so that its sender gets to see the answer. */
export const DRAIN_BYTES_MAX = 64 * 1024 * 1024;
const DRAIN_MS_MAX = 5_000;
/** Deepest nesting accepted. */
const DEPTH_MAX = 64;
/** Media types read as JSON; clients in browsers without preflight send `text/plain`. */
const JSON_TYPES = /^(application\/(json|[\w.-]+\+json)|text\/(json|plain))$/;

function tooLarge(): GatewayError {
  return new GatewayError('payload_too_large', `The request body is larger than ${BODY_BYTES_MAX} bytes.`);
}

function checkHeaders(headers: Headers): void {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') {
    throw new GatewayError('unsupported_media_type', 'Compressed request bodies are not accepted; send the body without Content-Encoding.');
  }
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== '' && !JSON_TYPES.test(type)) {
    throw new GatewayError('unsupported_media_type', 'The request body must be JSON; send Content-Type: application/json.');
  }
  if (Number(headers.get('content-length') ?? 0) > BODY_BYTES_MAX) throw tooLarge();
}

/** Reads on and keeps nothing: a client that is still sending when the connection closes never sees why. Bounded in bytes and time. */
async function drain(body: ReadableStream<Uint8Array> | null): Promise<void> {
  if (body === null || body.locked) return;
  const reader = body.getReader();
  const stop = () => reader.cancel().catch(() => undefined);
  const timer = setTimeout(stop, DRAIN_MS_MAX);
  try {
    let bytes = 0;
    for (let next = await reader.read(); !next.done && bytes < DRAIN_BYTES_MAX; next = await reader.read()) bytes += next.value.byteLength;
  } catch {
    // Whoever broke off does not wait for an answer.
  } finally {
    clearTimeout(timer);
    await stop();
  }
}

/** Collects a body of unknown length, and stops as soon as it is too long. */
async function collect(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.byteLength;
    if (length > BODY_BYTES_MAX) {
      reader.releaseLock();
      throw tooLarge();
    }
    chunks.push(next.value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

async function readBytes(request: Request): Promise<Uint8Array> {
  try {
    // The runtime holds a body to its declared length, which checkHeaders has bounded. `body` is not touched: it would cost a stream.
    if (request.headers.has('content-length')) return new Uint8Array(await request.arrayBuffer());
    return request.body === null ? new Uint8Array() : await collect(request.body);
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError('invalid_request', 'The request body ended before it was complete.', { cause });
  }
}

/** Strict UTF-8; a byte order mark is dropped. Whole texts leave no state behind, so one decoder serves all. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

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

/** Refuses keys that could reach an object's prototype where fields are copied or merged, here or further up. */
function checkKey(key: string, value: unknown): void {
  const isPollution =
    key === '__proto__' ||
    // A schema may well name a property `constructor`; only the way through it is an attack.
    (key === 'constructor' && typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype'));
  if (isPollution) throw new GatewayError('invalid_request', `The key '${key}' is not allowed in a request.`, { param: key });
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

/**
 * Reads a JSON body. Throws GatewayError: `payload_too_large`, `unsupported_media_type`, `invalid_json`, and `invalid_request`
 * for nesting beyond 64 levels and keys that reach prototypes. Of duplicate keys the last counts, as JSON.parse has it.
 */
export async function readBody(request: Request): Promise<unknown> {
  let bytes: Uint8Array;
  try {
    checkHeaders(request.headers);
    bytes = await readBytes(request);
  } catch (refusal) {
    await drain(request.body);
    throw refusal;
  }
  const body = parse(decode(bytes));
  checkShape(body, 1);
  return body;
}
