/**
 * The WebSocket to a router, as a session wants it. It is our own and not the runtime's because what a router may send is bounded here by what the
 * wire allows, and nothing is ever unpacked: a hostile one, or somebody in between, cannot take this machine's memory.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CHUNK_BYTES_MAX, CONTROL_CHARS_MAX } from '#schema/node-link';
import type { LinkEnd } from './after-close.ts';
import { createFrameReader, encodeClose, encodeFrame, FrameError, OPCODE, type Incoming } from './frames.ts';
import type { LinkSocket } from './session.ts';
import { upgrade } from './upgrade.ts';

/** What a connection reports. `ended` comes exactly once, last. */
export interface SocketHandlers {
  opened(socket: LinkSocket): void;
  received(message: string | Uint8Array): void;
  ended(end: LinkEnd): void;
}

/** A connection that can be given up. */
export interface Dialled {
  /** Ends it without waiting for the other side. */
  drop(reason: string): void;
}

/** Opens a connection. */
export type Dial = (url: string, handlers: SocketHandlers) => Dialled;

/** WebSocket codes of a connection that ended without a word, and of one that was closed as planned. RFC 6455 §7.4.1. */
const ABNORMAL = 1006;
const NORMAL = 1000;
const REASON_CHARS_MAX = 100;
/** A router that does not answer a close is hung up on. */
const CLOSING_MS_MAX = 2_000;
/** Bytes that wait for the network before bodies wait, too. */
const WAITING_BYTES_MAX = 1024 * 1024;

/** The longest messages of the wire: a control frame, every character of it as long as UTF-8 makes one; a piece of a body with its head. */
const LIMITS = { textBytesMax: 3 * CONTROL_CHARS_MAX, binaryBytesMax: 5 + CHUNK_BYTES_MAX };

/** Dials a router. */
export const dial: Dial = (url, handlers) => {
  let connection: Duplex | null = null;
  let isOver = false;
  let closed: { code: number; reason: string } | null = null;
  /** Resolves when the network has taken what waited for it, or takes nothing more; one for all streams that wait. */
  let drained = Promise.withResolvers<void>();

  function finish(end: Partial<LinkEnd>): void {
    if (isOver) return;
    isOver = true;
    handlers.ended({ code: ABNORMAL, reason: '', refusal: null, ...end });
  }

  const giveUp = upgrade(url, (upgraded) => {
    if ('connection' in upgraded) open(upgraded.connection, upgraded.first);
    else finish('refusal' in upgraded ? { refusal: upgraded.refusal } : { reason: upgraded.failure });
  });

  function open(made: Duplex, first: Buffer): void {
    connection = made;
    if (made instanceof Socket) made.setNoDelay(true).setTimeout(0);
    const read = createFrameReader(LIMITS);
    const take = (bytes: Buffer): void => {
      if (isOver) return;
      try {
        for (const incoming of read(bytes)) hear(incoming);
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        finish({ reason: `the router sent ${error.message}` });
        close(error.code, error.message);
        made.destroy();
      }
    };
    // Whatever goes wrong, `close` follows.
    made.on('error', () => undefined);
    made.on('close', () => finish(closed ?? {}));
    made.on('drain', wake).on('close', wake);
    handlers.opened({ send, room, close });
    if (first.length > 0) take(first);
    made.on('data', take);
  }

  function wake(): void {
    drained.resolve();
    drained = Promise.withResolvers<void>();
  }

  function hear(incoming: Incoming): void {
    if (isOver || closed !== null) return;
    if (incoming.kind === 'text') handlers.received(incoming.text);
    else if (incoming.kind === 'binary') handlers.received(incoming.bytes);
    else if (incoming.kind === 'ping') answerPing(incoming.payload);
    else if (incoming.kind === 'close') {
      closed = incoming;
      finish({ code: incoming.code, reason: incoming.reason });
      // Both have said it: nothing more is worth waiting for.
      if (connection?.writable === true) connection.end(encodeClose(NORMAL, ''), () => connection?.destroy());
      else connection?.destroy();
    }
  }

  /** Of pings that come faster than their answers go, only some are answered, as RFC 6455 §5.5.3 allows: who does not read would fill this machine. */
  function answerPing(payload: Uint8Array): void {
    if (connection !== null && connection.writableLength <= WAITING_BYTES_MAX) connection.write(encodeFrame(OPCODE.pong, payload));
  }

  function send(message: string | Uint8Array<ArrayBuffer>): void {
    if (connection === null || !connection.writable) return;
    const [opcode, payload] = typeof message === 'string' ? [OPCODE.text, Buffer.from(message)] : [OPCODE.binary, message];
    connection.write(encodeFrame(opcode, payload));
  }

  async function room(): Promise<void> {
    while (connection?.writable === true && connection.writableLength > WAITING_BYTES_MAX) await drained.promise;
  }

  function close(code: number, reason: string): void {
    const made = connection;
    if (made === null || !made.writable) return;
    // What a WebSocket takes for a reason: few bytes.
    made.end(encodeClose(code, reason.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, REASON_CHARS_MAX)));
    setTimeout(() => made.destroy(), CLOSING_MS_MAX).unref();
  }

  return {
    drop(reason) {
      finish({ reason });
      giveUp();
      close(NORMAL, reason);
      connection?.destroy();
    },
  };
};
