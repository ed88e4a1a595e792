/** Dispatches one stream along endpoints that answer or fail at given times, on a clock that the test moves. */
import type { Attempt, AttemptFailureKind } from '#schema/attempt';
import type { PlanRejection } from '#schema/receipt';
import type { CallUpstream } from '#src/dispatch/attempt';
import { dispatch, type DispatchResult } from '#src/dispatch/dispatch';
import { createHedgeBudget, type HedgeBudget } from '#src/dispatch/hedge-budget';
import type { DispatchCandidate, DispatchOrder, DispatchPorts } from '#src/dispatch/order';
import type { AttemptResult } from '#src/dispatch/read-answer';
import { createHealth } from '#src/health/health';
import { whyFull } from '#src/routing/room';
import { NOW_MS } from '#test/support/fake-clock';
import { factsOf, requestOf } from '#test/support/offers';
import { createManualClock } from '#test/support/manual-clock';
import { recording } from './recording.ts';

/** What an endpoint does once it is called: its first token, or a failure, after so long. */
export interface Conduct {
  afterMs: number;
  fails?: AttemptFailureKind;
  /** Goes on when it is aborted. */
  isDeaf?: boolean;
}

export const SILENT: Conduct = { afterMs: Infinity };

/** Ten prompt tokens, and the two tokens of an answer, at the prices of `offerOf`. */
export const PROMPT_NANO_USD = 10 * 100;
export const ANSWER_NANO_USD = PROMPT_NANO_USD + 2 * 400;

export interface RaceSetup {
  order?: Partial<DispatchOrder>;
  ports?: Partial<DispatchPorts>;
  /** Retries left in the budget. */
  retries?: number;
  hedgeBudget?: HedgeBudget;
}

/** Begins one hedged dispatch of 10 prompt tokens. `conduct` is by endpoint id; endpoints that it does not name are refused. */
export function race(candidates: readonly DispatchCandidate[], conduct: Readonly<Record<string, Conduct>>, setup: RaceSetup = {}) {
  const clock = createManualClock();
  const client = new AbortController();
  const flights = recording(createHealth({ now: clock.now, random: () => 0 }));
  const trail: Attempt[] = [];
  const skipped: PlanRejection[] = [];
  const called: string[] = [];
  const aborted: string[] = [];
  const closed: string[] = [];
  const landings = new Map<string, () => void>();
  let retries = setup.retries ?? Infinity;

  const call: CallUpstream = ({ offer: { endpointId }, watchdog }) => {
    const { afterMs, fails, isDeaf = false } = conduct[endpointId] ?? { afterMs: 0, fails: 'connect' };
    const { promise, resolve } = Promise.withResolvers<AttemptResult>();
    called.push(endpointId);
    const land = () => resolve(fails === undefined ? answer() : failed(fails));
    const timer = afterMs === Infinity ? undefined : clock.timers.set(land, afterMs);
    landings.set(endpointId, land);
    const onAbort = () => {
      aborted.push(endpointId);
      if (isDeaf) return;
      clock.timers.clear(timer);
      resolve({ failure: watchdog.verdict() ?? { kind: 'connect', origin: 'local', detail: 'aborted' } });
    };
    if (watchdog.signal.aborted) onAbort();
    else watchdog.signal.addEventListener('abort', onAbort);
    return promise;

    function answer(): AttemptResult {
      return { opened: { kind: 'stream', stream: { next: async () => null, cancel: () => void closed.push(endpointId) } } };
    }
  };

  let result: DispatchResult | undefined;
  const dispatched = dispatch(
    {
      candidates,
      ask: { kind: 'chat', request: requestOf({ stream: true }), native: undefined },
      facts: factsOf({ stream: true }),
      maxAttempts: 4,
      allowFallbacks: true,
      fixedOrder: false,
      hedge: true,
      resume: false,
      deadlineAtMs: NOW_MS + 120_000,
      clientSignal: client.signal,
      trail,
      skipped,
      ...setup.order,
    },
    {
      call,
      now: clock.now,
      timers: clock.timers,
      secret: () => undefined,
      health: flights.recorded,
      retryBudget: { deposit() {}, withdraw: () => retries-- > 0 },
      hedgeBudget: setup.hedgeBudget ?? createHedgeBudget(),
      whyFull,
      ...setup.ports,
    },
  ).then((ended) => (result = ended));

  return {
    ...clock,
    ...flights,
    client,
    trail,
    skipped,
    called,
    aborted,
    closed,
    dispatched,
    /** Lets endpoints answer or fail now, all in the same breath. */
    landNow: (...endpointIds: string[]) => endpointIds.forEach((endpointId) => landings.get(endpointId)?.()),
    /** Null while nobody has answered and somebody still may. */
    servedBy: () => (result === undefined ? null : 'reply' in result ? result.reply.offer.endpointId : result.error.code),
    /** Ends the answer and gives the rows of the trail: who, as what, how it ended, at which cost. */
    async rows() {
      const ended = await dispatched;
      if ('reply' in ended)
        ended.reply.finish({
          outcome: 'completed',
          failure: null,
          usage: { source: 'reported', promptTokens: 10, completionTokens: 2, reasoningTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
          firstTokenAtMs: clock.now(),
        });
      return trail.map(({ endpointId, role, outcome, costNanoUsd }) => [endpointId, role, outcome, costNanoUsd]);
    },
  };
}

function failed(kind: AttemptFailureKind): AttemptResult {
  return { failure: { kind, origin: 'external', detail: `it says ${kind}` } };
}
