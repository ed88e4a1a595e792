/** The little HTTP that everything here shares: bounded reading, JSON answers, writing with back-pressure. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Endpoint } from './endpoint.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** Largest body that is read. */
const BODY_BYTES_MAX = 20 * 2 ** 20;

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

/** Reads the body as JSON. Says `too_large` above 20 MiB, `invalid` for what is not UTF-8 JSON, and `gone` when the client left. */
export async function readJson(request: IncomingMessage): Promise<{ value: unknown } | 'too_large' | 'invalid' | 'gone'> {
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
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(Buffer.concat(chunks))) };
  } catch {
    return 'invalid';
  }
}

/** Answers with JSON and ends the response. */
export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** Writes a piece and waits while the client reads slowly. False when the connection is gone. */
export async function writePiece(response: ServerResponse, piece: string, signal: AbortSignal): Promise<boolean> {
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
export function writeAndDestroy(response: ServerResponse, piece: string): Promise<void> {
  return new Promise((resolve) => {
    response.write(piece, () => {
      response.destroy();
      resolve();
    });
  });
}
