/**
 * The clock of one attempt: first token, stalls, deadline and a leaving client all end it through one AbortSignal.
 * One timer that re-arms itself, because a timer per event would cost more than the event.
 */
import type { AttemptFailure, AttemptFailureKind } from '#schema/attempt';

/** Upstream comments prove a live connection, not progress: they extend a stall to this at most. */
const COMMENTS_EXTEND_MS_MAX = 30_000;

export interface WatchdogOptions {
  now(): number;
  /** How long until the first real event, or the whole JSON answer. */
  firstTokenTimeoutMs: number;
  /** Absolute end of the whole request, epoch milliseconds. */
  deadlineAtMs: number;
  /** Aborts when the client leaves. */
  clientSignal: AbortSignal;
}

export interface Watchdog {
  signal: AbortSignal;
  /** Why the attempt was ended; null while it runs or when the upstream itself failed. */
  verdict(): AttemptFailure | null;
  /** The upstream is asked for its next piece of content: `stallTimeoutMs` may pass until it comes. */
  progress(stallTimeoutMs: number): void;
  /** The upstream is waiting for the client: until the next `progress` only the deadline counts. */
  pause(): void;
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

/** Starts watching one attempt. */
export function createWatchdog(options: WatchdogOptions): Watchdog {
  const controller = new AbortController();
  const startedAtMs = options.now();
  let failure: AttemptFailure | null = null;
  let waitingFor: keyof typeof TIMEOUT_DETAIL = 'timeout_first_token';
  let progressAtMs = startedAtMs;
  let stallMs = options.firstTokenTimeoutMs;
  let isPaused = false;
  let expiresAtMs = Math.min(startedAtMs + options.firstTokenTimeoutMs, options.deadlineAtMs);
  let timer: ReturnType<typeof setTimeout> | undefined;

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
    arm(nowMs);
  };
  const arm = (nowMs: number) => {
    timer = setTimeout(check, Math.max(1, expiresAtMs - nowMs));
  };
  const onClientLeft = () => abort('cancelled', 'the client left');
  const stop = () => {
    clearTimeout(timer);
    options.clientSignal.removeEventListener('abort', onClientLeft);
  };

  options.clientSignal.addEventListener('abort', onClientLeft);
  if (options.clientSignal.aborted) onClientLeft();
  else arm(startedAtMs);

  return {
    signal: controller.signal,
    verdict: () => failure,
    progress(stallTimeoutMs) {
      const nowMs = options.now();
      waitingFor = 'timeout_stall';
      isPaused = false;
      progressAtMs = nowMs;
      stallMs = stallTimeoutMs;
      const untilMs = Math.min(nowMs + stallMs, options.deadlineAtMs);
      // The first token may have waited under a longer limit than a stall may take.
      if (untilMs < expiresAtMs) {
        expiresAtMs = untilMs;
        clearTimeout(timer);
        arm(nowMs);
      }
      expiresAtMs = untilMs;
    },
    pause() {
      isPaused = true;
    },
    comment() {
      if (waitingFor === 'timeout_first_token') return;
      expiresAtMs = Math.min(options.now() + stallMs, progressAtMs + Math.max(stallMs, COMMENTS_EXTEND_MS_MAX), options.deadlineAtMs);
    },
    abort,
    stop,
  };
}
