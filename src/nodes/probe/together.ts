/** Several requests at once: how many are taken, and how fast they are together. */
import { everydayRequest } from './everyday.ts';
import { askStream, tokensOf } from './stream.ts';
import type { ProbeRun } from './target.ts';

/** Streams at once at most, whatever is declared. */
export const STREAMS_MAX = 8;
/** What each is asked for; what has not come in time does not count. */
const TOKENS_EACH = { maxTokensLeast: 24, maxTokensMost: 100 };
const WINDOW_MS = 2_000;

export interface TogetherSeen {
  asked: number;
  /** Those that were answered with text. */
  answered: number;
  /** Those that were turned away for want of room. */
  turnedAway: number;
  tokensPerSecond: number | null;
}

/** Asks as many times at once as the endpoint declares, at most eight. Null where it declares one, or there is no time. */
export async function askTogether(run: ProbeRun): Promise<TogetherSeen | null> {
  const asked = Math.min(STREAMS_MAX, run.target.declared.maxConcurrency ?? STREAMS_MAX);
  if (asked < 2) return null;
  const startedAtMs = run.now();
  const answers = await Promise.all(
    Array.from({ length: asked }, () => askStream(run, everydayRequest(run.random, TOKENS_EACH), WINDOW_MS)),
  );
  if (answers.every((answer) => !answer.ok && answer.kind === 'out_of_time')) return null;
  const seen = answers.flatMap((answer) => (answer.ok && answer.value.lastMs !== null ? [answer.value] : []));
  const tookMs = Math.max(0, ...seen.map(({ lastMs }) => lastMs ?? 0));
  const tokens = seen.reduce((sum, one) => sum + tokensOf(one), 0);
  return {
    asked,
    answered: seen.length,
    turnedAway: answers.filter((answer) => !answer.ok && answer.kind === 'busy').length,
    tokensPerSecond: tookMs > 0 && run.now() > startedAtMs ? Math.round((tokens / tookMs) * 10_000) / 10 : null,
  };
}
