/** The little HTTP that everything here shares: bounded reading, JSON answers, writing with back-pressure. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Endpoint } from './endpoint.ts';
import type { Refusal } from './error-family.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** Largest body that is read. */
const BODY_BYTES_MAX = 32 * 2 ** 20;

/** Gathers one request to an endpoint and what answering it may use. */
export interface Exchange {
  endpoint: Endpoint;
  request: IncomingMessage;
  response: ServerResponse;
  /** Aborts when the connection is gone before the answer is complete. */
  signal: AbortSignal;
  scheduler: Scheduler;
  random: Random;
  /** Address of this devnet, such as `http://127.0.0.1:9100`. */
  origin: string;
  /** Number of this request, the seed of its ids. */
  serial: number;
}

/** Why a body could not be read: above 32 MiB, not in its format, or the client left. */
export type Unread = 'too_large' | 'invalid' | 'gone';

/** Reads the whole body. */
export async function readBytes(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer> | 'too_large' | 'gone'> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > BODY_BYTES_MAX) return 'too_large';
      chunks.push(chunk);
    }
  } catch {
    return 'gone';
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/** Reads the body as UTF-8 JSON. */
export async function readJson(request: IncomingMessage): Promise<{ value: unknown } | Unread> {
  const bytes = await readBytes(request);
  if (typeof bytes === 'string') return bytes;
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)) };
  } catch {
    return 'invalid';
  }
}

/** Says no to a body that could not be read, or `gone` where nobody is left to hear it. */
export function refuseUnread(reason: Unread, format = 'JSON'): Refusal | 'gone' {
  if (reason === 'gone') return 'gone';
  if (reason === 'too_large') return { status: 413, message: 'The request body is too large.', code: 'request_too_large' };
  return { status: 400, message: `The request body is not valid ${format}.`, code: `invalid_${format.toLowerCase()}` };
}

/** Answers with JSON and ends the response. */
export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** Writes a piece and waits while the client reads slowly. False when the connection is gone. */
export async function writePiece(response: ServerResponse, piece: string | Uint8Array, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted || response.destroyed) return false;
  if (response.write(piece)) return true;
  return new Promise((resolve) => {
    const settle = (): void => {
      response.off('drain', settle);
      signal.removeEventListener('abort', settle);
      resolve(!signal.aborted);
    };
    response.on('drain', settle);
    signal.addEventListener('abort', settle);
  });
}

/** Writes a last piece, lets it leave this process, and destroys the connection. */
export function writeAndDestroy(response: ServerResponse, piece: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    response.write(piece, () => {
      response.destroy();
      resolve();
    });
  });
}
