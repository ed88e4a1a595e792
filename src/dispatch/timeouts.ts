/** How long one attempt may take. Routing sheet §5.5. */
import type { Operation } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';

const STALL_MS_MIN = 5000;
const STALL_TOKENS = 30;
/** Limits the silence in a binary answer: speech is made sentence by sentence, so its pauses are longer than those between tokens. */
export const BYTES_STALL_MS = 30_000;
/** What a JSON answer may come to whose caller set no limit. */
const JSON_TOKENS_DEFAULT = 2048;
/** With nobody left to fall back to, a slow first token beats an error. The upper end of the adaptive range. */
const LAST_CANDIDATE_MS_MIN = 20_000;
/** A JSON answer may take this many times its decode time, and this long where others are left and it may be that long. */
const JSON_PATIENCE = 3;
const JSON_MS_MIN = 10_000;
/** Time to work, in ms, for what is not made token by token: numbers come soon, sound, pictures and transcripts take their time. */
const WORK_MS: Readonly<Partial<Record<Operation, number>>> = {
  embeddings: 10_000,
  rerank: 10_000,
  speech: 30_000,
  images: 90_000,
  transcription: 90_000,
};

/** What is known of the answer that is waited for. */
type AnswerFacts = Pick<RequestFacts, 'operation' | 'stream' | 'maxTokens' | 'expectedCompletionTokens' | 'choices' | 'reasoning'>;

interface Paced {
  firstTokenTimeoutMs: number;
  hedgeAfterMs: number;
  tpotMs: number;
}

/** Where a request stands when an attempt begins. */
export interface Standing {
  nowMs: number;
  /** Other candidates are left. */
  othersLeft: boolean;
  /** An attempt has run into its limit before. */
  hasTimedOut: boolean;
}

/**
 * Limits an attempt up to its commit, in ms: the first token of a stream or byte of speech, the whole of a JSON answer.
 * While other candidates are left no attempt takes more than half of what remains, so that a silent endpoint leaves time to fall back.
 */
export function attemptTimeoutMs(
  candidate: Paced,
  { deadlineAtMs, facts }: { deadlineAtMs: number; facts: AnswerFacts },
  standing: Standing,
): number {
  const workMs = workTimeMs(candidate, facts, standing);
  const remainingMs = Math.max(0, deadlineAtMs - standing.nowMs);
  if (standing.othersLeft) return Math.min(candidate.firstTokenTimeoutMs + workMs, remainingMs / 2);
  return Math.min(Math.max(candidate.firstTokenTimeoutMs, LAST_CANDIDATE_MS_MIN) + workMs, remainingMs);
}

/**
 * Gives the silence after which an endpoint that has stopped answering others is no longer waited for, in ms: what nineteen of twenty
 * requests need there to their first token, and the rest of the answer where nothing of it shows before. Infinite for what takes as long as it takes.
 */
export function doubtAfterMs({ hedgeAfterMs, tpotMs }: Paced, facts: AnswerFacts): number {
  if (facts.stream) return hedgeAfterMs;
  return WORK_MS[facts.operation] === undefined ? hedgeAfterMs + tpotMs * expectedTokens(facts) : Infinity;
}

/**
 * A whole answer shows no first token: while others are left it gets the time of three like it. Thoughts are as long as they like; and
 * what was too long for one endpoint is not cut short at the next one.
 */
function workTimeMs({ tpotMs }: Paced, facts: AnswerFacts, { othersLeft, hasTimedOut }: Standing): number {
  if (facts.stream) return 0;
  const workMs = WORK_MS[facts.operation];
  if (workMs !== undefined) return workMs;
  const longestMs = JSON_PATIENCE * tpotMs * (facts.maxTokens ?? JSON_TOKENS_DEFAULT);
  if (!othersLeft || hasTimedOut || facts.reasoning) return longestMs;
  return Math.min(longestMs, Math.max(JSON_MS_MIN, JSON_PATIENCE * tpotMs * expectedTokens(facts)));
}

/** Of one answer; several are made at once. */
function expectedTokens({ expectedCompletionTokens, choices }: AnswerFacts): number {
  return expectedCompletionTokens / Math.max(1, choices);
}

/** Limits the silence between two pieces of a stream, in ms. */
export function stallTimeoutMs(tpotMs: number): number {
  return Math.max(STALL_MS_MIN, STALL_TOKENS * tpotMs);
}
