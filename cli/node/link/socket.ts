/** The WebSocket to a router, as a session wants it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { LinkEnd } from './after-close.ts';
import type { LinkSocket } from './session.ts';
import { watchDialling } from './watch-dialling.ts';

/** What a connection reports. `ended` comes exactly once, last. */
export interface SocketHandlers {
  opened(socket: LinkSocket): void;
  received(message: string | ArrayBuffer): void;
  ended(end: LinkEnd): void;
}

/** A connection that can be given up. */
export interface Dialled {
  /** Ends it without waiting for the other side. */
  drop(reason: string): void;
}

/** Opens a connection. */
export type Dial = (url: string, handlers: SocketHandlers) => Dialled;

/** WebSocket code of a connection that ended without a word. RFC 6455 §7.4.1. */
const ABNORMAL = 1006;
const NORMAL = 1000;
const REASON_CHARS_MAX = 100;
/** A router that does not answer a close is hung up on. */
const CLOSING_MS_MAX = 2_000;
/** Bytes that wait for the network before bodies wait, too. */
const WAITING_BYTES_MAX = 1024 * 1024;
const WAITING_LOOK_MS = 10;

/** Dials with Node's own WebSocket. */
export const dial: Dial = (url, handlers) => {
  const dialling = watchDialling(url);
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  let isOver = false;

  function finish(code: number, reason: string): void {
    if (isOver) return;
    isOver = true;
    dialling.stop();
    handlers.ended({ code, reason: reason === '' ? (dialling.failure() ?? '') : reason, refusal: dialling.refusal() });
  }
  function close(code: number, reason: string): void {
    // What a WebSocket takes for a reason: few bytes.
    socket.close(code, reason.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, REASON_CHARS_MAX));
    setTimeout(dialling.hangUp, CLOSING_MS_MAX).unref();
  }
  async function room(): Promise<void> {
    while (socket.readyState === WebSocket.OPEN && socket.bufferedAmount > WAITING_BYTES_MAX) await pause(WAITING_LOOK_MS);
  }

  socket.addEventListener('open', () => {
    dialling.stop();
    handlers.opened({
      send: (message) => void (socket.readyState === WebSocket.OPEN && socket.send(message)),
      room,
      close,
    });
  });
  socket.addEventListener('message', ({ data }) => {
    if (!isOver) handlers.received(data as string | ArrayBuffer);
  });
  // An error is always followed by a close.
  socket.addEventListener('error', () => {});
  socket.addEventListener('close', ({ code, reason }) => finish(code, reason));
  return {
    drop(reason) {
      // First, because closing may be heard of at once, without a reason.
      finish(ABNORMAL, reason);
      close(NORMAL, reason);
      dialling.hangUp();
    },
  };
};
