/** How long one attempt may take. Routing sheet §5.5. */

const STALL_MS_MIN = 5000;
const STALL_TOKENS = 30;
/** Output to expect of a JSON answer whose caller set no limit. */
const JSON_TOKENS_DEFAULT = 2048;
/** With nobody left to fall back to, a slow first token beats an error. The upper end of the adaptive range. */
const LAST_CANDIDATE_MS_MIN = 20_000;
/** A JSON answer may take this many times its expected decode time. */
const JSON_PATIENCE = 3;

interface Paced {
  firstTokenTimeoutMs: number;
  tpotMs: number;
}

/**
 * Limits an attempt up to its commit, in ms: the first token of a stream, the whole of a JSON answer.
 * While other candidates are left no attempt takes more than half of what remains, so that a silent endpoint leaves time to fall back.
 */
export function attemptTimeoutMs(
  candidate: Paced,
  order: { deadlineAtMs: number; facts: { stream: boolean; maxTokens: number | null } },
  othersLeft: boolean,
  nowMs: number,
): number {
  const decodeMs = order.facts.stream ? 0 : JSON_PATIENCE * candidate.tpotMs * (order.facts.maxTokens ?? JSON_TOKENS_DEFAULT);
  const remainingMs = Math.max(0, order.deadlineAtMs - nowMs);
  if (othersLeft) return Math.min(candidate.firstTokenTimeoutMs + decodeMs, remainingMs / 2);
  return Math.min(Math.max(candidate.firstTokenTimeoutMs, LAST_CANDIDATE_MS_MIN) + decodeMs, remainingMs);
}

/** Limits the silence between two pieces of a stream, in ms. */
export function stallTimeoutMs(tpotMs: number): number {
  return Math.max(STALL_MS_MIN, STALL_TOKENS * tpotMs);
}
