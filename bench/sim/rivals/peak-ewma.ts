/**
 * Power of two choices over Peak-EWMA loads. Stock, as in Finagle (PeakEwma.scala, RetryBudget.scala): the time of the whole answer, decay 10 s, failures
 * as fast as they are. With penalties, as in Linkerd (load-biaser, http/breaker, 2026): time to the first data frame, 429 and 5xx recorded as
 * Retry-After (at most 300 s) or 5 s, and a breaker after seven failures in a row.
 */
import type { Listing, Stage } from '#bench/sim/contract';
import { drawTwo } from './choice.ts';
import { createPending } from './pending.ts';
import type { Chooser, Ending, Rival } from './rival.ts';

const DECAY_MS = 10_000;
/** Load of an endpoint that is being tried for the first time, so that only one request goes there. */
const UNKNOWN_PENALTY = 1e12;

const RETRY_SHARE = 0.2;
const RETRY_RESERVE_PER_S = 10;
const RETRY_WINDOW_MS = 10_000;

const FAILURE_PENALTY_MS = 5_000;
const RETRY_AFTER_MAX_MS = 300_000;
const FAILURES_IN_A_ROW_MAX = 7;
const EJECTION_MIN_MS = 1_000;
const EJECTION_MAX_MS = 60_000;

/** Finagle's balancer with its retry budget. */
export const PEAK_EWMA: Rival = {
  name: 'p2c-peak-ewma',
  description: 'better of two by Peak-EWMA of the whole answer, retry budget 20 %',
  manners: { retriesMax: 3 },
  open: (stage) => {
    const random = stage.random('p2c-peak-ewma');
    return () => createBalancer(stage, random, (ending) => ending.totalMs);
  },
};

/** Linkerd's balancer with penalties and breaker. */
export const PEAK_EWMA_PENALTY: Rival = {
  name: 'p2c-linkerd',
  description: 'better of two by Peak-EWMA of the first token, failures count as 5 s, breaker',
  manners: { retriesMax: 3 },
  open: (stage) => {
    const random = stage.random('p2c-linkerd');
    return () => {
      const ejections = createEjections(stage, random);
      const balancer = createBalancer(stage, random, penalisedMs);
      return {
        ...balancer,
        pick(request, candidates, retry) {
          const admitted = candidates.filter(({ id }) => !ejections.isOut(id));
          return admitted.length === 0 ? null : balancer.pick(request, admitted, retry);
        },
        ended(endpointId, ending) {
          ejections.record(endpointId, ending.failure === null);
          balancer.ended?.(endpointId, ending);
        },
      };
    };
  },
};

/** What an attempt is recorded as, ms: failures are slow, however fast they came. */
function penalisedMs({ failure, ttftMs, totalMs }: Ending): number {
  if (failure === null) return ttftMs ?? totalMs;
  const retryAfterMs = failure.kind === 'refused' ? failure.retryAfterMs : null;
  return retryAfterMs === null || retryAfterMs < 0 ? FAILURE_PENALTY_MS : Math.min(RETRY_AFTER_MAX_MS, retryAfterMs);
}

function createBalancer(stage: Stage, random: () => number, measure: (ending: Ending) => number): Chooser {
  const pending = createPending();
  const costs = new Map<string, { costMs: number; atMs: number }>();
  const budget = createRetryBudget(stage);
  const costOf = (endpointId: string): number => {
    const cost = costs.get(endpointId);
    return cost === undefined ? 0 : cost.costMs * Math.exp(-(stage.now() - cost.atMs) / DECAY_MS);
  };
  const loadOf = ({ id }: Listing): number => {
    const costMs = costOf(id);
    return costMs === 0 && pending.of(id) > 0 ? UNKNOWN_PENALTY + pending.of(id) : costMs * (pending.of(id) + 1);
  };
  return {
    pick(_request, candidates, retry) {
      if (retry === 0) budget.deposit();
      const pair = drawTwo(candidates, random);
      return pair === null ? null : loadOf(pair[0]) <= loadOf(pair[1]) ? pair[0] : pair[1];
    },
    sent: pending.sent,
    ended(endpointId, ending) {
      pending.ended(endpointId);
      const rttMs = measure(ending);
      const cost = costs.get(endpointId);
      const weight = cost === undefined ? 0 : Math.exp(-(stage.now() - cost.atMs) / DECAY_MS);
      // The peak: slower than believed is believed at once, faster only little by little.
      const costMs = cost === undefined || rttMs > cost.costMs ? rttMs : cost.costMs * weight + rttMs * (1 - weight);
      costs.set(endpointId, { costMs, atMs: stage.now() });
    },
    mayRetry: budget.withdraw,
  };
}

interface RetryBudget {
  deposit(): void;
  withdraw(): boolean;
}

function createRetryBudget(stage: Stage): RetryBudget {
  let deposits: number[] = [];
  let withdrawals: number[] = [];
  return {
    deposit: () => void deposits.push(stage.now()),
    withdraw() {
      const isRecent = (atMs: number): boolean => atMs > stage.now() - RETRY_WINDOW_MS;
      deposits = deposits.filter(isRecent);
      withdrawals = withdrawals.filter(isRecent);
      const allowed = deposits.length * RETRY_SHARE + (RETRY_RESERVE_PER_S * RETRY_WINDOW_MS) / 1_000;
      if (withdrawals.length >= allowed) return false;
      withdrawals.push(stage.now());
      return true;
    },
  };
}

interface Ejections {
  record(endpointId: string, isSuccess: boolean): void;
  isOut(endpointId: string): boolean;
}

/** After too many failures in a row an endpoint rests, twice as long each time; then one more failure sends it back. */
function createEjections(stage: Stage, random: () => number): Ejections {
  const states = new Map<string, { inARow: number; times: number; untilMs: number }>();
  return {
    record(endpointId, isSuccess) {
      const state = states.get(endpointId) ?? { inARow: 0, times: 0, untilMs: 0 };
      if (isSuccess) Object.assign(state, { inARow: 0, times: 0 });
      else if (++state.inARow >= FAILURES_IN_A_ROW_MAX && state.untilMs <= stage.now()) {
        const restMs = Math.min(EJECTION_MAX_MS, EJECTION_MIN_MS * 2 ** state.times);
        state.untilMs = stage.now() + restMs * (1 + 0.5 * random());
        state.times += 1;
      }
      states.set(endpointId, state);
    },
    isOut: (endpointId) => (states.get(endpointId)?.untilMs ?? 0) > stage.now(),
  };
}
