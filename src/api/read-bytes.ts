/** The bytes of a request, bounded in size and in patience. */
import { GatewayError } from '#schema/error';

/** How much of a refused body is read and forgotten, and for how long, so that its sender gets to see the answer. */
export const DRAIN_BYTES_MAX = 64 * 1024 * 1024;
const DRAIN_MS_MAX = 5_000;

export interface BodyTerms {
  bytesMax: number;
  /** Throws when the media type (lower case, no parameters, empty when absent) is not what is read here. */
  checkType(mediaType: string): void;
}

/** Reads a body. Throws GatewayError: `unsupported_media_type`, `payload_too_large`, `invalid_request` when it breaks off. */
export async function readBytes(request: Request, terms: BodyTerms): Promise<Uint8Array> {
  try {
    checkHeaders(request.headers, terms);
    return await receive(request, terms.bytesMax);
  } catch (refusal) {
    await drain(request.body);
    throw refusal;
  }
}

function checkHeaders(headers: Headers, { bytesMax, checkType }: BodyTerms): void {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') {
    throw new GatewayError('unsupported_media_type', 'Compressed request bodies are not accepted; send the body without Content-Encoding.');
  }
  checkType(headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '');
  if (Number(headers.get('content-length') ?? 0) > bytesMax) throw tooLarge(bytesMax);
}

function tooLarge(bytesMax: number): GatewayError {
  return new GatewayError('payload_too_large', `The request body is larger than ${bytesMax} bytes.`);
}

async function receive(request: Request, bytesMax: number): Promise<Uint8Array> {
  try {
    // The runtime holds a body to its declared length, which checkHeaders has bounded. `body` is not touched: it would cost a stream.
    if (request.headers.has('content-length')) return new Uint8Array(await request.arrayBuffer());
    return request.body === null ? new Uint8Array() : await collect(request.body, bytesMax);
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError('invalid_request', 'The request body ended before it was complete.', { cause });
  }
}

/** Collects a body of unknown length, and stops as soon as it is too long. */
async function collect(body: ReadableStream<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.byteLength;
    if (length > bytesMax) {
      reader.releaseLock();
      throw tooLarge(bytesMax);
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
