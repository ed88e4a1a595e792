/** Invented log-probabilities: plausible, and the same for the same token. */
import { hashText } from './random.ts';

const RUNNER_UP_GAP = 1.5;

/** Builds OpenAI's `logprobs` object for tokens, each with `top` alternatives, itself first. */
export function toLogprobs(tokens: readonly string[], top: number): Record<string, unknown> {
  return { content: tokens.map((token) => ({ ...toEntry(token, 0), top_logprobs: toAlternatives(token, top) })), refusal: null };
}

/**
 * Builds the `logprobs` object of raw completions: parallel lists. `offset` is where the first token stands in the text; the first
 * token of an echoed prompt has no probability, for nothing came before it.
 */
export function toTextLogprobs(
  tokens: readonly string[],
  top: number,
  place: { offset: number; isPrompt: boolean },
): Record<string, unknown> {
  let offset = place.offset;
  const offsets = tokens.map((token) => (offset += token.length) - token.length);
  const isUnknown = (index: number): boolean => place.isPrompt && index === 0;
  return {
    tokens,
    token_logprobs: tokens.map((token, index) => (isUnknown(index) ? null : toEntry(token, 0)['logprob'])),
    top_logprobs: tokens.map((token, index) =>
      isUnknown(index) ? null : Object.fromEntries(toAlternatives(token, top).map((entry) => [entry['token'], entry['logprob']])),
    ),
    text_offset: offsets,
  };
}

function toAlternatives(token: string, top: number): Record<string, unknown>[] {
  return Array.from({ length: top }, (_, rank) => toEntry(rank === 0 ? token : `${token}${'~'.repeat(rank)}`, rank, token));
}

function toEntry(token: string, rank: number, base = token): Record<string, unknown> {
  const best = -(hashText(base) % 1000) / 2000;
  return { token, logprob: best - rank * RUNNER_UP_GAP, bytes: [...new TextEncoder().encode(token)] };
}
