import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { along, createPool } from '#test/support/endpoint-pool';
import { send } from '#test/support/faults';
import { openHouse, type House } from '#test/support/house';
import { answer, chunk, completion, event, openStream } from '#test/support/openai-scripts';
import { pause } from '#test/support/pause';
import { sendRaw } from '#test/support/raw-client';
import { readStream } from '#test/support/read-stream';
import { generationIdOf, readReceiptRows } from '#test/support/receipts';
import type { Script } from '#test/support/scripted-upstream';

vi.setConfig({ maxConcurrency: 4 });

const MIB = 1024 * 1024;
const SSE = 'text/event-stream';
const STOP = chunk({}, 'stop') + event('[DONE]');
const FILLER = Buffer.alloc(MIB, 'x');

const pool = createPool(40);
/** Free, so that no hold ends an answer, however long it gets. */
const talkative = createPool(2, { price: { prompt: 0, completion: 0 } }, 'talkative');
let house: House;

beforeAll(async () => {
  house = await openHouse({ endpoints: [...pool.specs, ...talkative.specs] });
});
afterAll(() => house.stop());

/** Writes until the text has gone out or the router has hung up; returns the bytes that were taken. */
async function writeAll(response: ServerResponse, piece: Buffer, times: number): Promise<number> {
  let sentBytes = 0;
  for (let count = 0; count < times && !response.destroyed; count++) {
    if (!response.write(piece)) await roomIn(response);
    sentBytes += piece.length;
  }
  return sentBytes;
}

/** Waits until an answer takes more bytes, or nobody wants them. */
function roomIn(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      response.off('drain', go);
      response.off('close', go);
      resolve();
    };
    response.on('drain', go);
    response.on('close', go);
  });
}

async function expectFallback(streaming: boolean, script: Script): Promise<void> {
  const [hostile, good] = pool.take(2) as [string, string];
  house.upstream.script(hostile, script);
  house.upstream.script(good, answer());
  const response = await house.chat({ stream: streaming, ...along([hostile, good]) });
  expect(response.headers.get('x-headrace-endpoint')).toBe(good);
  await response.text();
  expect(await readReceiptRows(house, generationIdOf(response))).toMatchObject({
    attempts: [
      { endpoint: hostile, outcome: 'failed', kind: 'protocol' },
      { endpoint: good, outcome: 'completed' },
    ],
  });
}

describe('I6: an upstream that sends too much is cut off, and the request falls back:', () => {
  test('a line without end', () =>
    expectFallback(true, async (_, response) => {
      const [before = '', after = ''] = chunk({ content: '|' }).split('|');
      openStream(response);
      response.write(before);
      await writeAll(response, FILLER, 64);
      response.end(after + STOP);
    }));

  test('a comment without end', () =>
    expectFallback(true, async (_, response) => {
      openStream(response);
      response.write(': ');
      await writeAll(response, FILLER, 64);
      response.end(`\n\n${chunk({ content: 'so there' })}${STOP}`);
    }));

  test('a JSON answer of 48 MiB', () =>
    expectFallback(false, async (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"');
      await writeAll(response, FILLER, 48);
      response.end('"}}]}');
    }));
});

test('I6: an error page of 64 MiB still falls back by its status', async () => {
  const [hostile, good] = pool.take(2) as [string, string];
  house.upstream.script(hostile, async (_, response) => {
    response.writeHead(500, { 'content-type': 'application/json' });
    await writeAll(response, FILLER, 64);
    response.end();
  });
  house.upstream.script(good, answer());
  const response = await house.chat(along([hostile, good]));
  expect(response.headers.get('x-headrace-endpoint')).toBe(good);
  await response.text();
});

test('I6: large but honest answers arrive whole: an event of 4 MiB, JSON of 16 MiB', async () => {
  const [streaming, whole] = pool.take(2) as [string, string];
  const large = 'é'.repeat(2 * MIB);
  house.upstream.script(streaming, (_, response) => {
    openStream(response);
    response.end(chunk({ content: large }) + STOP);
  });
  house.upstream.script(whole, send(200, 'application/json', JSON.stringify(completion({ text: 'x'.repeat(16 * MIB) }))));
  const seen = await readStream(await house.chat({ stream: true, ...along([streaming]) }));
  expect(seen.done).toBe(true);
  expect(seen.text === large).toBe(true);
  const body = (await (await house.chat(along([whole]))).json()) as { choices: { message: { content: string } }[] };
  expect(body.choices[0]?.message.content.length).toBe(16 * MIB);
});

test('I6: 100,000 tiny events arrive, every one', async () => {
  const [only] = talkative.take(1) as [string];
  const events = 100_000;
  house.upstream.script(only, async (_, response) => {
    openStream(response);
    await writeAll(response, Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'.repeat(1000)), events / 1000);
    response.end(STOP);
  });
  const seen = await readStream(await house.chat({ stream: true, ...along([only]) }));
  expect(seen).toMatchObject({ done: true, error: undefined });
  expect(seen.text.length).toBe(events);
});

describe('I7: a compressed bomb from an upstream is capped, and the request falls back:', () => {
  const zipped = { 'content-encoding': 'gzip' };

  test('as JSON', () => {
    const bomb = gzipSync(Buffer.concat([Buffer.alloc(64 * MIB, ' '), Buffer.from(JSON.stringify(completion()))]));
    return expectFallback(false, send(200, 'application/json', bomb, zipped));
  });

  test('as one endless event', () => {
    const bomb = gzipSync(chunk({ content: 'x'.repeat(64 * MIB) }) + STOP);
    return expectFallback(true, send(200, SSE, bomb, zipped));
  });
});

test.each(['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip', 'x-unknown'])(
  'I7: a request in %s is refused with 415 and reaches nobody',
  async (encoding) => {
    const [only] = pool.take(1) as [string];
    house.upstream.script(only, answer());
    const body = gzipSync(JSON.stringify({ model: 'test/echo-1', messages: [], ...along([only]) }));
    const response = await house.chat({}, { body, headers: { 'content-encoding': encoding } });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ error: { code: 415 } });
    expect(house.upstream.callsTo(only)).toEqual([]);
  },
);

test('I9: a client that does not read holds the upstream back, is no fault of the upstream, and gets everything once it reads', async () => {
  const [only] = talkative.take(1) as [string];
  const piece = Buffer.from(chunk({ content: 'x'.repeat(64 * 1024) }));
  const pieces = 1024;
  let takenBytes = 0;
  house.upstream.script(only, async (_, response) => {
    openStream(response);
    for (let count = 0; count < pieces && !response.destroyed; count++) takenBytes += await writeAll(response, piece, 1);
    response.end(STOP);
  });
  const client = await sendRaw(house, { stream: true, ...along([only]) }, { paused: true });
  // Longer than a stall may take: silence on this side is the client's doing.
  await pause(6500);
  // What the sockets on both sides hold, and little more.
  expect(takenBytes).toBeLessThan(32 * MIB);

  let receivedBytes = 0;
  let tail = '';
  await new Promise<void>((resolve) => {
    client.socket.on('data', (bytes) => {
      receivedBytes += bytes.length;
      tail = (tail + bytes.toString('latin1')).slice(-2000);
      if (tail.includes('data: [DONE]') || tail.includes('"error"')) resolve();
    });
    client.socket.on('close', () => resolve());
    client.socket.resume();
  });
  client.reset();
  expect(tail).toContain('data: [DONE]');
  expect(receivedBytes).toBeGreaterThan(pieces * 64 * 1024);
});
