/** The network as dispatch sees it: a call into the world, answered by a stream of the common shape. */
import { decodeHttpError } from '#providers/wire/decode-error';
import type { AttemptFailure, AttemptRole } from '#schema/attempt';
import type { ReplyStream, StreamEvent } from '#schema/reply';
import type { AttemptOrder, CallUpstream } from '#src/dispatch/attempt';
import type { AttemptResult } from '#src/dispatch/read-answer';
import { isReal } from '#src/dispatch/real-event';
import type { CallFailure, SimRequest, Stage } from '../contract.ts';

/** One token of every simulated answer: our own count takes such a character for exactly one. */
const TOKEN = '水';

/** Counts the tokens of a piece of a simulated answer. */
export function tokensIn(text: string): number {
  return text.length;
}

/** Creates the port through which dispatch calls upstreams for one request; null stands for canaries. */
export function createUpstream(
  stage: Stage,
  { request, isolate, hearsNodes = true, now }: { request: SimRequest | null; isolate: number; hearsNodes?: boolean; now(): number },
): CallUpstream {
  let calls = 0;
  let live = 0;

  return (order) => {
    const { promise, resolve } = Promise.withResolvers<AttemptResult>();
    const { watchdog } = order;
    const deliveredTokens = tokensIn(order.ask.kind === 'chat' ? (order.ask.continues ?? '') : '');
    const role = request === null ? 'canary' : roleOf({ deliveredTokens, live, calls });
    const pipe = createPipe(order);
    let isOpen = false;
    calls++;
    live++;

    const settle = (result: AttemptResult) => {
      if (isOpen) return;
      isOpen = true;
      live--;
      resolve(result);
    };
    const push = (event: StreamEvent) => {
      pipe.push(event);
      if (isReal(event)) settle({ opened: { kind: 'stream', stream: pipe.stream } });
    };
    const fail = (failure: AttemptFailure) => {
      pipe.push({ kind: 'failure', failure });
      settle({ failure });
    };

    const call = stage.call({
      endpointId: order.offer.endpointId,
      request,
      isolate,
      role,
      deliveredTokens,
      listener: {
        headers: (load) => order.onHeaders(200, hearsNodes ? load : null),
        hollow: () => push(chunk('')),
        tokens(count) {
          push(chunk(TOKEN.repeat(count)));
        },
        ended(failure) {
          watchdog.signal.removeEventListener('abort', leave);
          if (failure !== null) return fail(toAttemptFailure(failure, order, now()));
          push({ ...chunk(''), choices: [{ index: 0, finish_reason: 'stop' }] });
          pipe.push({ kind: 'done' });
        },
      },
    });
    function leave(): void {
      call.cancel();
      fail(watchdog.verdict() ?? { kind: 'connect', origin: 'local', detail: 'the connection broke' });
    }
    watchdog.signal.addEventListener('abort', leave);
    if (watchdog.signal.aborted) leave();
    return promise;
  };
}

/** Dispatch does not say what a call is for, but it shows. */
function roleOf({ deliveredTokens, live, calls }: { deliveredTokens: number; live: number; calls: number }): AttemptRole {
  if (deliveredTokens > 0) return 'resume';
  if (live > 0) return 'hedge';
  return calls > 0 ? 'fallback' : 'first';
}

function chunk(content: string): StreamEvent & { kind: 'chunk' } {
  return {
    kind: 'chunk',
    upstreamId: null,
    choices: [{ index: 0, finish_reason: null, delta: { role: 'assistant', content } }],
    usage: null,
    extra: null,
  };
}

/** A stream whose events are pushed in as they arrive. Nothing comes after a failure or the end. */
function createPipe({ watchdog }: AttemptOrder): { push(event: StreamEvent): void; stream: ReplyStream } {
  let waiting: StreamEvent[] = [];
  let wake: (() => void) | null = null;
  let isOver = false;
  return {
    push(event) {
      if (isOver) return;
      isOver = event.kind === 'failure' || event.kind === 'done';
      waiting.push(event);
      wake?.();
    },
    stream: {
      async next() {
        watchdog.waiting();
        if (waiting.length === 0 && !isOver) await new Promise<void>((resolve) => (wake = resolve));
        watchdog.arrived();
        if (waiting.length === 0) return null;
        const events = waiting;
        waiting = [];
        return events;
      },
      cancel: () => watchdog.abort('cancelled', 'nobody reads the stream any more'),
    },
  };
}

/** Reads what the world says of a failure as the real wire reads it: statuses and Retry-After take their usual way. */
function toAttemptFailure(failure: CallFailure, order: AttemptOrder, nowMs: number): AttemptFailure {
  switch (failure.kind) {
    case 'connection':
      return { kind: 'connect', origin: 'local', detail: 'the connection broke' };
    case 'nonsense':
      return { kind: 'protocol', origin: 'external', status: 200, detail: 'an answer that makes no sense' };
    case 'error':
      return decodeHttpError(failure.status, new Headers(), '', order.target, nowMs);
    case 'refused': {
      const headers = new Headers(failure.retryAfterMs === null ? {} : { 'retry-after': String(failure.retryAfterMs / 1000) });
      return decodeHttpError(failure.status, headers, '', order.target, nowMs);
    }
    default:
      return failure satisfies never;
  }
}
