/** Opens a WebSocket connection as a client. RFC 6455 §4.1. */
import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { readRetryAfterMs } from '#providers/wire/retry-after';
import { sayConnectFailure } from '../../router/connect-failure.ts';
import { readVersion } from '../../version.ts';
import type { LinkEnd } from './after-close.ts';

/** How an attempt turned out: a connection with what had come already; an HTTP answer that refuses; or words. */
export type Upgraded =
  | { connection: Duplex; first: Buffer }
  | { refusal: NonNullable<LinkEnd['refusal']> }
  /** Empty where somebody has simply hung up. */
  | { failure: string };

/** Appended to the key before it is hashed. RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** A router sends a handful of headers. */
const HEADER_BYTES_MAX = 16 * 1024;

/** Asks for an upgrade at a `ws:` or `wss:` address; follows nobody anywhere. `told` is called once. Returns how to give up. */
export function upgrade(url: string, told: (upgraded: Upgraded) => void): () => void {
  const key = randomBytes(16).toString('base64');
  const target = new URL(url.replace(/^ws/, 'http'));
  const options = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': key,
      'sec-websocket-version': '13',
      'user-agent': `headrace/${readVersion()}`,
    },
  };
  const request = target.protocol === 'https:' ? httpsRequest(target.href, options) : httpRequest(target.href, options);
  let isOver = false;
  const end = (upgraded: Upgraded): void => {
    if (isOver) return;
    isOver = true;
    told(upgraded);
  };
  request.on('upgrade', (answer, connection, first) => {
    if (isAgreed(answer, key) && !isOver) return end({ connection, first });
    connection.destroy();
    end({ failure: 'it does not answer like a router' });
  });
  request.on('response', (answer) => {
    end({ refusal: { status: answer.statusCode ?? 0, retryAfterMs: readRetryAfter(answer) } });
    request.destroy();
  });
  request.on('error', (error: NodeJS.ErrnoException) => end({ failure: error.code === 'ECONNRESET' ? '' : sayConnectFailure(error) }));
  request.end();
  return () => {
    isOver = true;
    request.destroy();
  };
}

function isAgreed({ headers }: IncomingMessage, key: string): boolean {
  const expected = createHash('sha1').update(`${key}${GUID}`).digest('base64');
  // An extension that nobody has asked for would change what frames mean.
  return headers['sec-websocket-accept'] === expected && headers['sec-websocket-extensions'] === undefined;
}

function readRetryAfter({ headers }: IncomingMessage): number | null {
  return readRetryAfterMs(new Headers({ 'retry-after': headers['retry-after'] ?? '' }), Date.now()) ?? null;
}
