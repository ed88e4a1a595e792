/** An answer as it is kept: its headers and its bytes in one piece. */

/** Length of the headers' JSON, which comes first. */
const LENGTH_BYTES = 4;
/** What says something about the answer itself. Limits are of the moment, and cross-origin headers are added anew. */
const KEPT_HEADER = /^(content-type|cache-control|request-id|x-(?!ratelimit).+)$/;

/** Packs a successful answer. */
export function packAnswer(headers: Headers, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const kept = [...headers].filter(([name]) => KEPT_HEADER.test(name));
  const head = new TextEncoder().encode(JSON.stringify(kept));
  const packed = new Uint8Array(LENGTH_BYTES + head.byteLength + body.byteLength);
  new DataView(packed.buffer).setUint32(0, head.byteLength);
  packed.set(head, LENGTH_BYTES);
  packed.set(body, LENGTH_BYTES + head.byteLength);
  return packed;
}

/** Unpacks what `packAnswer` made, under the headers that every answer carries. */
export function unpackAnswer(packed: Uint8Array<ArrayBuffer>, answerHeaders: Readonly<Record<string, string>>): Response {
  const headBytes = new DataView(packed.buffer, packed.byteOffset).getUint32(0);
  const body = packed.subarray(LENGTH_BYTES + headBytes);
  const kept = JSON.parse(new TextDecoder().decode(packed.subarray(LENGTH_BYTES, LENGTH_BYTES + headBytes))) as [string, string][];
  const headers = new Headers(answerHeaders);
  for (const [name, value] of kept) headers.set(name, value);
  headers.set('x-headrace-replayed', 'true');
  return new Response(body, { headers });
}
