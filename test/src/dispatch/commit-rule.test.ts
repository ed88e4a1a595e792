import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freezeClock, pass, releaseClock } from '#test/support/fake-clock';
import { ANSWER, chunk, DONE, json, sse, type Script } from '#test/support/scripted-fetch';
import { FIRST_TOKEN_MS, start, run, failureOf, eventsOf, ROLE, ERROR } from './attempted.ts';

beforeEach(freezeClock);
afterEach(releaseClock);

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
    [
      'content of a later choice',
      {
        choices: [
          { index: 0, delta: {} },
          { index: 1, delta: { content: 'x' } },
        ],
      },
    ],
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
            delta: {
              content: 'hello',
              tool_calls: [
                { index: 0, id: 'a' },
                { index: 1, id: 'b' },
              ],
            },
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
