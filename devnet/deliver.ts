/** Sends an answer that is given whole, or as much of it as a fault lets through. */
import type { Ending } from './endpoint.ts';
import type { FaultName } from './faults.ts';
import { writeAndDestroy, writePiece, type Exchange } from './http.ts';
import { loadHeaders } from './load.ts';

/** An answer's body, text or bytes. */
export interface Payload {
  contentType: string;
  body: string | Uint8Array;
}

/** Answers 200 with the payload; the faults that strike in the middle of a body leave the first part of it. */
export async function deliverWhole(exchange: Exchange, payload: Payload, faults: ReadonlySet<FaultName>): Promise<Ending> {
  const { endpoint, request, response, scheduler, signal } = exchange;
  const body = Buffer.from(payload.body);
  const part = body.subarray(0, Math.floor(body.length * endpoint.cut));
  const headers = { 'content-type': payload.contentType, ...loadHeaders(endpoint, request) };
  if (faults.has('truncated-json')) {
    response.writeHead(200, headers).end(part);
    return 'faulted';
  }
  response.writeHead(200, { ...headers, 'content-length': String(body.length) });
  if (faults.has('die-mid-stream') || faults.has('die-mid-event')) {
    await writeAndDestroy(response, part);
    return 'faulted';
  }
  if (faults.has('hang-mid-stream')) {
    await writePiece(response, part, signal);
    await scheduler.wait(Number.POSITIVE_INFINITY, signal);
    return 'faulted';
  }
  response.end(body);
  return 'completed';
}
