import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dialectOf } from '#providers/registry';
import type { AttemptFailure } from '#schema/attempt';
import type { StreamEvent } from '#schema/reply';
import { attempt, type AttemptResult } from '#src/dispatch/attempt';
import { createWatchdog } from '#src/dispatch/watchdog';
import { freezeClock, NOW_MS, pass, releaseClock, settleDown } from '#test/support/fake-clock';
import { requestOf } from '#test/support/offers';
import { ANSWER, chunk, DONE, json, scriptedFetch, sse, text, type Script } from '#test/support/scripted-fetch';

const FIRST_TOKEN_MS = 4000;
const DEADLINE_MS = 30_000;
const TARGET = {
  url: 'https://a.example/v1',
  upstreamModel: 'm',
  quirks: {},
  auth: 'bearer',
  headers: {},
  key: 'sk-test-key-1234567890',
  maxOutput: null,
} as const;

beforeEach(freezeClock);
afterEach(releaseClock);

function start(script: Script, stream: boolean) {
  const upstream = scriptedFetch(script);
  const client = new AbortController();
  const watchdog = createWatchdog({
    now: Date.now,
    firstTokenTimeoutMs: FIRST_TOKEN_MS,
    deadlineAtMs: NOW_MS + DEADLINE_MS,
    clientSignal: client.signal,
  });
  const statuses: number[] = [];
  const result = attempt(
    { request: requestOf({ stream }), dialect: dialectOf('openai-chat'), target: TARGET, watchdog, onHeaders: (status) => statuses.push(status) },
    { fetch: upstream.fetch, now: Date.now },
  );
  return { result, client, watchdog, statuses, call: () => upstream.calls[0]! };
}

const run = (script: Script, stream = false): Promise<AttemptResult> => start(script, stream).result;

function failureOf(result: AttemptResult): AttemptFailure {
  if ('opened' in result) throw new Error(`opened a ${result.opened.kind}`);
  return result.failure;
}

async function eventsOf(result: AttemptResult): Promise<StreamEvent[]> {
  if ('failure' in result || result.opened.kind !== 'stream') throw new Error('no stream');
  const events: StreamEvent[] = [];
  for (let batch = await result.opened.stream.next(); batch !== null; batch = await result.opened.stream.next()) events.push(...batch);
  return events;
}

const ROLE = chunk({ role: 'assistant', content: '' });
const ERROR = { error: { message: 'overloaded', code: 503 } };

describe('the request', () => {
  it('S7: follows no redirect, and the key travels only in its header', async () => {
    const { result, call } = start(json(ANSWER), false);
    await result;
    expect(call().redirect).toBe('manual');
    expect(call().headers.get('authorization')).toBe(`Bearer ${TARGET.key}`);
    expect(call().url + call().body).not.toContain(TARGET.key);
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
      ['1e99', '999999999999', '-5', 'Fri, 31 Dec 9999 23:59:59 GMT', 'soon'].map(async (hint) =>
        failureOf(await run(json({}, 429, { 'retry-after': hint }), stream)).retryAfterMs,
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
    const giant: Script = (make) => new Response(make(Array.from({ length: 8 }, () => 'x'.repeat(60_000)), 'end'), { status: 401 });
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
      (make) => new Response(make(Array.from({ length: 40 }, () => piece), 'end'), { headers: { 'content-type': 'application/json' } }),
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

describe('the commit rule', () => {
  it.each<[string, Script]>([
    ['an error as the first event', sse([ERROR, chunk({ content: 'x' }), DONE])],
    ['an error as the second event, after a role', sse([ROLE, ERROR])],
    ['a role and an error in one read', sse([`data: ${JSON.stringify(ROLE)}\n\ndata: ${JSON.stringify(ERROR)}\n\n`])],
    ['an error after usage', sse([chunk({}, null, { usage: { prompt_tokens: 1, completion_tokens: 0 } }), ERROR])],
  ])('T4: %s never commits, and the body is cancelled', async (_name, script) => {
    const { result, call } = start(script, true);
    expect(failureOf(await result)).toMatchObject({ kind: 'capacity' });
    expect(call().bodyCancelled).toBe(true);
  });

  it.each<[string, (string | object)[]]>([
    ['T5: a malformed first event', ['data: {"choices":[{\n\n', chunk({ content: 'x' })]],
    ['T3: [DONE] without content', [DONE]],
    ['a role and then [DONE]', [ROLE, DONE]],
    ['a role and then the end', [ROLE]],
    ['comments only', [': a\n\n', ': b\n\n']],
    ['openings without end', Array.from({ length: 200 }, () => ROLE)],
  ])('%s is a protocol failure', async (_name, events) => {
    expect(failureOf(await run(sse(events), true))).toMatchObject({ kind: 'protocol' });
  });

  it.each<[string, object]>([
    ['content', chunk({ content: 'x' })],
    ['reasoning', chunk({ reasoning_content: 'hm' })],
    ['a refusal', chunk({ refusal: 'no' })],
    ['a tool call', chunk({ tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '' } }] })],
    ['a finish reason', chunk({}, 'stop')],
    ['content of a later choice', { choices: [{ index: 0, delta: {} }, { index: 1, delta: { content: 'x' } }] }],
  ])('%s commits at once, and the opening before it is kept', async (_name, real) => {
    const { result } = start(sse([ROLE, real], 'hang'), true);
    const opened = await result;
    if ('failure' in opened || opened.opened.kind !== 'stream') throw new Error('no stream');
    const events = await opened.opened.stream.next();
    expect(events).toMatchObject([{ kind: 'chunk', choices: [{ delta: { role: 'assistant' } }] }, { kind: 'chunk' }]);
  });

  it('a role and silence is a first-token timeout', async () => {
    const { result, call } = start(sse([ROLE], 'hang'), true);
    await pass(FIRST_TOKEN_MS);
    expect(failureOf(await result)).toMatchObject({ kind: 'timeout_first_token' });
    expect(call().signal.aborted).toBe(true);
  });

  it('comments do not extend the first-token timeout', async () => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const { result } = start((_make, call) => {
      const body = new ReadableStream<Uint8Array>({ start: (made) => void (controller = made) });
      call.signal.addEventListener('abort', () => controller?.error(new Error('aborted')));
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    }, true);
    for (let at = 0; at < 3; at++) {
      await pass(FIRST_TOKEN_MS / 4);
      controller?.enqueue(new TextEncoder().encode(': working\n\n'));
    }
    await pass(FIRST_TOKEN_MS / 4);
    expect(failureOf(await result)).toMatchObject({ kind: 'timeout_first_token' });
  });

  it('T1: whether 65 openings commit does not depend on how the bytes are cut', async () => {
    for (const openings of [64, 65]) {
      const events = [...Array.from({ length: openings }, () => ROLE), chunk({ content: 'x' }), DONE];
      const whole = sse([events.map((event) => (typeof event === 'string' ? event : `data: ${JSON.stringify(event)}\n\n`)).join('')]);
      const results = [await run(sse(events), true), await run(whole, true)];
      expect(results.map((result) => 'opened' in result)).toEqual(openings === 64 ? [true, true] : [false, false]);
    }
  });
});

describe('a server that ignores `stream`', () => {
  it('becomes a stream of one chunk and an end', async () => {
    const body = {
      ...ANSWER,
      choices: [
        {
          index: 0,
          finish_reason: 'tool_calls',
          message: {
            role: 'assistant',
            content: 'hello',
            tool_calls: [
              { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } },
              { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } },
            ],
          },
        },
      ],
    };
    const events = await eventsOf(await run(json(body), true));
    expect(events).toMatchObject([
      {
        kind: 'chunk',
        upstreamId: 'up-1',
        usage: { promptTokens: 10, completionTokens: 2 },
        choices: [
          {
            index: 0,
            finish_reason: 'tool_calls',
            delta: { content: 'hello', tool_calls: [{ index: 0, id: 'a' }, { index: 1, id: 'b' }] },
          },
        ],
      },
      { kind: 'done' },
    ]);
    expect(JSON.stringify(events)).not.toContain('"message"');
  });
});

describe('a stream that has opened', () => {
  it('goes on event by event to its end', async () => {
    const events = await eventsOf(await run(sse([ROLE, chunk({ content: 'a' }), chunk({ content: 'b' }), chunk({}, 'stop'), DONE]), true));
    expect(events.map(({ kind }) => kind)).toEqual(['chunk', 'chunk', 'chunk', 'chunk', 'done']);
  });

  it('gives a whole JSON answer to a client that does not stream', async () => {
    const result = await run(json(ANSWER));
    expect(result).toMatchObject({ opened: { kind: 'json', reply: { upstreamId: 'up-1', choices: [{ message: { content: 'hello' } }] } } });
  });

  it('an event stream for a client that does not stream is a protocol failure', async () => {
    expect(failureOf(await run(sse([chunk({ content: 'a' }), DONE])))).toMatchObject({ kind: 'protocol' });
  });
});
