import { describe, expect, it } from 'vitest';
import { quirksOf } from '#providers/registry';
import { decodeHttpError, toInnerFailure } from '#providers/wire/decode-error';
import { readError } from '#providers/wire/read-error';
import type { AttemptFailure } from '#schema/attempt';
import { targetWith } from '../answers.ts';

const decode = (status: number, body: unknown, provider = 'openai'): AttemptFailure => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return decodeHttpError(status, new Headers(), text, targetWith({ quirks: quirksOf(provider) }), 0);
};

describe('the error families', () => {
  it.each([
    [
      'OpenAI',
      { error: { message: 'slow down', type: 'tokens', code: 'rate_limit_exceeded', param: null } },
      'tokens rate_limit_exceeded: slow down',
    ],
    ['flat (Cerebras)', { message: 'slow down', type: 'too_many', param: null, code: 'queue' }, 'too_many queue: slow down'],
    ['flat (Mistral)', { object: 'error', message: 'slow down', type: 'x', param: null, code: null }, 'x: slow down'],
    ['FastAPI text (Chutes)', { detail: 'slow down' }, 'slow down'],
    ['FastAPI object (DeepInfra)', { detail: { error: 'slow down' } }, 'slow down'],
    ['FastAPI list', { detail: [{ loc: ['body'], msg: 'slow down', type: 'value_error', input: 'PROMPT' }] }, 'value_error: slow down'],
    ['bare string (Venice)', { error: 'slow down' }, 'slow down'],
    ['string with code (xAI)', { code: 'busy', error: 'slow down' }, 'busy: slow down'],
    ['Cloudflare v4', { success: false, errors: [{ code: 3040, message: 'slow down' }], result: null }, 'slow down'],
    ['Anthropic', { type: 'error', error: { type: 'rate_limit_error', message: 'slow down' } }, 'rate_limit_error: slow down'],
    ['Google array', [{ error: { code: 429, message: 'slow down', status: 'RESOURCE_EXHAUSTED' } }], 'slow down'],
    ['nginx page', '<html><head><title>429 Too Many Requests</title></head><body>nginx</body></html>', '429 Too Many Requests'],
    ['plain text', 'slow down', 'slow down'],
    ['nothing', '', 'HTTP 429'],
    ['cut JSON', '{"error":{"mess', 'HTTP 429'],
  ])('%s: the class comes from the status, the detail from the message', (_family, body, detail) => {
    expect(decode(429, body)).toEqual({ kind: 'capacity', origin: 'external', status: 429, detail });
  });

  it('x402: a payment envelope is an unfunded account', () => {
    expect(decode(402, { x402Version: 1, accepts: [{ scheme: 'exact', payTo: '0xabc' }] }, 'nous')).toMatchObject({ kind: 'credential' });
  });

  it('a long HTML page without title leaves nothing of itself in the detail', () => {
    expect(decode(504, `<!doctype html><body>${'10.0.0.1 '.repeat(4000)}`).detail).toBe('HTML page instead of an answer');
  });
});

describe('the classes', () => {
  const said = (message: string, code = ''): unknown => ({ error: { message, code } });

  it.each([
    [301, '', 'redirect'],
    [307, '', 'redirect'],
    [400, said('temperature must be at most 2'), 'rejected'],
    [400, said("This model's maximum context length is 4096 tokens. However, you requested 5000."), 'context_exceeded'],
    [400, said('nope', 'context_length_exceeded'), 'context_exceeded'],
    [400, said('prompt is too long: 210000 tokens > 200000 maximum'), 'context_exceeded'],
    [400, said('max_tokens is too large: 99999. This model supports at most 16384 completion tokens'), 'rejected'],
    [400, said('Your request was flagged by our content policy'), 'content_filtered'],
    [400, said('API key not valid. Please pass a valid API key.'), 'credential'],
    [400, said('x', 'provider_model_mismatch'), 'model_missing'],
    [401, said('no'), 'credential'],
    [402, said('no'), 'credential'],
    [403, said('no'), 'credential'],
    [403, said('Input flagged by moderation'), 'content_filtered'],
    [404, said('The model `x` does not exist'), 'model_missing'],
    [404, '<html>', 'model_missing'],
    [408, '', 'upstream_error'],
    [413, '<html>', 'context_exceeded'],
    [422, { detail: [{ msg: 'field required', loc: ['body', 'messages'] }] }, 'rejected'],
    [422, said('Model not found: x'), 'model_missing'],
    [429, said('slow'), 'capacity'],
    [429, said('You have no credit', 'insufficient_quota'), 'credential'],
    [500, said('boom'), 'upstream_error'],
    [502, '', 'upstream_error'],
    [503, '', 'upstream_error'],
    [503, said('The server is overloaded'), 'capacity'],
    [503, said('all replicas are at full capacity'), 'capacity'],
    [503, said('vault_unavailable'), 'capacity'],
    [504, '<html>', 'upstream_error'],
    [503, { error: { message: 'the node is not connected', code: 'node_unlinked' } }, 'away'],
    [503, { error: { message: 'the node is draining: it takes nothing new', code: 'node_draining' } }, 'away'],
    [503, { error: { message: 'the node cannot serve now', code: 'node_troubled' } }, 'away'],
    [502, { error: { message: 'the node is not connected', code: 'node_unlinked' } }, 'upstream_error'],
    [529, '', 'capacity'],
  ] as const)('%i with %j is %s', (status, body, kind) => {
    expect(decode(status, body)).toMatchObject({ kind, status, origin: 'external' });
  });

  it('a card may call another status unfunded', () => {
    expect(decode(403, said('moderation of your balance'), 'phala').kind).toBe('credential');
    expect(decode(403, said('moderation of your balance')).kind).toBe('content_filtered');
  });

  it('K4: an upstream that echoes our key does not get it into the detail', () => {
    const failure = decode(401, said('Invalid key test-key-0123456789 for http://10.0.0.9:8000/v1'));
    expect(failure.detail).not.toMatch(/0123456789|10\.0\.0\.9/);
  });

  it("keeps a validator's copy of the input out of the detail", () => {
    expect(decode(422, { detail: [{ msg: 'bad role', loc: ['body'], input: 'MY PROMPT' }] }).detail).toBe('bad role');
  });
});

describe('vLLM 0.32', () => {
  const said = (code: number, message: string, type: string, param: string | null = null): [number, object] => [
    code,
    { error: { message, type, param, code } },
  ];
  const BUSY = 'The engine is currently busy and cannot accept new requests. Please try again later or on a different instance.';

  it.each([
    [
      ...said(
        400,
        "This model's maximum context length is 2048 tokens. However, your prompt contains at least 2049 input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=2049)",
        'BadRequestError',
        'input_tokens',
      ),
      'context_exceeded',
    ],
    [
      ...said(
        400,
        'max_tokens=5000 cannot be greater than max_model_len=2048. Please request fewer output tokens. (parameter=max_tokens, value=5000)',
        'BadRequestError',
        'max_tokens',
      ),
      'context_exceeded',
    ],
    [
      ...said(400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set', 'BadRequestError'),
      'upstream_error',
    ],
    [...said(400, 'tool_choice="required" requires --tool-call-parser to be set', 'BadRequestError'), 'upstream_error'],
    [...said(400, 'temperature must be non-negative, got -1.0. (parameter=temperature, value=-1.0)', 'BadRequestError'), 'rejected'],
    [...said(404, 'The model `x` does not exist. Valid aliases: qwen/qwen3-8b.', 'NotFoundError', 'model'), 'model_missing'],
    [...said(500, 'EngineCore encountered an issue. See stack trace (above) for the root cause.', 'InternalServerError'), 'upstream_error'],
    [...said(503, BUSY, 'Service Unavailable'), 'capacity'],
  ] as const)('%i %j is %s', (status, body, kind) => {
    expect(decode(status, body, 'vllm').kind).toBe(kind);
  });

  it('is full inside a stream as it is by its status', () => {
    const payload = readError({ error: { message: BUSY, type: 'Service Unavailable', param: null, code: 503 } });
    expect(payload && toInnerFailure(payload, targetWith())).toMatchObject({ kind: 'capacity', status: 503 });
  });
});

describe('errors inside a 200', () => {
  const inner = (body: unknown): AttemptFailure | null => {
    const payload = readError(body);
    return payload && toInnerFailure(payload, targetWith());
  };

  it.each([
    [{ error: { code: 429, message: 'x' } }, 'capacity'],
    [{ error: { code: '503', message: 'at capacity' } }, 'capacity'],
    [{ error: { type: 'overloaded_error', message: 'Overloaded' } }, 'capacity'],
    [{ error: { type: 'authentication_error', message: 'x' } }, 'credential'],
    [{ error: { code: 'insufficient_quota', message: 'x' } }, 'credential'],
    [{ error: { type: 'invalid_request_error', message: 'x' } }, 'rejected'],
    [{ error: { code: 'context_length_exceeded', message: 'x' } }, 'context_exceeded'],
    [{ error: { metadata: { error_type: 'content_policy_violation' }, message: 'x' } }, 'content_filtered'],
    [{ error: { code: 'model_not_found', message: 'x' } }, 'model_missing'],
    [{ error: 'something broke' }, 'upstream_error'],
    [{ object: 'error', message: 'x', code: 400 }, 'rejected'],
    [{ detail: 'cold instance, warming up' }, 'capacity'],
    [{ message: 'boom', type: 'server_error' }, 'upstream_error'],
    [{ error: {} }, 'upstream_error'],
  ])('%j is %s', (body, kind) => {
    expect(inner(body)?.kind).toBe(kind);
  });

  it.each([[{ choices: [], message: 'hello' }], [{ choices: [], error: null }], [{ choices: [], detail: 'x' }], [{ id: 'x' }], [7]])(
    '%j is no error',
    (body) => {
      expect(inner(body)).toBeNull();
    },
  );
});
