import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { along, createPool, hastilyAlong, POLICIES } from '#test/support/endpoint-pool';
import {
  hang,
  hangAfterHeaders,
  hangAfterRole,
  raw,
  resetAfterHeaders,
  resetAfterRole,
  resetAtOnce,
  ROLE,
  send,
  stream,
} from '#test/support/faults';
import { openHouse, type House } from '#test/support/house';
import { answer, chunk, completion, event, openStream } from '#test/support/openai-scripts';
import { readStream } from '#test/support/read-stream';
import { generationIdOf, readReceiptRows } from '#test/support/receipts';
import type { Script } from '#test/support/scripted-upstream';

vi.setConfig({ maxConcurrency: 20 });

const CHARGED_NANO_USD = 22_000;
const SSE = 'text/event-stream';
const JSON_TYPE = 'application/json';

const pool = createPool(130);
/** Nothing listens on the discard port. */
const refusing = { id: 'refusing', url: 'http://127.0.0.1:9/v1' };
let house: House;

beforeAll(async () => {
  house = await openHouse({ endpoints: [...pool.specs, refusing], manifest: POLICIES });
});
afterAll(() => house.stop());

async function expectFallback(streaming: boolean, bad: string, kind: string): Promise<void> {
  const [good] = pool.take(1) as [string];
  house.upstream.script(good, answer());
  const route = kind === 'timeout_first_token' ? hastilyAlong : along;
  const response = await house.chat({ stream: streaming, ...route([bad, good]) });
  expect(response.status).toBe(200);
  expect(response.headers.get('x-headrace-endpoint')).toBe(good);
  expect(response.headers.get('x-headrace-attempts')).toBe('2');
  if (streaming) {
    const seen = await readStream(response);
    expect(seen).toMatchObject({ text: 'Hello there.', done: true });
    // T8: the failed upstream's bytes are nowhere in the answer.
    expect(new Set(seen.chunks.map(({ id }) => id))).toEqual(new Set([generationIdOf(response)]));
  } else {
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'Hello there.' } }] });
  }
  expect(await readReceiptRows(house, generationIdOf(response))).toMatchObject({
    state: 'completed',
    endpoint: good,
    chargedNanoUsd: CHARGED_NANO_USD,
    absorbedNanoUsd: 0,
    attempts: [
      { endpoint: bad, outcome: 'failed', kind },
      { endpoint: good, outcome: 'completed', kind: null },
    ],
  });
}

function lengthLie(contentType: string, body: string): Script {
  return raw(
    (socket) => void socket.end(`HTTP/1.1 200 OK\r\ncontent-type: ${contentType}\r\ncontent-length: ${body.length + 100}\r\n\r\n${body}`),
  );
}

const BEFORE_HEADERS: [what: string, kind: string, script: Script][] = [
  ['I10: a reset before headers', 'connect', resetAtOnce],
  ['I10: a hang before headers', 'timeout_first_token', hang],
  ['I10: headers, then a hang', 'timeout_first_token', hangAfterHeaders],
  ['headers, then a reset', 'connect', resetAfterHeaders],
  ['I8: bytes that are not HTTP', 'connect', raw((socket) => void socket.end('hello, this is no HTTP\r\n\r\n'))],
  ['I8: a connection closed without an answer', 'connect', raw((socket) => void socket.end())],
  ['I8: an HTML page with status 200', 'protocol', send(200, 'text/html; charset=utf-8', '<html><title>Welcome</title></html>')],
  ['I8: status 204', 'protocol', send(204, null, '')],
];

const TO_STREAM: typeof BEFORE_HEADERS = [
  ['a role, then a reset', 'connect', resetAfterRole],
  ['I10: a role, then a hang', 'timeout_first_token', hangAfterRole],
  ['a role, then the end', 'protocol', stream(ROLE)],
  ['a role, then [DONE]', 'protocol', stream(ROLE, event('[DONE]'))],
  ['I8: an empty event stream', 'protocol', send(200, SSE, '')],
  ['an event stream of nothing but comments', 'protocol', stream(': ping\n\n', ': ping\n\n')],
  ['T5: a first event that is not JSON', 'protocol', stream('data: {"choices": [{"ind\n\n')],
  ['T4: an error object as first event', 'upstream_error', stream(event({ error: { message: 'backend died', code: 500 } }))],
  ['T4: a rate limit as first event', 'capacity', stream(event({ error: { message: 'Rate limit exceeded', code: 429 } }))],
  ['T4: an error after the role', 'upstream_error', stream(ROLE, event({ error: { message: 'backend died', code: 502 } }))],
  ['T4: an event named error', 'upstream_error', stream(`event: error\n${event({ message: 'backend died' })}`)],
  [
    'T4: a JSON error with status 200',
    'upstream_error',
    send(200, JSON_TYPE, JSON.stringify({ error: { message: 'backend died', code: 500 } })),
  ],
  ['a finish reason that means failure', 'upstream_error', stream(ROLE, chunk({}, 'error'))],
  ['more openings than any server needs', 'protocol', stream(ROLE.repeat(200), chunk({ content: 'late' }))],
];

const TO_JSON: typeof BEFORE_HEADERS = [
  ['I8: an empty body', 'protocol', send(200, JSON_TYPE, '')],
  ['I8: truncated JSON', 'protocol', send(200, JSON_TYPE, JSON.stringify(completion()).slice(0, 80))],
  ['I8: a body shorter than its Content-Length', 'connect', lengthLie(JSON_TYPE, '{"choices":[')],
  ['JSON that is no answer', 'protocol', send(200, JSON_TYPE, '"hello"')],
  ['an answer without choices', 'protocol', send(200, JSON_TYPE, '{"choices":[]}')],
  [
    'an answer that says nothing and has not finished',
    'protocol',
    send(
      200,
      JSON_TYPE,
      '{"choices":[{"index":0,"message":{"content":""},"finish_reason":null}],"usage":{"prompt_tokens":0,"completion_tokens":0}}',
    ),
  ],
  [
    'T4: an error object with status 200',
    'upstream_error',
    send(200, JSON_TYPE, JSON.stringify({ error: { message: 'backend died', code: 500 } })),
  ],
];

describe.concurrent('a streaming request falls back, unseen by the client, from', () => {
  test.concurrent.each([...BEFORE_HEADERS, ...TO_STREAM])('%s (%s)', async (_, kind, script) => {
    const [bad] = pool.take(1) as [string];
    house.upstream.script(bad, script);
    await expectFallback(true, bad, kind);
  });

  test.concurrent('a refused connection', () => expectFallback(true, refusing.id, 'connect'));
});

describe.concurrent('a JSON request falls back, unseen by the client, from', () => {
  test.concurrent.each([...BEFORE_HEADERS, ...TO_JSON])('%s (%s)', async (_, kind, script) => {
    const [bad] = pool.take(1) as [string];
    house.upstream.script(bad, script);
    await expectFallback(false, bad, kind);
  });

  test.concurrent('a refused connection', () => expectFallback(false, refusing.id, 'connect'));
});

describe.concurrent.each([true, false])('with stream: %s', (streaming) => {
  test.concurrent.each([301, 302, 303, 307, 308])('S7: a %i redirect is refused and its target never called', async (status) => {
    const [bad, target] = pool.take(2) as [string, string];
    house.upstream.script(bad, send(status, null, '', { location: `${house.upstream.url(target)}/chat/completions` }));
    house.upstream.script(target, answer());
    await expectFallback(streaming, bad, 'redirect');
    expect(house.upstream.callsTo(target)).toEqual([]);
  });
});

test.concurrent.each([
  ['before headers', hang],
  ['after headers', hangAfterHeaders],
  ['after the role', hangAfterRole],
])('I10: an upstream that hangs %s is hung up on when its time is over', async (_, script) => {
  const [bad, good] = pool.take(2) as [string, string];
  house.upstream.script(bad, script);
  house.upstream.script(good, answer());
  await (await house.chat({ stream: true, ...hastilyAlong([bad, good]) })).text();
  await house.upstream.hungUpOn(bad);
});

test.concurrent('I10: when nobody answers in time the client gets 504, not silence', async () => {
  const ids = pool.take(2);
  for (const id of ids) house.upstream.script(id, hang);
  const response = await house.chat({ stream: true, ...hastilyAlong(ids) });
  expect(response.status).toBe(504);
  expect(await response.json()).toMatchObject({ error: { metadata: { error_type: 'timeout' } } });
});

test.concurrent('a JSON answer to a streaming request reaches the client as a stream', async () => {
  const [odd] = pool.take(1) as [string];
  house.upstream.script(odd, send(200, JSON_TYPE, JSON.stringify(completion())));
  const response = await house.chat({ stream: true, ...along([odd]) });
  expect(response.headers.get('content-type')).toContain(SSE);
  expect(await readStream(response)).toMatchObject({
    text: 'Hello there.',
    done: true,
    usage: { prompt_tokens: 12, completion_tokens: 5 },
  });
});

test.concurrent.each([
  ['early hints before the answer', 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n'],
  ['a bare 100 Continue', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n'],
])('I8: %s end as an answer or as a fallback, never as a broken one', async (_, statusLines) => {
  const [odd, good] = pool.take(2) as [string, string];
  const body = JSON.stringify(completion({ text: 'Patience.' }));
  house.upstream.script(
    odd,
    raw(
      (socket) =>
        void socket.end(`${statusLines}content-type: ${JSON_TYPE}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`),
    ),
  );
  house.upstream.script(good, answer());
  const response = await house.chat(along([odd, good]));
  expect(response.status).toBe(200);
  const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
  expect(['Patience.', 'Hello there.']).toContain(choices[0]?.message.content);
});

test.concurrent('I8: trailers after a chunked answer do no harm', async () => {
  const [odd] = pool.take(1) as [string];
  house.upstream.script(odd, (_, response) => {
    openStream(response);
    response.write(chunk({ content: 'Hello' }) + chunk({}, 'stop') + event('[DONE]'));
    response.addTrailers({ 'x-checksum': 'abc' });
    response.end();
  });
  expect(await readStream(await house.chat({ stream: true, ...along([odd]) }))).toMatchObject({ text: 'Hello', done: true });
});

test.concurrent('I8: both a length and chunked framing: an answer or a fallback, never a mix', async () => {
  const [odd, good] = pool.take(2) as [string, string];
  const body = JSON.stringify(completion({ text: 'Smuggled.' }));
  house.upstream.script(
    odd,
    raw(
      (socket) =>
        void socket.end(
          `HTTP/1.1 200 OK\r\ncontent-type: ${JSON_TYPE}\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
        ),
    ),
  );
  house.upstream.script(good, answer());
  const response = await house.chat(along([odd, good]));
  const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
  expect(['Smuggled.', 'Hello there.']).toContain(choices[0]?.message.content);
});
