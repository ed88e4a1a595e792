/** Keeps a node connected: dials, listens for silence, comes again with back-off, until it is told to leave or told not to come. */
import { HELLO_TIMEOUT_MS, PING_INTERVAL_MS, SILENCE_LIMIT_MS } from '#schema/node-link';
import type { NodeLoad } from '#schema/node-service';
import type { Timers } from '#schema/timers';
import { afterClose, type LinkEnd } from './after-close.ts';
import { createBackoff, GOOD_LINK_MS } from './backoff.ts';
import { createSession, type Session, type SessionEvent, type SessionPorts } from './session.ts';
import type { Dial, Dialled } from './socket.ts';

/** What happens to the link; `again` is null when nobody comes again. */
export type LinkEvent = SessionEvent | { type: 'unlinked'; reason: string; againInMs: number | null };

export interface LinkPorts extends Omit<SessionPorts, 'socket' | 'on'> {
  /** `ws:` or `wss:` address of the link. */
  url: string;
  dial: Dial;
  timers: Timers;
  /** Milliseconds that only go forward. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  on(event: LinkEvent): void;
}

export interface Link {
  /** Resolves when nobody comes again: with why, or with null after `leave`. */
  over: Promise<string | null>;
  /** Closes the link for good. */
  leave(): void;
  tellLoad(load: NodeLoad | null): void;
  tellDrain(on: boolean): void;
  /** Says anew what stands behind the node. */
  tellStanding(): void;
  readonly isOpen: boolean;
  /** Requests under way. */
  readonly streams: number;
}

/** WebSocket code of a party that leaves as planned; a WebSocket may say no other of RFC 6455 §7.4.1. */
const NORMAL = 1000;

/** Starts to keep a link. */
export function keepLink(ports: LinkPorts): Link {
  const { timers, now, on } = ports;
  const backoff = createBackoff(ports.random);
  const { promise: over, resolve: finish } = Promise.withResolvers<string | null>();
  let hasLeft = false;
  let retry: unknown;
  let current: { session: Session | null; dialled: Dialled; giveUp(): void } | null = null;

  function connect(): void {
    let session: Session | null = null;
    let watch: unknown;
    let isOver = false;
    const dialledAtMs = now();
    let heardAtMs = dialledAtMs;
    let openedAtMs: number | null = null;

    function end(next: ReturnType<typeof afterClose>): void {
      if (isOver) return;
      isOver = true;
      timers.clear(watch);
      session?.lost();
      current = null;
      if (hasLeft) return finish(null);
      if (openedAtMs !== null && now() - openedAtMs >= GOOD_LINK_MS) backoff.reset();
      if (!next.again) {
        on({ type: 'unlinked', reason: next.reason, againInMs: null });
        return finish(next.reason);
      }
      const againInMs = backoff.next(next.retryAfterMs);
      on({ type: 'unlinked', reason: next.reason, againInMs });
      retry = timers.set(connect, againInMs);
    }

    function hear(event: SessionEvent): void {
      if (event.type === 'welcome') openedAtMs = now();
      if (event.type !== 'broken') return on(event);
      const { reason, final } = event;
      end(final ? { again: false, reason } : { again: true, reason, retryAfterMs: null });
    }

    /** Pings, and gives up a connection on which nothing comes any more. */
    function look(): void {
      const silentMs = now() - heardAtMs;
      if (openedAtMs === null && now() - dialledAtMs >= HELLO_TIMEOUT_MS) return dialled.drop('the router does not answer');
      if (silentMs >= SILENCE_LIMIT_MS) return dialled.drop('nothing was heard of the router');
      session?.ping();
      watch = timers.set(look, PING_INTERVAL_MS);
    }

    const dialled = ports.dial(ports.url, {
      opened(made) {
        session = createSession({ ...ports, socket: made, on: hear });
        current = { session, dialled, giveUp };
      },
      received(message) {
        heardAtMs = now();
        session?.receive(message);
      },
      ended: (ended: LinkEnd) => end(afterClose(ended)),
    });
    const giveUp = (): void => end({ again: false, reason: '' });
    if (!isOver) {
      current ??= { session, dialled, giveUp };
      watch = timers.set(look, PING_INTERVAL_MS);
    }
  }

  connect();
  return {
    over,
    leave() {
      if (hasLeft) return;
      hasLeft = true;
      timers.clear(retry);
      const leaving = current;
      if (leaving?.session === null) leaving.dialled.drop('');
      else leaving?.session.leave(NORMAL, 'the node leaves');
      leaving?.giveUp();
      finish(null);
    },
    tellLoad: (load) => current?.session?.tellLoad(load),
    tellStanding: () => current?.session?.tellStanding(),
    tellDrain: (isOn) => current?.session?.tellDrain(isOn),
    get isOpen() {
      return current?.session?.isOpen ?? false;
    },
    get streams() {
      return current?.session?.streams ?? 0;
    },
  };
}
