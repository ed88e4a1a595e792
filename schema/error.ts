/**
 * The one error table. HTTP status, OpenAI `type`, OpenRouter `error_type`, fault and retry advice derive from it;
 * so do the OpenAPI responses. Nothing else in the house names a status code for a client.
 */
import { z } from 'zod';

interface ErrorRow {
  /** HTTP status before the first byte, and `error.code` after it. */
  status: number;
  /** OpenAI's `error.type`. */
  type: string;
  /** OpenRouter's `error.metadata.error_type`. */
  errorType: string;
  /** Whose doing it is: the request, the account, the supply, or this house. */
  fault: 'client' | 'account' | 'upstream' | 'house';
  /** True where the same request may succeed later. */
  retryable: boolean;
}

export const errorTable = {
  invalid_request: { status: 400, type: 'invalid_request_error', errorType: 'invalid_request', fault: 'client', retryable: false },
  invalid_json: { status: 400, type: 'invalid_request_error', errorType: 'invalid_request', fault: 'client', retryable: false },
  context_length_exceeded: {
    status: 400,
    type: 'invalid_request_error',
    errorType: 'context_length_exceeded',
    fault: 'client',
    retryable: false,
  },
  content_policy_violation: {
    status: 400,
    type: 'invalid_request_error',
    errorType: 'content_policy_violation',
    fault: 'client',
    retryable: false,
  },
  invalid_api_key: { status: 401, type: 'authentication_error', errorType: 'authentication', fault: 'client', retryable: false },
  insufficient_budget: { status: 402, type: 'insufficient_quota', errorType: 'payment_required', fault: 'account', retryable: false },
  permission_denied: { status: 403, type: 'permission_error', errorType: 'permission_denied', fault: 'account', retryable: false },
  model_not_found: { status: 404, type: 'invalid_request_error', errorType: 'not_found', fault: 'client', retryable: false },
  no_eligible_endpoint: { status: 404, type: 'invalid_request_error', errorType: 'not_found', fault: 'client', retryable: false },
  not_found: { status: 404, type: 'invalid_request_error', errorType: 'not_found', fault: 'client', retryable: false },
  method_not_allowed: { status: 405, type: 'invalid_request_error', errorType: 'invalid_request', fault: 'client', retryable: false },
  /** The thing to be changed is not what the caller took it for, or the same key asks for something else. */
  conflict: { status: 409, type: 'invalid_request_error', errorType: 'invalid_request', fault: 'client', retryable: false },
  payload_too_large: { status: 413, type: 'invalid_request_error', errorType: 'payload_too_large', fault: 'client', retryable: false },
  unsupported_media_type: { status: 415, type: 'invalid_request_error', errorType: 'invalid_request', fault: 'client', retryable: false },
  /** The path speaks another protocol, which the request must ask for. */
  upgrade_required: { status: 426, type: 'invalid_request_error', errorType: 'invalid_request', fault: 'client', retryable: false },
  unprocessable: { status: 422, type: 'invalid_request_error', errorType: 'unprocessable', fault: 'client', retryable: false },
  rate_limited: { status: 429, type: 'rate_limit_error', errorType: 'rate_limit_exceeded', fault: 'upstream', retryable: true },
  /** A limit of the caller's own team or key, never an upstream's (R19). */
  limit_exceeded: { status: 429, type: 'rate_limit_error', errorType: 'rate_limit_exceeded', fault: 'account', retryable: true },
  internal_error: { status: 500, type: 'server_error', errorType: 'server', fault: 'house', retryable: true },
  upstream_failed: { status: 502, type: 'server_error', errorType: 'provider_unavailable', fault: 'upstream', retryable: true },
  no_endpoint_available: { status: 503, type: 'server_error', errorType: 'provider_overloaded', fault: 'upstream', retryable: true },
  ledger_unavailable: { status: 503, type: 'server_error', errorType: 'server', fault: 'house', retryable: true },
  upstream_timeout: { status: 504, type: 'server_error', errorType: 'timeout', fault: 'upstream', retryable: true },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

/** The error object of every failing answer, before and after the first byte. */
export const errorBody = z.object({
  error: z.object({
    code: z.int(),
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    metadata: z.looseObject({ error_type: z.string() }),
  }),
  openrouter_metadata: z.looseObject({}).optional(),
});
export type ErrorBody = z.infer<typeof errorBody>;

export interface GatewayErrorDetails {
  /** The request field at fault, as the caller wrote it. */
  param?: string;
  /** Whole seconds for `Retry-After`. */
  retryAfterS?: number;
  /** Facts that the caller may see; joins `error.metadata`. */
  metadata?: Record<string, unknown>;
  /** Headers of the answer, such as `x-generation-id`. */
  headers?: Readonly<Record<string, string>>;
  /** OpenRouter's explanation of the route, where the caller opted in. */
  routerMetadata?: object;
  cause?: unknown;
}

/** The only thing thrown on purpose: an answer for the client. Upstream failures are values, see `schema/attempt.ts`. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly param: string | null;
  readonly retryAfterS: number | undefined;
  readonly metadata: Record<string, unknown>;
  readonly headers: Readonly<Record<string, string>>;
  readonly routerMetadata: object | null;

  constructor(code: ErrorCode, message: string, details: GatewayErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.param = details.param ?? null;
    this.retryAfterS = details.retryAfterS;
    this.metadata = details.metadata ?? {};
    this.headers = details.headers ?? {};
    this.routerMetadata = details.routerMetadata ?? null;
  }

  /** The generation that failed, where it has come so far as to have an id. */
  get generationId(): string | null {
    return this.headers['x-generation-id'] ?? null;
  }

  /** The same error with what is known of its request: more headers on its answer, and the route where the caller asked for it. */
  withRequest({ headers, routerMetadata }: Pick<GatewayErrorDetails, 'headers' | 'routerMetadata'>): GatewayError {
    return new GatewayError(this.code, this.message, {
      ...(this.param === null ? {} : { param: this.param }),
      ...(this.retryAfterS === undefined ? {} : { retryAfterS: this.retryAfterS }),
      metadata: this.metadata,
      headers: { ...this.headers, ...headers },
      ...(routerMetadata && { routerMetadata }),
      cause: this.cause,
    });
  }

  get status(): number {
    return errorTable[this.code].status;
  }

  /** Builds the body in OpenAI's shape with OpenRouter's integer code and typed metadata. */
  toBody(): ErrorBody {
    const row = errorTable[this.code];
    return {
      error: {
        code: row.status,
        message: this.message,
        type: row.type,
        param: this.param,
        metadata: { ...this.metadata, error_type: row.errorType, headrace_code: this.code },
      },
      ...(this.routerMetadata && { openrouter_metadata: this.routerMetadata as Record<string, unknown> }),
    };
  }
}
