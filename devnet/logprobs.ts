/** Invented log-probabilities: plausible, and the same for the same token. */
import { hashText } from './random.ts';

const RUNNER_UP_GAP = 1.5;

/** Builds OpenAI's `logprobs` object for tokens, each with `top` alternatives, itself first. */
export function toLogprobs(tokens: readonly string[], top: number): Record<string, unknown> {
  return { content: tokens.map((token) => ({ ...toEntry(token, 0), top_logprobs: toAlternatives(token, top) })), refusal: null };
}

function toAlternatives(token: string, top: number): Record<string, unknown>[] {
  return Array.from({ length: top }, (_, rank) => toEntry(rank === 0 ? token : `${token}${'~'.repeat(rank)}`, rank, token));
}

function toEntry(token: string, rank: number, base = token): Record<string, unknown> {
  const best = -(hashText(base) % 1000) / 2000;
  return { token, logprob: best - rank * RUNNER_UP_GAP, bytes: [...new TextEncoder().encode(token)] };
}
