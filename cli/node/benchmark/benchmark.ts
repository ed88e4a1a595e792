/** Measures an engine before it joins: how soon it begins, how fast it goes on, how much several requests get together. */
import type { NodeSpeed } from '#schema/node-service';
import { writePrompt } from './prompt.ts';
import { isFailure, timeChat, type ChatFailure, type ChatOptions, type TimedChat } from './timed-chat.ts';

export type BenchmarkLength = 'none' | 'short' | 'full';

interface Measure {
  /** Milliseconds for everything. */
  budgetMs: number;
  tokens: number;
  streamsMax: number;
  /** Chats of one stream; the middle one counts. */
  rounds: number;
}

const MEASURES: Readonly<Record<Exclude<BenchmarkLength, 'none'>, Measure>> = {
  short: { budgetMs: 4_000, tokens: 48, streamsMax: 8, rounds: 1 },
  full: { budgetMs: 60_000, tokens: 192, streamsMax: 64, rounds: 3 },
};

/** Tokens of a request of those that run together, about. */
export const LOADED_TOKENS = { inputTokens: 30, outputTokens: 48 } as const;

/** What NodeSpeed is normalised to. */
const PROMPT_TOKENS = 1_150;
/** Streams where nothing says how many sequences the engine runs. */
const STREAMS_DEFAULT = 4;
/** The share of the time that one stream alone may take. */
const ALONE_SHARE = 0.55;
/** Shorter chats seem to follow each other, however they were answered. */
const TELLING_SPAN_MS = 5;
/** Prompts that are too long for the engine are tried again this much shorter. */
const SHRINK = 6;

export interface BenchmarkOptions extends Omit<ChatOptions, 'signal' | 'maxTokens'> {
  length: Exclude<BenchmarkLength, 'none'>;
  /** Requests at once that the engine is made for; null where unknown. */
  maxSequences: number | null;
  context: number | null;
  /** Uniform in [0, 1). */
  random(): number;
}

/** A measurement, or why there is none. `sequences`: requests that it answers at once, where it let others wait for them; else null. */
export type Benchmark = { speed: NodeSpeed; sequences: number | null } | { failure: ChatFailure };

/** Measures one model of an engine. Ends in time whatever the engine does, and never rejects. */
export async function measureEngine(options: BenchmarkOptions): Promise<Benchmark> {
  const { budgetMs, tokens, streamsMax, rounds } = MEASURES[options.length];
  const endsAtMs = options.now() + budgetMs;
  const chat = (words: number, maxTokens: number, shareMs: number): Promise<TimedChat | ChatFailure> =>
    timeChat(writePrompt(words, options.random), { ...options, maxTokens, signal: AbortSignal.timeout(Math.max(1, Math.ceil(shareMs))) });

  let words = options.context === null ? PROMPT_TOKENS : Math.min(PROMPT_TOKENS, Math.floor(options.context * 0.5));
  const alone: TimedChat[] = [];
  let failure: ChatFailure = { status: null, reason: 'there was no time' };
  for (let round = 0; round < rounds; round++) {
    const shareMs = ((endsAtMs - options.now()) * ALONE_SHARE) / (rounds - round);
    let result = await chat(words, tokens, shareMs);
    // Engines whose tokens are shorter than words find the prompt too long.
    while (isFailure(result) && result.status !== null && [400, 413, 422].includes(result.status) && words > SHRINK) {
      words = Math.floor(words / SHRINK);
      result = await chat(words, tokens, (endsAtMs - options.now()) * ALONE_SHARE);
    }
    if (isFailure(result)) failure = result;
    else alone.push(result);
  }
  const [middle] = alone.toSorted((left, right) => left.ttftMs - right.ttftMs).slice(Math.floor(alone.length / 2));
  if (middle === undefined) return { failure };

  const streams = Math.max(1, Math.min(options.maxSequences ?? STREAMS_DEFAULT, streamsMax));
  const startedAtMs = options.now();
  const together = await Promise.all(
    Array.from({ length: streams }, () => chat(LOADED_TOKENS.inputTokens, tokens, endsAtMs - startedAtMs)),
  );
  const served = together.filter((result): result is TimedChat => !isFailure(result));
  const spanMs = options.now() - startedAtMs;
  const written = served.reduce((sum, { completionTokens }) => sum + completionTokens, 0);
  return {
    speed: {
      ttftMs: round3(normalise(middle, words)),
      tpotMs: middle.completionTokens < 2 ? null : round3(middle.spanMs / (middle.completionTokens - 1)),
      throughput:
        served.length === 0 || spanMs <= 0 ? null : { streams: served.length, tokensPerSecond: round3((written / spanMs) * 1_000) },
    },
    sequences: readSequences(served),
  };
}

/**
 * Reads from chats that began together how many are answered at once: engines that queue without a word begin one when another has ended. Null
 * where none waited, and where they were too short to tell.
 */
export function readSequences(chats: readonly TimedChat[]): number | null {
  const telling = chats.filter(({ spanMs }) => spanMs >= TELLING_SPAN_MS);
  const atOnce = telling.map(
    ({ ttftMs: atMs }) => telling.filter((chat) => chat.ttftMs <= atMs && atMs <= chat.ttftMs + chat.spanMs).length,
  );
  const most = Math.max(0, ...atOnce);
  return telling.length < 2 || most === telling.length ? null : most;
}

/** Prefill is taken to grow with the prompt; the engine's own count of its tokens is better than ours of words. */
function normalise({ ttftMs, promptTokens }: TimedChat, words: number): number {
  return Math.min(600_000, ttftMs * (PROMPT_TOKENS / (promptTokens ?? words)));
}

function round3(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
