/** A request body in pieces as long as a frame may be. */
import { CHUNK_BYTES_MAX } from '#schema/node-link';

/**
 * Reads a body in pieces that are valid until the next one is asked for. Where the stream fills a buffer that it is lent, they are up to as long
 * as a frame may be: workerd gives 4 KiB at a time by itself, and each piece costs both ends of the link a message. Whoever stops reading lets go of the rest.
 */
export async function* piecesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = byobReaderOf(body);
  if (reader === null) return yield* body;
  let isWhole = false;
  try {
    let buffer = new ArrayBuffer(CHUNK_BYTES_MAX);
    while (true) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (value !== undefined && value.length > 0) yield value;
      isWhole = done;
      if (done || value === undefined) return;
      buffer = value.buffer as ArrayBuffer;
    }
  } finally {
    if (!isWhole) await reader.cancel();
  }
}

function byobReaderOf(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
  try {
    return body.getReader({ mode: 'byob' });
  } catch {
    return null;
  }
}
