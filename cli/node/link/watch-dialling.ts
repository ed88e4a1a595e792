/** What a WebSocket itself tells nobody: the HTTP answer to a connection that was refused, why none was made, and how to hang up on a router that does not. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { readRetryAfterMs } from '#providers/wire/retry-after';
import { sayConnectFailure } from '../../connect-failure.ts';
import type { LinkEnd } from './after-close.ts';

export interface Dialling {
  /** The HTTP answer to a refused connection; null where there was none. */
  refusal(): LinkEnd['refusal'];
  /** Why there was no connection, in words; null where there was one. */
  failure(): string | null;
  /** Cuts the connection, if there is one. */
  hangUp(): void;
  /** Listens no more; what was heard stays. */
  stop(): void;
}

interface Request {
  origin?: unknown;
  path?: unknown;
}

const CHANNELS = { sent: 'undici:client:sendHeaders', answered: 'undici:request:headers', failed: 'undici:client:connectError' } as const;

/** Starts to listen to what Node's WebSocket does at an address. Call it before the WebSocket is made. */
export function watchDialling(url: string): Dialling {
  const { origin, pathname, host } = new URL(url.replace(/^ws/, 'http'));
  const isOurs = ({ origin: at, path }: Request): boolean => String(at) === origin && path === pathname;
  let refusal: LinkEnd['refusal'] = null;
  let failure: string | null = null;
  let connection: Socket | null = null;

  const listeners: Record<keyof typeof CHANNELS, (message: unknown) => void> = {
    sent(message) {
      const { request, socket } = message as { request: Request; socket: Socket };
      if (isOurs(request)) connection = socket;
    },
    answered(message) {
      const { request, response } = message as { request: Request; response: { statusCode: number; headers: Uint8Array[] } };
      if (!isOurs(request)) return;
      const names = response.headers.map((field) => Buffer.from(field).toString('latin1'));
      const at = names.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'retry-after');
      const headers = new Headers(at === -1 ? {} : { 'retry-after': names[at + 1] ?? '' });
      refusal = { status: response.statusCode, retryAfterMs: readRetryAfterMs(headers, Date.now()) ?? null };
    },
    failed(message) {
      const { connectParams, error } = message as { connectParams: { host: string }; error: unknown };
      if (connectParams.host === host) failure = sayConnectFailure(error);
    },
  };
  for (const [name, channel] of Object.entries(CHANNELS)) subscribe(channel, listeners[name as keyof typeof CHANNELS]);
  return {
    refusal: () => refusal,
    failure: () => failure,
    hangUp: () => void connection?.destroy(),
    stop() {
      for (const [name, channel] of Object.entries(CHANNELS)) unsubscribe(channel, listeners[name as keyof typeof CHANNELS]);
    },
  };
}
