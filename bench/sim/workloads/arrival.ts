/** One request of a workload as traces state it; every reader and every generator makes these. */

/** `atMs` from the start of the workload; `blocks` are ids of the prompt's prefix blocks, first block first. */
export interface Arrival {
  atMs: number;
  promptTokens: number;
  completionTokens: number;
  /** Blocks of 512 tokens that are equal where ids are equal; absent where the trace doesn't tell. */
  blocks?: readonly number[];
  /** The caller names the conversation (`session_id`); else it is recognised by the first blocks. */
  conversation?: string;
}

/** Tokens of one prefix block, as the Mooncake traces count them. */
export const BLOCK_TOKENS = 512;

/** What part of a trace to play: the first minutes of it, so many requests, so many times as fast. */
export interface Window {
  requestsMax: number;
  minutesMax: number;
  speed: number;
}

/** Cuts arrivals to the window and lets them start at 0. Sorts by time: traces are merged from many machines. */
export function cutWindow(arrivals: readonly Arrival[], { requestsMax, minutesMax, speed }: Window): Arrival[] {
  const ordered = arrivals.toSorted((left, right) => left.atMs - right.atMs);
  const startMs = ordered[0]?.atMs ?? 0;
  const endMs = startMs + minutesMax * 60_000;
  const kept: Arrival[] = [];
  for (const arrival of ordered) {
    if (kept.length >= requestsMax || arrival.atMs > endMs) break;
    kept.push({ ...arrival, atMs: (arrival.atMs - startMs) / speed });
  }
  return kept;
}
