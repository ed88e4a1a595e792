/** What an isolate keeps of one board: when it answered, and which endpoints there is something to say about. */
import { isPending } from './timers.ts';

/** An answer older than this counts no more: the isolate goes by what it sees itself. */
const ANSWER_FRESH_MS = 15_000;

/** `Known` is how the isolate knows an endpoint. */
export interface BoardLink<Known> {
  name: string;
  /** False where there are no boards: nothing is kept for reports then. */
  isConnected: boolean;
  /** When the last answer came; -Infinity before the first. */
  answeredAtMs: number;
  activeIsolates: number;
  /** Endpoints with observations or a load that the board has not heard of. */
  changed: Set<Known>;
  /** Endpoints with requests of this isolate. */
  busy: Set<Known>;
  /** Endpoints with few slots that this isolate would use. */
  wantsSlots: Set<Known>;
  /** Half-open endpoints that this isolate would probe. */
  wantsTurn: Set<Known>;
  /** Observations that wait for a report. */
  waiting: number;
  /** The number of the last of them, counted up since the isolate started. */
  lastSequence: number;
  /** Something that other isolates should know soon: a breaker that opened, a refusal, a probe wanted. */
  isUrgent: boolean;
  /** When the last exchange ended; -Infinity before the first. */
  exchangedAtMs: number;
  /** Exchanges in a row that failed. */
  failures: number;
}

/** Starts without an answer. */
export function createBoardLink<Known>(name: string, isConnected: boolean): BoardLink<Known> {
  return {
    name,
    isConnected,
    answeredAtMs: -Infinity,
    activeIsolates: 1,
    changed: new Set(),
    busy: new Set(),
    wantsSlots: new Set(),
    wantsTurn: new Set(),
    waiting: 0,
    lastSequence: 0,
    isUrgent: false,
    exchangedAtMs: -Infinity,
    failures: 0,
  };
}

/** The instant until which the last answer is to be gone by. */
export function freshUntilMs(link: BoardLink<unknown>): number {
  return link.answeredAtMs + ANSWER_FRESH_MS;
}

/** Tells whether the board's last answer is recent enough to go by. */
export function isFresh(link: BoardLink<unknown>, nowMs: number): boolean {
  return isPending(freshUntilMs(link), nowMs, ANSWER_FRESH_MS);
}

/** Tells whether there is anything to report or to ask. */
export function hasNews({ changed, wantsSlots, wantsTurn }: BoardLink<unknown>): boolean {
  return changed.size > 0 || wantsSlots.size > 0 || wantsTurn.size > 0;
}
