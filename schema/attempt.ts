/** One upstream call and how it failed. Failures are values: the dispatch loop reads them, nobody throws them. */
import { z } from 'zod';

/**
 * Every way an attempt can fail.
 * `credential` is our key's fault (401, 402, 403), `rejected` the caller's (400, 413, 422), `capacity` a full endpoint (429, 503-full),
 * `away` a node that is not connected or takes nothing new.
 */
export const attemptFailureKind = z.enum([
  'timeout_first_token',
  'timeout_stall',
  'timeout_deadline',
  'connect',
  'capacity',
  'away',
  'credential',
  'rejected',
  'model_missing',
  'context_exceeded',
  'content_filtered',
  'protocol',
  'upstream_error',
  'redirect',
  'cancelled',
]);
export type AttemptFailureKind = z.infer<typeof attemptFailureKind>;

export interface AttemptFailure {
  kind: AttemptFailureKind;
  /** `local`: failed before an answer (network, timeout); `external`: the answer was the failure. */
  origin: 'local' | 'external';
  /** HTTP status of the upstream, when it answered. */
  status?: number;
  /** What the upstream asked for, clamped to [0, 300,000]. */
  retryAfterMs?: number;
  /** One line for the receipt: scrubbed of keys and addresses, at most 300 characters. */
  detail: string;
}

/** A stream that ended without having said how its answer finished (T3). */
export const BROKEN_OFF: AttemptFailure = Object.freeze({
  kind: 'protocol',
  origin: 'external',
  detail: 'the stream ended before the answer was finished',
});

/** How an attempt ended. `interrupted`: broke after content; `cancelled`: the client left. */
export const attemptOutcome = z.enum(['completed', 'failed', 'interrupted', 'cancelled']);
export type AttemptOutcome = z.infer<typeof attemptOutcome>;

/**
 * Why an attempt was made: `first` of its request, `fallback` after a failure, `hedge` beside a slow one, `resume` of an answer
 * that broke, or `canary`, which no client asked for.
 */
export const attemptRole = z.enum(['first', 'fallback', 'hedge', 'resume', 'canary']);
export type AttemptRole = z.infer<typeof attemptRole>;

/** The record of one upstream call; one row in D1. Times in milliseconds, absolute ones in epoch milliseconds. */
export interface Attempt {
  index: number;
  role: AttemptRole;
  endpointId: string;
  providerId: string;
  supply: 'subnet' | 'selfhosted' | 'centralized';
  startedAtMs: number;
  /** Attempt start to response headers. */
  headersMs: number | null;
  /** Attempt start to the first non-empty delta. */
  ttftMs: number | null;
  durationMs: number;
  outcome: AttemptOutcome;
  failure: AttemptFailure | null;
  status: number | null;
  /** Tokens as this upstream billed or we counted them; zero when it failed before content. */
  promptTokens: number;
  completionTokens: number;
  /** What this attempt costs the house; the customer's charge is on the receipt. */
  costNanoUsd: number;
  /** The call went out with the team's own provider key: it costs the house nothing. */
  byok?: true;
}
