import { GatewayError } from '#schema/error';

/** Refuses a feature that is not served here; `sentence` says what to do instead. */
export function unsupported(param: string, sentence: string): GatewayError {
  return new GatewayError('invalid_request', `'${param}' is not supported: ${sentence}`, { param });
}
