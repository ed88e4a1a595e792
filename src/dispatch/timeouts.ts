/** How long one attempt may take. Routing sheet §5.5. */
import type { Operation } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';

const STALL_MS_MIN = 5000;
const STALL_TOKENS = 30;
/** Limits the silence in a binary answer: speech is made sentence by sentence, so its pauses are longer than those between tokens. */
export const BYTES_STALL_MS = 30_000;
/** Output to expect of a JSON answer whose caller set no limit. */
const JSON_TOKENS_DEFAULT = 2048;
/** With nobody left to fall back to, a slow first token beats an error. The upper end of the adaptive range. */
const LAST_CANDIDATE_MS_MIN = 20_000;
/** A JSON answer may take this many times its expected decode time. */
const JSON_PATIENCE = 3;
/** Time to work, in ms, for what is not made token by token: numbers come soon, sound, pictures and transcripts take their time. */
const WORK_MS: Readonly<Partial<Record<Operation, number>>> = {
  embeddings: 10_000,
  rerank: 10_000,
  speech: 30_000,
  images: 90_000,
  transcription: 90_000,
};

/** What is known of the answer that is waited for. */
type AnswerFacts = Pick<RequestFacts, 'operation' | 'stream' | 'maxTokens'>;

interface Paced {
  firstTokenTimeoutMs: number;
  tpotMs: number;
}

/**
 * Limits an attempt up to its commit, in ms: the first token of a stream or byte of speech, the whole of a JSON answer.
 * While other candidates are left no attempt takes more than half of what remains, so that a silent endpoint leaves time to fall back.
 */
export function attemptTimeoutMs(
  candidate: Paced,
  order: { deadlineAtMs: number; facts: AnswerFacts },
  othersLeft: boolean,
  nowMs: number,
): number {
  const workMs = workTimeMs(candidate, order.facts);
  const remainingMs = Math.max(0, order.deadlineAtMs - nowMs);
  if (othersLeft) return Math.min(candidate.firstTokenTimeoutMs + workMs, remainingMs / 2);
  return Math.min(Math.max(candidate.firstTokenTimeoutMs, LAST_CANDIDATE_MS_MIN) + workMs, remainingMs);
}

function workTimeMs({ tpotMs }: Paced, { operation, stream, maxTokens }: AnswerFacts): number {
  if (stream) return 0;
  return WORK_MS[operation] ?? JSON_PATIENCE * tpotMs * (maxTokens ?? JSON_TOKENS_DEFAULT);
}

/** Limits the silence between two pieces of a stream, in ms. */
export function stallTimeoutMs(tpotMs: number): number {
  return Math.max(STALL_MS_MIN, STALL_TOKENS * tpotMs);
}
