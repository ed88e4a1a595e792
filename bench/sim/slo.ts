/** The service level objective that goodput is counted by (docs/routing.md). */
import type { RequestResult } from '#bench/sim/contract';

const TTFT_MS = 3_000;
const TTFT_MS_PER_PROMPT_TOKEN = 1_000 / 4_000;
/** Mean time between tokens, ms. */
export const SLO_TPOT_MS = 60;

/** Milliseconds to the first token that are in order: 3 s, and 1 s more for every 4,000 prompt tokens. */
export function sloTtftMs(promptTokens: number): number {
  return TTFT_MS + promptTokens * TTFT_MS_PER_PROMPT_TOKEN;
}

/** Tells whether a client got a whole answer in time: the first token and the mean pace. */
export function isGood({ outcome, ttftMs, tpotMs, request }: RequestResult): boolean {
  return outcome === 'completed' && ttftMs !== null && ttftMs <= sloTtftMs(request.promptTokens) && (tpotMs ?? 0) <= SLO_TPOT_MS;
}
