/** Errors as llama-server writes them. */

/** Says no to a request. `more` stands in the body beside the message. */
export interface Refusal {
  status: 400 | 404 | 405 | 413 | 500 | 503;
  type: 'invalid_request_error' | 'exceed_context_size_error' | 'not_found_error' | 'server_error' | 'unavailable_error';
  message: string;
  more?: Record<string, number>;
}

/** Carries a refusal out of nested readers; never leaves the reading of a request. */
export class Complaint extends Error {}

/** Refuses what the client has got wrong. */
export function invalid(message: string): Refusal {
  return { status: 400, type: 'invalid_request_error', message };
}

/** Refuses what there is no room for now. */
export function unavailable(message: string): Refusal {
  return { status: 503, type: 'unavailable_error', message };
}

/** Writes the body of an error. */
export function toErrorBody({ status, type, message, more }: Refusal): object {
  return { error: { code: status, message, type, ...more } };
}
