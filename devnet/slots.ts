/** Admission at one endpoint, as vLLM does it: run while sequences and KV tokens allow, wait in order, refuse what exceeds the queue. */
import { BLOCK_TOKENS } from './capacity.ts';
import type { Limits } from './card.ts';

/** Holds the room of one request until released. */
export interface Slot {
  /** Resolves when the request begins to run, or when it is released while it waits. */
  running: Promise<void>;
  /** Frees the room at once and lets the next ones run. Later calls do nothing. */
  release(): void;
}

/** Admits requests and counts them. Token figures are the KV tokens that are held, in whole blocks. */
export interface Slots {
  /** Takes a request in, or says which limit refuses it. */
  admit(wish: { sequences: number; tokens: number }): Slot | 'requests' | 'tokens';
  runningSequences(): number;
  waitingSequences(): number;
  heldTokens(): number;
  readonly poolTokens: number;
}

interface Claim {
  sequences: number;
  tokens: number;
  start: () => void;
}

/** Creates empty slots over a pool of `poolTokens` (Infinity where the cache is not the endpoint's limit). */
export function createSlots(limits: Limits, poolTokens: number): Slots {
  const running = new Set<Claim>();
  // A set keeps arrival order and forgets a claim that leaves the queue without a scan.
  const waiting = new Set<Claim>();
  const sumOf = (claims: Iterable<Claim>, field: 'sequences' | 'tokens'): number => {
    let sum = 0;
    for (const claim of claims) sum += claim[field];
    return sum;
  };
  const fits = (claim: Claim): boolean =>
    sumOf(running, 'sequences') + claim.sequences <= limits.runningMax && sumOf(running, 'tokens') + claim.tokens <= poolTokens;

  const startWaiting = (): void => {
    for (const claim of waiting) {
      if (!fits(claim)) return;
      waiting.delete(claim);
      running.add(claim);
      claim.start();
    }
  };

  return {
    poolTokens,
    admit({ sequences, tokens }) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const claim: Claim = { sequences, tokens: Math.ceil(tokens / BLOCK_TOKENS) * BLOCK_TOKENS, start: resolve };
      if (sumOf(running, 'sequences') + sumOf(waiting, 'sequences') + sequences > limits.inFlightMax) return 'requests';
      if (claim.tokens > poolTokens) return 'tokens';
      const startsNow = waiting.size === 0 && fits(claim);
      if (!startsNow && sumOf(waiting, 'tokens') + claim.tokens > limits.queuedTokensMax) return 'tokens';
      waiting.add(claim);
      startWaiting();
      return {
        running: promise,
        release() {
          if (waiting.delete(claim) || running.delete(claim)) startWaiting();
          resolve();
        },
      };
    },
    runningSequences: () => sumOf(running, 'sequences'),
    waitingSequences: () => sumOf(waiting, 'sequences'),
    heldTokens: () => sumOf(running, 'tokens'),
  };
}
