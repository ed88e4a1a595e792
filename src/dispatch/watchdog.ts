/**
 * The clock of one attempt: first token, stalls, deadline and a leaving client all end it through one AbortSignal.
 * One timer that re-arms itself, because a timer per event would cost more than the event.
 */
import type { AttemptFailure, AttemptFailureKind } from '#schema/attempt';
import type { Timers } from '#schema/timers';

/** Upstream comments prove a live connection, not progress: they extend a stall to this at most. */
const COMMENTS_EXTEND_MS_MAX = 30_000;
/** Between two doubts. */
const DOUBT_EVERY_MS = 500;

export interface WatchdogOptions {
  now(): number;
  timers: Timers;
  /** How long until the first real event, or the whole JSON answer. */
  firstTokenTimeoutMs: number;
  /** Absolute end of the whole request, epoch milliseconds. */
  deadlineAtMs: number;
  /** Aborts when the client leaves. */
  clientSignal: AbortSignal;
  /** After so long without a first token it is asked now and then whether there is any use in waiting for it. */
  doubt?: { afterMs: number; isLost(): boolean };
}

export interface Watchdog {
  signal: AbortSignal;
  /** Why the attempt was ended; null while it runs or when the upstream itself failed. */
  verdict(): AttemptFailure | null;
  /** The first token is there: from now on `stallTimeoutMs` may pass until the next piece of content, counted while we wait for it. */
  commit(stallTimeoutMs: number): void;
  /** The upstream is asked for its next piece. */
  waiting(): void;
  /** It came. A client that takes its time before it asks for more is no stall of the upstream's (I9, R9). */
  arrived(): void;
  /** The upstream sent a comment. */
  comment(): void;
  /** Ends the attempt for a reason of the caller's. */
  abort(kind: AttemptFailureKind, detail: string): void;
  /** The attempt is over; frees the timer and the listener. */
  stop(): void;
}

const TIMEOUT_DETAIL = {
  timeout_first_token: 'no content within the first-token timeout',
  timeout_stall: 'the stream stopped making progress',
  timeout_deadline: 'the deadline of the request passed',
} as const;
const LOST = 'no content, and the endpoint has stopped answering others';

/** Starts watching one attempt. */
export function createWatchdog(options: WatchdogOptions): Watchdog {
  const { timers } = options;
  const controller = new AbortController();
  const startedAtMs = options.now();
  let failure: AttemptFailure | null = null;
  let waitingFor: keyof typeof TIMEOUT_DETAIL = 'timeout_first_token';
  let progressAtMs = startedAtMs;
  let stallMs = options.firstTokenTimeoutMs;
  let isPaused = false;
  let expiresAtMs = Math.min(startedAtMs + options.firstTokenTimeoutMs, options.deadlineAtMs);
  let doubtAtMs = startedAtMs + (options.doubt?.afterMs ?? Infinity);
  let timer: unknown;

  const abort = (kind: AttemptFailureKind, detail: string) => {
    if (controller.signal.aborted) return;
    failure = { kind, origin: 'local', detail };
    stop();
    controller.abort();
  };
  const check = () => {
    const nowMs = options.now();
    if (nowMs >= options.deadlineAtMs) return abort('timeout_deadline', TIMEOUT_DETAIL.timeout_deadline);
    if (isPaused) expiresAtMs = Math.min(nowMs + stallMs, options.deadlineAtMs);
    if (nowMs >= expiresAtMs) return abort(waitingFor, TIMEOUT_DETAIL[waitingFor]);
    if (nowMs >= doubtAtMs) {
      if (options.doubt?.isLost() === true) return abort('timeout_first_token', LOST);
      doubtAtMs = nowMs + DOUBT_EVERY_MS;
    }
    arm(nowMs);
  };
  const arm = (nowMs: number) => {
    timer = timers.set(check, Math.max(1, Math.min(expiresAtMs, doubtAtMs) - nowMs));
  };
  const onClientLeft = () => abort('cancelled', 'the client left');
  const stop = () => {
    timers.clear(timer);
    options.clientSignal.removeEventListener('abort', onClientLeft);
  };

  options.clientSignal.addEventListener('abort', onClientLeft);
  if (options.clientSignal.aborted) onClientLeft();
  else arm(startedAtMs);

  return {
    signal: controller.signal,
    verdict: () => failure,
    commit(stallTimeoutMs) {
      waitingFor = 'timeout_stall';
      doubtAtMs = Infinity;
      stallMs = stallTimeoutMs;
      isPaused = true;
    },
    waiting() {
      if (waitingFor === 'timeout_first_token') return;
      const nowMs = options.now();
      isPaused = false;
      progressAtMs = nowMs;
      const untilMs = Math.min(nowMs + stallMs, options.deadlineAtMs);
      // The first token may have waited under a longer limit than a stall may take.
      if (untilMs < expiresAtMs) {
        timers.clear(timer);
        expiresAtMs = untilMs;
        arm(nowMs);
      }
      expiresAtMs = untilMs;
    },
    arrived() {
      isPaused = waitingFor === 'timeout_stall';
    },
    comment() {
      if (waitingFor === 'timeout_first_token') return;
      expiresAtMs = Math.min(options.now() + stallMs, progressAtMs + Math.max(stallMs, COMMENTS_EXTEND_MS_MAX), options.deadlineAtMs);
    },
    abort,
    stop,
  };
}
