import type { ErrorBody, GatewayError } from '#schema/error';

/** Writes an error in OpenAI's shape. A prompt that is too long is at fault under the name that it has in this API. */
export function toErrorBody(error: GatewayError, promptField: string): ErrorBody {
  const body = error.toBody();
  return error.code === 'context_length_exceeded' ? { ...body, error: { ...body.error, param: promptField } } : body;
}
