/** The shapes in which suppliers say no. A router has to understand each of them. */

/** Names an error shape: OpenAI's, vLLM's (integer code), FastAPI's, the flat one (Cerebras, Mistral) and Anthropic's. */
export type ErrorFamily = 'openai' | 'vllm' | 'fastapi' | 'flat' | 'anthropic';

/** Describes a refusal before it takes a shape. */
export interface Refusal {
  status: number;
  message: string;
  /** Stable word for programs, such as `context_length_exceeded`. */
  code: string;
  /** Request field at fault. */
  param?: string;
  /** Whole seconds for `Retry-After`. */
  retryAfterS?: number;
}

const OPENAI_TYPE: Record<number, string> = {
  401: 'authentication_error',
  429: 'rate_limit_error',
  500: 'server_error',
  503: 'server_error',
};
const VLLM_TYPE: Record<number, string> = {
  404: 'NotFoundError',
  429: 'RateLimitError',
  500: 'InternalServerError',
  503: 'ServiceUnavailableError',
};
const ANTHROPIC_TYPE: Record<number, string> = {
  401: 'authentication_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  503: 'overloaded_error',
};

/** Puts a refusal into the body that its family uses. */
export function toErrorBody(family: ErrorFamily, refusal: Refusal): Record<string, unknown> {
  const { status, message, code, param = null } = refusal;
  switch (family) {
    case 'openai':
      return { error: { message, type: OPENAI_TYPE[status] ?? 'invalid_request_error', param, code } };
    case 'vllm':
      return { error: { message, type: VLLM_TYPE[status] ?? 'BadRequestError', param, code: status } };
    case 'fastapi':
      return { detail: message };
    case 'flat':
      return { object: 'error', message, type: OPENAI_TYPE[status] ?? 'invalid_request_error', param, code };
    case 'anthropic':
      return { type: 'error', error: { type: ANTHROPIC_TYPE[status] ?? 'invalid_request_error', message } };
  }
}
