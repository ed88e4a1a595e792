import { describe, expect, it } from 'vitest';
import { errorBody, errorTable, GatewayError, type ErrorCode } from '#schema/error';

const rows = Object.entries(errorTable).map(([code, row]) => ({ code: code as ErrorCode, ...row }));

/** OpenRouter's status of each `error_type`. */
const STATUS_OF_ERROR_TYPE: Readonly<Record<string, readonly number[]>> = {
  invalid_request: [400, 405, 409, 415, 426],
  context_length_exceeded: [400],
  content_policy_violation: [400],
  authentication: [401],
  payment_required: [402],
  permission_denied: [403],
  not_found: [404],
  payload_too_large: [413],
  unprocessable: [422],
  rate_limit_exceeded: [429],
  server: [500, 503],
  provider_unavailable: [502],
  provider_overloaded: [503],
  timeout: [504],
};

describe.each(rows)('$code', ({ code, status, type, errorType, fault, retryable }) => {
  it('has a status that fits whose fault it is', () => {
    if (fault === 'client' || fault === 'account') expect([status >= 400 && status < 500, retryable]).toEqual([true, status === 429]);
    if (fault === 'house') expect(status).toBeGreaterThanOrEqual(500);
    if (fault === 'upstream') expect(status === 429 || status >= 500).toBe(true);
  });

  it('makes clients retry exactly what may heal', () => {
    expect(status === 429 || status >= 500).toBe(retryable);
  });

  it('names an error type of OpenRouter at its status', () => {
    expect(STATUS_OF_ERROR_TYPE[errorType]).toContain(status);
  });

  it('becomes a body that strict clients accept', () => {
    const error = new GatewayError(code, 'what', { metadata: { error_type: 'forged', seen: 1 } });
    expect(error.status).toBe(status);
    expect(errorBody.parse(error.toBody())).toEqual({
      error: { code: status, message: 'what', type, param: null, metadata: { seen: 1, error_type: errorType, headrace_code: code } },
    });
  });
});

describe('GatewayError', () => {
  const cause = new Error('deep');
  const error = new GatewayError('no_endpoint_available', 'what', {
    param: 'model',
    retryAfterS: 3,
    metadata: { seen: 1 },
    headers: { 'x-a': '1', 'x-b': '1' },
    cause,
  });

  it('keeps everything when it gets more headers', () => {
    const more = error.withRequest({ headers: { 'x-b': '2', 'x-c': '2' } });
    expect(more).toMatchObject({
      code: 'no_endpoint_available',
      message: 'what',
      param: 'model',
      retryAfterS: 3,
      metadata: { seen: 1 },
      cause,
    });
    expect(more.headers).toEqual({ 'x-a': '1', 'x-b': '2', 'x-c': '2' });
    expect(more.toBody()).toEqual(error.toBody());
    expect(error.headers).toEqual({ 'x-a': '1', 'x-b': '1' });
  });

  it('explains the route beside the error where it is told it', () => {
    const told = error.withRequest({ routerMetadata: { attempt: 2 } });
    expect(errorBody.parse(told.toBody())).toMatchObject({ error: { code: 503 }, openrouter_metadata: { attempt: 2 } });
    expect(error.toBody()).not.toHaveProperty('openrouter_metadata');
  });

  it('invents nothing when it gets headers', () => {
    const more = new GatewayError('invalid_json', 'what').withRequest({});
    expect([more.param, more.retryAfterS, more.cause, more.metadata]).toEqual([null, undefined, undefined, {}]);
  });

  it('K5: shows neither cause nor stack in its body', () => {
    expect(JSON.stringify(error.toBody())).not.toMatch(/deep|stack|\.ts/);
  });
});
