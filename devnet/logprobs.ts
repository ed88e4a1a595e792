/** Invented log-probabilities: plausible, and the same for the same token of the same model, but for what an endpoint's quantization adds. */
import type { EndpointCard } from './card.ts';
import type { Job } from './job.ts';
import { hashText } from './random.ts';

/** Who holds tokens likely: a model, and an endpoint that is a little off. */
export interface Voice {
  model: string;
  endpoint: string;
  /** Standard deviation, about, of what the endpoint adds to a log-probability. */
  drift: number;
}

const RUNNER_UP_GAP = 1.5;
const DRIFTS: Readonly<Record<string, number>> = { turboquant_4bit_nc: 0.08, fp8: 0.03 };
const DRIFT_OF_ENGINES = 0.02;

/** Finds the voice of an answer. An endpoint that serves another model speaks with that one's. */
export function voiceOf({ model, isOther }: Pick<Job, 'model' | 'isOther'>, card: Pick<EndpointCard, 'id' | 'node'>): Voice {
  const drift = card.node === null ? DRIFT_OF_ENGINES : (DRIFTS[card.node.cacheDtype] ?? DRIFT_OF_ENGINES);
  return { model: isOther === true ? `not ${model.id}` : model.id, endpoint: card.id, drift };
}

/** Builds OpenAI's `logprobs` object for tokens, each with `top` alternatives, itself first. */
export function toLogprobs(tokens: readonly string[], top: number, voice: Voice): Record<string, unknown> {
  const content = tokens.map((token) => ({ ...toEntry(token, 0, token, voice), top_logprobs: toAlternatives(token, top, voice) }));
  return { content, refusal: null };
}

/**
 * Builds the `logprobs` object of raw completions: parallel lists. `offset` is where the first token stands in the text; the first
 * token of an echoed prompt has no probability, for nothing came before it.
 */
export function toTextLogprobs(
  tokens: readonly string[],
  top: number,
  place: { offset: number; isPrompt: boolean },
  voice: Voice,
): Record<string, unknown> {
  let offset = place.offset;
  const offsets = tokens.map((token) => (offset += token.length) - token.length);
  const isUnknown = (index: number): boolean => place.isPrompt && index === 0;
  return {
    tokens,
    token_logprobs: tokens.map((token, index) => (isUnknown(index) ? null : toEntry(token, 0, token, voice)['logprob'])),
    top_logprobs: tokens.map((token, index) =>
      isUnknown(index) ? null : Object.fromEntries(toAlternatives(token, top, voice).map((entry) => [entry['token'], entry['logprob']])),
    ),
    text_offset: offsets,
  };
}

function toAlternatives(token: string, top: number, voice: Voice): Record<string, unknown>[] {
  return Array.from({ length: top }, (_, rank) => toEntry(rank === 0 ? token : `${token}${'~'.repeat(rank)}`, rank, token, voice));
}

function toEntry(token: string, rank: number, base: string, { model, endpoint, drift }: Voice): Record<string, unknown> {
  const best = -0.25 - (hashText(base, hashText(model)) % 1000) / 2000;
  // Uniform with the deviation that was asked for; never so much that another token would be the likeliest.
  const off = ((hashText(token, hashText(endpoint)) % 1000) / 500 - 1) * drift * Math.sqrt(3);
  return { token, logprob: Math.min(0, best - rank * RUNNER_UP_GAP + off), bytes: [...new TextEncoder().encode(token)] };
}
