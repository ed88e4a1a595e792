/** Turns the failures of a request into the one error that its caller sees. */
import type { AttemptFailure } from '#schema/attempt';
import { GatewayError, type ErrorCode } from '#schema/error';

const TIMEOUTS: ReadonlySet<AttemptFailure['kind']> = new Set(['timeout_first_token', 'timeout_stall', 'timeout_deadline']);

/** A failed attempt, as the error that the client sees may name it. */
export interface Failed {
  providerName: string;
  failure: AttemptFailure;
}

/** Builds the client error after the last attempt. The caller's own fault is told as such; upstream detail is already scrubbed. */
export function exhausted(failed: readonly Failed[]): GatewayError {
  const last = failed.at(-1);
  if (last === undefined)
    return new GatewayError('no_endpoint_available', 'No endpoint could be tried. Retry shortly.', { retryAfterS: 1 });

  const metadata = {
    provider_name: last.providerName,
    previous_errors: failed.map(({ providerName, failure }) => ({
      provider: providerName,
      code: failure.status ?? null,
      kind: failure.kind,
    })),
  };
  switch (last.failure.kind) {
    case 'rejected':
      return new GatewayError('invalid_request', `The endpoint refused the request: ${last.failure.detail}`, { metadata });
    case 'content_filtered':
      return new GatewayError('content_policy_violation', `The endpoint's content filter refused the request: ${last.failure.detail}`, {
        metadata,
      });
    default:
      break;
  }

  const every = (test: (failure: AttemptFailure) => boolean) => failed.every(({ failure }) => test(failure));
  if (
    failed.some(({ failure }) => failure.kind === 'context_exceeded') &&
    every((f) => f.kind === 'context_exceeded' || f.kind === 'model_missing')
  ) {
    return new GatewayError('context_length_exceeded', 'The request is longer than the context of every endpoint tried.', {
      param: 'messages',
      metadata,
    });
  }
  if (every((f) => f.kind === 'capacity')) {
    return new GatewayError('rate_limited', 'Every endpoint tried is at capacity.', { retryAfterS: smallestRetryAfterS(failed), metadata });
  }
  if (every((f) => f.kind === 'capacity' || f.kind === 'away')) {
    return new GatewayError('no_endpoint_available', 'Every endpoint tried is full or not connected now. Retry shortly.', {
      retryAfterS: smallestRetryAfterS(failed),
      metadata,
    });
  }
  if (every((f) => TIMEOUTS.has(f.kind))) return summary('upstream_timeout', 'No endpoint answered in time', failed, metadata);
  return summary('upstream_failed', 'Every endpoint tried failed', failed, metadata);
}

function summary(code: ErrorCode, what: string, failed: readonly Failed[], metadata: Record<string, unknown>): GatewayError {
  const causes = failed.map(({ providerName, failure }) => `${providerName}: ${failure.kind}`).join(', ');
  return new GatewayError(code, `${what} (${causes}).`, { metadata });
}

function smallestRetryAfterS(failed: readonly Failed[]): number {
  const hintsMs = failed.flatMap(({ failure }) => (failure.retryAfterMs === undefined ? [] : [failure.retryAfterMs]));
  return hintsMs.length === 0 ? 1 : Math.max(1, Math.ceil(Math.min(...hintsMs) / 1000));
}

/** Explains to the client why a stream that had begun cannot go on. */
export function explainFailure(failure: AttemptFailure): GatewayError {
  if (TIMEOUTS.has(failure.kind)) return new GatewayError('upstream_timeout', `The answer stopped in the middle: ${failure.detail}.`);
  if (failure.kind === 'content_filtered')
    return new GatewayError('content_policy_violation', `The endpoint's content filter stopped the answer: ${failure.detail}`);
  return new GatewayError('upstream_failed', `The answer broke off in the middle: ${failure.detail}.`);
}
