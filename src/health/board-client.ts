/**
 * The isolate's side of the boards: reports what was seen here, and takes over what all have seen. No request waits for it; a board that
 * is slow, dead or of another version leaves the isolate with what it knows.
 */
import { RUNTIME_TIMERS, type Timers } from '#schema/timers';
import { within } from '#schema/within';
import { checkAnswer, ENDPOINTS_OF_MESSAGE_MAX } from './board-check.ts';
import { hasNews, type BoardLink } from './board-link.ts';
import { BOARD_PROTOCOL, type BoardAnswer, type BoardPort, type BoardReport, type EndpointReport } from './board-port.ts';
import type { KnownEndpoint } from './known-endpoint.ts';
import { cut } from './outbox.ts';
import { elapsedMs, isPending } from './timers.ts';

const EXCHANGE_INTERVAL_MS = 2_000;
/** Between two exchanges with one board when others should hear soon, or much has come together. */
const EXCHANGE_SOON_MS = 200;
const MUCH_WAITING = 50;
const EXCHANGE_TIMEOUT_MS = 1_500;
const FAILED_BASE_MS = 2_000;
const FAILED_MAX_MS = 30_000;
/** A sync that has not ended this long after it was due is taken to have been torn down with its request. */
const GIVEN_UP_MS = 10_000;

/** What the client may use. */
export interface BoardClientPorts {
  now(): number;
  timers?: Timers;
  /** How long news may wait that is neither urgent nor much; 2 s unless stated. */
  exchangeIntervalMs?: number;
  /** A board by name. Asked anew for every call: Workers tie a stub to the request that made it. */
  board(name: string): BoardPort;
  isolateId: string;
  log?(event: Record<string, unknown>): void;
  links(): Iterable<BoardLink<KnownEndpoint>>;
  /** Takes an answer over. `sentAtMs` is when its report was made; `upTo` numbers the last observation that was reported. */
  adopt(link: BoardLink<KnownEndpoint>, answer: BoardAnswer, sent: Sent): void;
}

/** What a report has told of. */
export interface Sent {
  atMs: number;
  /** The number of the last observation by then. */
  upTo: number;
  /** The requests of this isolate that were reported, and their tokens, by endpoint. */
  loads: ReadonlyMap<KnownEndpoint, OwnLoad>;
}

interface OwnLoad {
  inFlight: number;
  tokens: number;
}

/** Creates the client; its `sync` is that of `Health`. */
export function createBoardClient(ports: BoardClientPorts): { sync(): Promise<void> | null } {
  const { now, timers = RUNTIME_TIMERS, exchangeIntervalMs = EXCHANGE_INTERVAL_MS } = ports;
  /** The sync that is waiting or at work. `isAsked`: another request wanted one meanwhile. */
  let running: { dueAtMs: number; isAsked: boolean } | null = null;

  function sync(): Promise<void> | null {
    const nowMs = now();
    const dueAtMs = nextDueMs(nowMs);
    if (dueAtMs === null) return null;
    if (running !== null && running.dueAtMs <= dueAtMs && isPending(running.dueAtMs + GIVEN_UP_MS, nowMs, GIVEN_UP_MS + FAILED_MAX_MS)) {
      running.isAsked = true;
      return null;
    }
    running = { dueAtMs, isAsked: false };
    const mine = running;
    return work(mine)
      .catch((error: unknown) => ports.log?.({ event: 'health_sync_failed', error: error instanceof Error ? error.name : 'unknown' }))
      .finally(() => {
        if (running === mine) running = null;
      });
  }

  /** Waits and exchanges; once more for those who asked meanwhile, so that the last of a burst is told, too. */
  async function work(mine: NonNullable<typeof running>): Promise<void> {
    const startedAtMs = now();
    for (;;) {
      await pause(mine.dueAtMs - now());
      // One that is due earlier has taken over.
      if (running !== mine) return;
      mine.isAsked = false;
      const nowMs = now();
      await Promise.all([...ports.links()].filter((link) => hasNews(link) && !isResting(link, nowMs)).map(exchange));
      if (running !== mine) return;
      const dueAtMs = mine.isAsked && elapsedMs(startedAtMs, now()) < GIVEN_UP_MS ? nextDueMs(now()) : null;
      if (dueAtMs === null) return;
      mine.dueAtMs = dueAtMs;
    }
  }

  async function exchange(link: BoardLink<KnownEndpoint>): Promise<void> {
    const sent: Sent = { atMs: now(), upTo: link.lastSequence, loads: loadsOf(link) };
    const report = reportOf(link, sent);
    link.isUrgent = false;
    // A board that cannot even be opened is one that fails.
    const asked = Promise.resolve().then(() => ports.board(link.name).exchange(report));
    const answer = await within(asked, EXCHANGE_TIMEOUT_MS, timers).then(checkAnswer, () => null);
    link.exchangedAtMs = now();
    if (answer === null) {
      if (link.failures++ === 0) ports.log?.({ event: 'health_board_unavailable', board: link.name });
      return;
    }
    if (link.failures > 0) ports.log?.({ event: 'health_board_back', board: link.name });
    link.failures = 0;
    ports.adopt(link, answer, sent);
  }

  function reportOf(link: BoardLink<KnownEndpoint>, { atMs, loads }: Sent): BoardReport {
    const slotsWanted = [...link.wantsSlots].slice(0, ENDPOINTS_OF_MESSAGE_MAX).map((known) => {
      return { endpointId: known.endpointId, slots: known.peakInFlight + 1 };
    });
    link.wantsSlots.clear();
    link.wantsTurn.clear();
    return {
      protocol: BOARD_PROTOCOL,
      isolateId: ports.isolateId,
      board: link.name,
      answerAgeMs: link.answeredAtMs === -Infinity ? null : elapsedMs(link.answeredAtMs, atMs),
      endpoints: [...loads.keys()].map((known) => endpointReport(known, atMs)),
      slotsWanted,
    };
  }

  /** The earliest that any board is due; null when there is nothing to tell or ask. */
  function nextDueMs(nowMs: number): number | null {
    let earliest: number | null = null;
    for (const link of ports.links()) {
      if (!hasNews(link)) continue;
      const dueAtMs = Math.max(nowMs, dueMs(link, nowMs));
      earliest = earliest === null ? dueAtMs : Math.min(earliest, dueAtMs);
    }
    return earliest;
  }

  function dueMs(link: BoardLink<KnownEndpoint>, nowMs: number): number {
    if (link.exchangedAtMs === -Infinity || link.exchangedAtMs > nowMs) return nowMs;
    if (link.failures > 0) return link.exchangedAtMs + restMs(link);
    const isSoon = link.isUrgent || link.waiting >= MUCH_WAITING;
    return link.exchangedAtMs + (isSoon ? EXCHANGE_SOON_MS : exchangeIntervalMs);
  }

  function isResting(link: BoardLink<KnownEndpoint>, nowMs: number): boolean {
    return link.failures > 0 && dueMs(link, nowMs) > nowMs;
  }

  function pause(delayMs: number): Promise<void> {
    return delayMs <= 0 ? Promise.resolve() : new Promise((resolve) => timers.set(resolve, delayMs));
  }

  return { sync };
}

/** The endpoints that a report tells of, with their loads: what has changed first, then what is busy, so that the board keeps its count. */
function loadsOf({ changed, busy, wantsTurn }: BoardLink<KnownEndpoint>): Map<KnownEndpoint, OwnLoad> {
  const loads = new Map<KnownEndpoint, OwnLoad>();
  for (const known of [...changed, ...wantsTurn, ...busy]) {
    if (loads.size >= ENDPOINTS_OF_MESSAGE_MAX) break;
    loads.set(known, { inFlight: known.inFlight, tokens: known.inFlightTokens });
  }
  return loads;
}

function endpointReport({ endpointId, state, inFlight, inFlightTokens, outbox }: KnownEndpoint, nowMs: number): EndpointReport {
  return { endpointId, ...state.terms, inFlight, inFlightTokens, observations: cut(outbox, nowMs) };
}

/** 2-4-8 … 30 s after exchanges that failed. */
function restMs({ failures }: BoardLink<KnownEndpoint>): number {
  return Math.min(FAILED_MAX_MS, FAILED_BASE_MS * 2 ** Math.min(failures - 1, 10));
}
