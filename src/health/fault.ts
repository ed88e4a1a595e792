/** Whose fault a failed attempt is, and so what it may change. DESIGN §5.4. */
import type { AttemptFailure, AttemptOutcome } from '#schema/attempt';

/**
 * `none`: the caller's doing or nobody's; `credential`: our key's; `capacity`: the endpoint is full; `away`: it takes nothing now, however
 * much it holds; `endpoint`: it failed.
 */
export type Fault = 'none' | 'credential' | 'capacity' | 'away' | 'endpoint';

/** Classes how an attempt ended. A failure without details counts against the endpoint. */
export function classifyFault(outcome: AttemptOutcome, failure: AttemptFailure | null): Fault {
  if (outcome === 'completed' || outcome === 'cancelled') return 'none';
  if (failure === null) return 'endpoint';
  switch (failure.kind) {
    case 'rejected':
    case 'context_exceeded':
    case 'content_filtered':
    case 'cancelled':
      return 'none';
    // The caller's policy sets the deadline: counting it would let one tenant open breakers for all.
    case 'timeout_deadline':
      return 'none';
    case 'credential':
      return 'credential';
    case 'capacity':
      return 'capacity';
    case 'away':
      return 'away';
    case 'timeout_first_token':
    case 'timeout_stall':
    case 'connect':
    case 'model_missing':
    case 'protocol':
    case 'upstream_error':
    case 'redirect':
      return 'endpoint';
    default:
      return failure.kind satisfies never;
  }
}
