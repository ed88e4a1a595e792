import type { GatewayError } from '#schema/error';

/** Anthropic's error types by status. Every other client error is an `invalid_request_error`, every other server error an `api_error`. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
]);

/** Agents on this API shorten their conversation when they read Anthropic's own words for it. */
const TOO_LONG = 'prompt is too long: ';

/** Builds an error in Anthropic's shape with OpenRouter's `error_type`; `request_id` is the generation, where there is one. */
export function toErrorBody(
  error: GatewayError,
  generationId: string | null = error.generationId,
): { type: 'error'; [field: string]: unknown } {
  const {
    message,
    param,
    metadata: { details, ...metadata },
  } = error.toBody().error;
  const type = TYPES.get(error.status) ?? (error.status < 500 ? 'invalid_request_error' : 'api_error');
  return {
    type: 'error',
    error: {
      type,
      message: error.code === 'context_length_exceeded' ? TOO_LONG + message : message,
      error_type: metadata.error_type,
      ...(param !== null && { param }),
      ...(details !== undefined && { details }),
      metadata,
    },
    request_id: generationId,
    ...(error.routerMetadata && { openrouter_metadata: error.routerMetadata }),
  };
}
