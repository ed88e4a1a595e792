/** Reads a failure and says how the request goes on. */
import type { AttemptFailure } from '#schema/attempt';

/**
 * `fallback`: the next candidate; `larger_context`: only candidates with more room; `stop`: the caller must hear it.
 */
export type NextStep = 'fallback' | 'larger_context' | 'stop';

/** Decides by fault class (DESIGN §5.4). A caller's fault is never tried elsewhere (R3). */
export function nextStep(failure: AttemptFailure): NextStep {
  switch (failure.kind) {
    case 'timeout_first_token':
    case 'timeout_stall':
    case 'connect':
    case 'capacity':
    case 'away':
    case 'credential':
    case 'model_missing':
    case 'protocol':
    case 'upstream_error':
    case 'redirect':
      return 'fallback';
    case 'context_exceeded':
      return 'larger_context';
    case 'rejected':
    case 'content_filtered':
    case 'timeout_deadline':
    case 'cancelled':
      return 'stop';
    default:
      return failure.kind satisfies never;
  }
}
