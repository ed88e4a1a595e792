/** One endpoint while it runs: its card, what is switched on, what it holds and what it has counted. */
import { decodeStepMs, poolTokens, BLOCK_TOKENS } from './capacity.ts';
import type { EndpointCard } from './card.ts';
import type { FaultName } from './faults.ts';
import { createHistogram, type Histogram } from './histogram.ts';
import { createPrefixCache, type PrefixCache } from './prefix-cache.ts';
import { createRateWindow, type RateWindow } from './rate-window.ts';
import { drawLognormal, type Random } from './random.ts';
import { createSlots, type Slots } from './slots.ts';

/** Blocks that an endpoint without a stated cache remembers. */
const PREFIX_BLOCKS_DEFAULT = 16_384;
// A supplier's pace stretches by 60 % when it is full, its prefill by half: the simulator's load curve.
const TPOT_LOAD_FACTOR = 0.6;
const PREFILL_LOAD_FACTOR = 0.5;
const SLOW_FACTOR = 10;
/** Faults in the middle of an answer strike at its half unless told otherwise. */
export const CUT_DEFAULT = 0.5;

/** Counts what happened at one endpoint since it started or was reset. */
export interface Counters {
  /** Inference requests that arrived. */
  requests: number;
  completed: number;
  /** Ended by a fault. */
  faulted: number;
  /** Answered with a 4xx for what they asked. */
  rejected: number;
  /** Turned away for want of capacity or rate. */
  refused: number;
  /** Left by the client before the end. */
  cancelled: number;
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  redirectsFollowed: number;
}

/** How a request ended; each is a counter. */
export type Ending = 'completed' | 'faulted' | 'rejected' | 'refused' | 'cancelled';

/** Holds the live state of one endpoint. */
export interface Endpoint {
  readonly card: EndpointCard;
  /** Faults that the control endpoint switched on. */
  faults: ReadonlySet<FaultName>;
  /** Whether the habits of the card strike. */
  habits: boolean;
  /** Divides every pause. */
  speed: number;
  /** Where in an answer the faults strike that strike in the middle, as a share of it. */
  cut: number;
  counters: Counters;
  /** Choices by finish reason, and refusals by the limit that was reached. */
  readonly finished: Map<string, number>;
  readonly rejections: Map<string, number>;
  readonly slots: Slots;
  readonly prefixCache: PrefixCache;
  readonly rateWindow: RateWindow | null;
  readonly ttft: Histogram;
  readonly tpot: Histogram;
}

/** Creates counters at zero. */
export function createCounters(): Counters {
  return {
    requests: 0,
    completed: 0,
    faulted: 0,
    rejected: 0,
    refused: 0,
    cancelled: 0,
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    redirectsFollowed: 0,
  };
}

/** Brings a card to life, idle and healthy. */
export function createEndpoint(card: EndpointCard, speed: number): Endpoint {
  const pool = card.node === null ? Number.POSITIVE_INFINITY : poolTokens(card.node);
  return {
    card,
    faults: new Set(),
    habits: true,
    speed,
    cut: CUT_DEFAULT,
    counters: createCounters(),
    finished: new Map(),
    rejections: new Map(),
    slots: createSlots(card.limits, pool),
    prefixCache: createPrefixCache(Number.isFinite(pool) ? pool / BLOCK_TOKENS : PREFIX_BLOCKS_DEFAULT),
    rateWindow: card.rates === null ? null : createRateWindow(card.rates),
    ttft: createHistogram(),
    tpot: createHistogram(),
  };
}

function loadOf(endpoint: Endpoint): number {
  return Math.min(1, endpoint.slots.runningSequences() / endpoint.card.limits.runningMax);
}

/** Draws the simulated milliseconds to the first token for so many tokens that are not in the cache. */
export function drawTtftMs(endpoint: Endpoint, uncachedTokens: number, slow: boolean, random: Random): number {
  const { pace } = endpoint.card;
  const prefillMs = (1000 * uncachedTokens * (1 + PREFILL_LOAD_FACTOR * loadOf(endpoint))) / pace.prefillTokensPerSecond;
  return (drawLognormal(random, pace.ttftMsP50, pace.ttftSigma) + prefillMs) * (slow ? SLOW_FACTOR : 1);
}

/** Computes the simulated milliseconds per output token at the present load. */
export function tpotMs(endpoint: Endpoint, slow: boolean): number {
  const { card, slots } = endpoint;
  const paceMs =
    card.node === null
      ? card.pace.tpotMs * (1 + TPOT_LOAD_FACTOR * loadOf(endpoint))
      : decodeStepMs(card.node, Math.max(1, slots.runningSequences()), slots.heldTokens());
  return paceMs * (slow ? SLOW_FACTOR : 1);
}
