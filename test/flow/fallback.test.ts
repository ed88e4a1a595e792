import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { along, createPool } from '#test/support/endpoint-pool';
import { refuse } from '#test/support/faults';
import { openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';
import { readStream } from '#test/support/read-stream';
import { generationIdOf, readReceiptRows } from '#test/support/receipts';

vi.setConfig({ maxConcurrency: 20 });

/** `answer()` at 1 and 2 USD per million tokens: 12 prompt and 5 completion tokens. */
const CHARGED_NANO_USD = 22_000;

const pool = createPool(120);
const roomy = { id: 'roomy', context: 65_536 };
const twins = ['twin-a', 'twin-b'].map((id) => ({ id, key: { value: 'upstream-secret-1' } }));
let house: House;

beforeAll(async () => {
  house = await openHouse({ endpoints: [...pool.specs, roomy, ...twins] });
});
afterAll(() => house.stop());

function callsOf(endpoint: string): number {
  return house.upstream.callsTo(endpoint).length;
}

const FALLS_BACK: [status: number, kind: string][] = [
  [401, 'credential'],
  [402, 'credential'],
  [403, 'credential'],
  [404, 'model_missing'],
  [408, 'upstream_error'],
  [409, 'upstream_error'],
  [429, 'capacity'],
  [500, 'upstream_error'],
  [502, 'upstream_error'],
  [503, 'upstream_error'],
  [504, 'upstream_error'],
  [529, 'capacity'],
];

describe.concurrent.each([true, false])('with stream: %s', (streaming) => {
  test.concurrent.each(FALLS_BACK)('M6: status %i falls back, is recorded as %s, and is charged once', async (status, kind) => {
    const [bad, good] = pool.take(2) as [string, string];
    house.upstream.script(bad, refuse(status));
    house.upstream.script(good, answer());

    const response = await house.chat({ stream: streaming, ...along([bad, good]) });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-headrace-attempts')).toBe('2');
    expect(response.headers.get('x-headrace-endpoint')).toBe(good);
    if (streaming) expect(await readStream(response)).toMatchObject({ text: 'Hello there.', done: true });
    else expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'Hello there.' } }] });

    expect(await readReceiptRows(house, generationIdOf(response))).toMatchObject({
      state: 'completed',
      endpoint: good,
      chargedNanoUsd: CHARGED_NANO_USD,
      absorbedNanoUsd: 0,
      attempts: [
        { endpoint: bad, outcome: 'failed', kind, status },
        { endpoint: good, outcome: 'completed', kind: null, status: 200 },
      ],
    });
    expect([callsOf(bad), callsOf(good)]).toEqual([1, 1]);
  });

  test.concurrent.each([400, 422])("R3: status %i is the caller's fault: it is told and nobody else is asked", async (status) => {
    const [bad, good] = pool.take(2) as [string, string];
    house.upstream.script(bad, refuse(status, { message: 'temperature must be below 2', type: 'invalid_request_error' }));
    house.upstream.script(good, answer());

    const response = await house.chat({ stream: streaming, ...along([bad, good]) });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 400, message: expect.stringContaining('temperature must be below 2') } });
    expect(callsOf(good)).toBe(0);
    expect(await readReceiptRows(house, generationIdOf(response))).toMatchObject({
      state: 'failed',
      errorCode: 'invalid_request',
      chargedNanoUsd: 0,
      attempts: [{ endpoint: bad, outcome: 'failed', kind: 'rejected', status }],
    });
  });

  test.concurrent.each([
    ['413', 413, { message: 'Request Entity Too Large' }],
    [
      '400 that names the context',
      400,
      { message: "This model's maximum context length is 32768 tokens.", code: 'context_length_exceeded' },
    ],
  ])('R17: %s goes to a larger context, and past one of the same size', async (_, status, error) => {
    const [small, same] = pool.take(2) as [string, string];
    house.upstream.script(small, refuse(status, error));
    house.upstream.script(same, answer());
    house.upstream.script(roomy.id, answer());

    const response = await house.chat({ stream: streaming, ...along([small, same, roomy.id]) });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-headrace-endpoint')).toBe(roomy.id);
    await response.text();
    expect(callsOf(same)).toBe(0);
  });

  test.concurrent('R17: without a larger context the caller learns that the request is too long', async () => {
    const ids = pool.take(2);
    for (const id of ids) house.upstream.script(id, refuse(413));

    const response = await house.chat({ stream: streaming, ...along(ids) });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { metadata: { error_type: 'context_length_exceeded' } } });
    expect(ids.map(callsOf)).toEqual([1, 0]);
  });
});

test.concurrent('every endpoint fails: one error names each attempt, the answer counts them, nothing is charged', async () => {
  const ids = pool.take(3);
  for (const [place, id] of ids.entries()) house.upstream.script(id, refuse(500 + place));

  const response = await house.chat(along(ids));
  expect(response.status).toBe(502);
  expect(response.headers.get('x-headrace-attempts')).toBe('3');
  const body = (await response.json()) as { error: { metadata: { previous_errors: { code: number }[] } } };
  expect(body.error.metadata.previous_errors.map(({ code }) => code)).toEqual([500, 501, 502]);
  const receipt = await readReceiptRows(house, generationIdOf(response));
  expect(receipt).toMatchObject({ state: 'failed', errorCode: 'upstream_failed', chargedNanoUsd: 0, absorbedNanoUsd: 0 });
  expect(receipt.attempts.map(({ status }) => status)).toEqual([500, 501, 502]);
});

test.concurrent('R3: the policy bounds the attempts, however many endpoints there are', async () => {
  const ids = pool.take(6);
  for (const id of ids) house.upstream.script(id, refuse(500));

  const response = await house.chat(along(ids));
  expect(response.headers.get('x-headrace-attempts')).toBe('4');
  await response.text();
  expect(ids.map(callsOf)).toEqual([1, 1, 1, 1, 0, 0]);
});

test.concurrent('allow_fallbacks: false asks one endpoint only', async () => {
  const [bad, good] = pool.take(2) as [string, string];
  house.upstream.script(bad, refuse(500));
  house.upstream.script(good, answer());

  const response = await house.chat({ provider: { order: [bad, good], only: [bad, good], allow_fallbacks: false } });
  expect(response.status).toBe(502);
  await response.text();
  expect(callsOf(good)).toBe(0);
});

test.concurrent('R18: a refused key is laid aside with every endpoint that uses it', async () => {
  const [other] = pool.take(1) as [string];
  house.upstream.script('twin-a', refuse(401));
  house.upstream.script('twin-b', answer());
  house.upstream.script(other, answer());

  const first = await house.chat(along(['twin-a', other]));
  expect(first.headers.get('x-headrace-endpoint')).toBe(other);
  const second = await house.chat(along(['twin-a', 'twin-b', other]));
  expect(second.status).toBe(200);
  expect(second.headers.get('x-headrace-endpoint')).toBe(other);
  await Promise.all([first.text(), second.text()]);
  expect([callsOf('twin-a'), callsOf('twin-b')]).toEqual([1, 0]);
});

test.concurrent('K4: an upstream that echoes the key or an address never gets it to the client', async () => {
  const [bad] = pool.take(1) as [string];
  house.upstream.script(
    bad,
    refuse(400, { message: 'bad request from http://10.1.2.3:8000/v1 with key sk-abcdefghijklmnopqrstuvwxyz012345' }),
  );

  const text = await (await house.chat(along([bad]))).text();
  expect(text).toContain('bad request');
  expect(text).not.toMatch(/10\.1\.2\.3|sk-abcdef/);
});
