import { describe, expect, it } from 'vitest';
import { errorBody, errorTable, GatewayError, type ErrorCode } from '#schema/error';
import { respondError } from '#src/api/respond-error';

const logged: Record<string, unknown>[] = [];
const log = (event: Record<string, unknown>) => void logged.push(event);

describe('error answers', () => {
  it.each(Object.keys(errorTable) as ErrorCode[])('%s has the shape, integer code and type of the table', async (code) => {
    const response = respondError(new GatewayError(code, 'because', { param: 'model', metadata: { near: 1 } }), log);
    const row = errorTable[code];
    expect(response.status).toBe(row.status);
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(errorBody.parse(await response.json()).error).toMatchObject({
      code: row.status,
      message: 'because',
      type: row.type,
      param: 'model',
      metadata: { error_type: row.errorType, near: 1 },
    });
  });

  it('Retry-After is whole seconds, at least one', () => {
    const after = (retryAfterS: number) =>
      respondError(new GatewayError('no_endpoint_available', 'x', { retryAfterS }), log).headers.get('retry-after');
    expect([after(0.2), after(2), after(2.1)]).toEqual(['1', '2', '3']);
    expect(respondError(new GatewayError('rate_limited', 'x'), log).headers.has('retry-after')).toBe(false);
  });

  it('a 429 says in milliseconds, too, when to come back', () => {
    const headersOf = (code: ErrorCode) => respondError(new GatewayError(code, 'x', { retryAfterS: 2.5 }), log).headers;
    expect(headersOf('limit_exceeded').get('retry-after')).toBe('3');
    expect(headersOf('limit_exceeded').get('retry-after-ms')).toBe('2500');
    expect(headersOf('no_endpoint_available').has('retry-after-ms')).toBe(false);
  });

  it('carries the headers that the error brings, and a challenge on 401', () => {
    expect(
      respondError(new GatewayError('upstream_failed', 'x', { headers: { 'x-generation-id': 'gen-1' } }), log).headers.get(
        'x-generation-id',
      ),
    ).toBe('gen-1');
    expect(respondError(new GatewayError('invalid_api_key', 'x'), log).headers.get('www-authenticate')).toBe('Bearer');
  });

  it('K5: an unknown exception answers a fixed text; neither answer nor log quotes it', async () => {
    logged.length = 0;
    const response = respondError(new Error('canary-7f3 at http://10.0.0.1 with sk-hr-secret'), log);
    expect(response.status).toBe(500);
    const answer = JSON.stringify(await response.json()) + JSON.stringify([...response.headers]);
    expect(answer).toContain('Something went wrong here');
    expect(answer + JSON.stringify(logged)).not.toMatch(/canary|10\.0\.0\.1|sk-hr/);
    expect(logged).toMatchObject([{ event: 'internal_error', kind: 'Error' }]);
    expect(respondError('canary', log).status).toBe(500);
  });
});
