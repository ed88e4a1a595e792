import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AttemptFailure } from '#schema/attempt';
import { freezeClock, pass, releaseClock, settleDown } from '#test/support/fake-clock';
import { ANSWER, json, text, type Script } from '#test/support/scripted-fetch';
import { FIRST_TOKEN_MS, TARGET, start, run, failureOf, ERROR } from './attempted.ts';

beforeEach(freezeClock);
afterEach(releaseClock);

describe('the request', () => {
  it('S7: follows no redirect, and the key travels only in its header', async () => {
    const { result, call } = start(json(ANSWER), false);
    await result;
    expect(call().redirect).toBe('manual');
    expect(call().headers.get('authorization')).toBe(`Bearer ${TARGET.key}`);
    expect(call().url + call().body).not.toContain(TARGET.key);
  });

  it('R9: one that cannot be put into words is its own fault, not the endpoint’s, and is never sent', async () => {
    const { result, call } = start(json(ANSWER), false, { extra: 1n });
    expect(failureOf(await result)).toMatchObject({ kind: 'rejected', origin: 'local' });
    expect(call()).toBeUndefined();
  });
});

describe.each([false, true])('an HTTP failure (stream: %s)', (stream) => {
  const said = (message: string) => ({ error: { message } });
  it.each<[number, unknown, AttemptFailure['kind']]>([
    [301, '', 'redirect'],
    [302, '', 'redirect'],
    [307, '', 'redirect'],
    [308, '', 'redirect'],
    [400, said('messages is required'), 'rejected'],
    [400, said("This model's maximum context length is 4096 tokens"), 'context_exceeded'],
    [400, said('Incorrect API key provided'), 'credential'],
    [401, said('no'), 'credential'],
    [402, said('no'), 'credential'],
    [403, said('no'), 'credential'],
    [403, said('flagged by moderation'), 'content_filtered'],
    [404, said('no such model'), 'model_missing'],
    [408, '', 'upstream_error'],
    [413, '', 'context_exceeded'],
    [422, said('wrong type'), 'rejected'],
    [429, said('slow down'), 'capacity'],
    [429, said('insufficient_quota'), 'credential'],
    [500, '<html>oops</html>', 'upstream_error'],
    [502, '', 'upstream_error'],
    [503, said('overloaded'), 'capacity'],
    [503, '', 'upstream_error'],
    [504, '', 'upstream_error'],
    [529, '', 'capacity'],
  ])('%i %j is %s', async (status, body, kind) => {
    const { result, statuses } = start(json(body, status, { location: 'http://169.254.169.254/' }), stream);
    const failure = failureOf(await result);
    expect(failure).toMatchObject({ kind, status, origin: 'external' });
    expect(statuses).toEqual([status]);
  });

  it('R2: a poisoned Retry-After is clamped', async () => {
    const hints = await Promise.all(
      ['1e99', '999999999999', '-5', 'Fri, 31 Dec 9999 23:59:59 GMT', 'soon'].map(
        async (hint) => failureOf(await run(json({}, 429, { 'retry-after': hint }), stream)).retryAfterMs,
      ),
    );
    expect(hints).toEqual([undefined, 300_000, 0, 300_000, undefined]);
  });

  it('K4: an error that echoes the key is scrubbed', async () => {
    const failure = failureOf(await run(json(said(`bad key ${TARGET.key} for http://10.0.0.7:8000/v1`), 500), stream));
    expect(failure.detail).not.toMatch(/1234567890|10\.0\.0\.7/);
  });

  it('keeps the class of its status when the body breaks off or is giant', async () => {
    const broken: Script = (make) => new Response(make(['{"error":'], 'break'), { status: 429 });
    const giant: Script = (make) =>
      new Response(
        make(
          Array.from({ length: 8 }, () => 'x'.repeat(60_000)),
          'end',
        ),
        { status: 401 },
      );
    expect(failureOf(await run(broken, stream))).toMatchObject({ kind: 'capacity', status: 429 });
    const started = start(giant, stream);
    expect(failureOf(await started.result)).toMatchObject({ kind: 'credential', status: 401 });
    expect(started.call().bodyCancelled).toBe(true);
  });
});

describe.each([false, true])('an answer that is none (stream: %s)', (stream) => {
  it.each<[string, Script]>([
    ['HTML with its own content type', text('<!doctype html><p>hi', 'text/html; charset=utf-8')],
    ['HTML that claims to be JSON', text('<!doctype html><p>hi', 'application/json')],
    ['an empty body', text('', 'application/json')],
    ['an empty event stream', text('', 'text/event-stream')],
    ['no body at all', () => new Response(null, { status: 204 })],
    ['truncated JSON', text(JSON.stringify(ANSWER).slice(0, 60), 'application/json')],
    ['JSON that is no object', json([])],
    ['no choices', json({ id: 'x', choices: [] })],
    ['plain text', text('Internal error', 'text/plain')],
  ])('T4 I8: %s is a protocol failure', async (_name, script) => {
    expect(failureOf(await run(script, stream))).toMatchObject({ kind: 'protocol', origin: 'external' });
  });

  it('T4: an error object in a 200 is the failure that it names', async () => {
    expect(failureOf(await run(json(ERROR), stream))).toMatchObject({ kind: 'capacity' });
  });

  it('I7: a giant JSON answer is refused without reading it to its end', async () => {
    const piece = ' '.repeat(1024 * 1024);
    const { result, call } = start(
      (make) =>
        new Response(
          make(
            Array.from({ length: 40 }, () => piece),
            'end',
          ),
          { headers: { 'content-type': 'application/json' } },
        ),
      stream,
    );
    expect(failureOf(await result)).toMatchObject({ kind: 'protocol', detail: 'an answer larger than the limit' });
    expect(call().bodyCancelled).toBe(true);
  });
});

describe.each([false, true])('the network (stream: %s)', (stream) => {
  const contentType = { headers: { 'content-type': stream ? 'text/event-stream' : 'application/json' } };

  it('no connection is a local connect failure', async () => {
    expect(failureOf(await run(() => 'refused', stream))).toMatchObject({ kind: 'connect', origin: 'local' });
  });

  it('a connection that breaks before the answer is whole is a connect failure', async () => {
    expect(failureOf(await run((make) => new Response(make([': hi\n'], 'break'), contentType), stream))).toMatchObject({
      kind: 'connect',
      origin: 'local',
    });
  });

  it.each<[string, Script]>([
    ['headers never come', () => 'silent'],
    ['the body never begins', (make) => new Response(make([], 'hang'), contentType)],
    ['the body hangs', (make) => new Response(make([': a\n\n', ': b\n\n'], 'hang'), contentType)],
    ['the body of an error hangs', (make) => new Response(make(['{'], 'hang'), { status: 500 })],
  ])('I10: %s: the first-token timeout ends it and the upstream call', async (_name, script) => {
    const { result, call } = start(script, stream);
    await pass(FIRST_TOKEN_MS - 1);
    expect(call().signal.aborted).toBe(false);
    await pass(1);
    expect(failureOf(await result)).toMatchObject({ kind: 'timeout_first_token', origin: 'local' });
    expect(call().signal.aborted).toBe(true);
  });

  it.each<[string, Script]>([
    ['before headers', () => 'silent'],
    ['before content', (make) => new Response(make([': a\n\n'], 'hang'), contentType)],
  ])('T9: a client that leaves %s cancels the upstream', async (_name, script) => {
    const { result, call, client } = start(script, stream);
    await settleDown();
    client.abort();
    expect(failureOf(await result)).toMatchObject({ kind: 'cancelled' });
    expect(call().signal.aborted).toBe(true);
  });
});
