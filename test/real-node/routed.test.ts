import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawnEngine, type RunningEngine } from '#engine/llama/spawn';
import { openHouse, type House } from '#test/support/house';
import { openReader, readStream } from '#test/support/read-stream';
import { ask, chatBody, textOf, type SaidChat } from './ask.ts';

const MODEL = 'headrace/tiny-llama';
const SLOTS = 2;

let full: RunningEngine;
let rotated: RunningEngine;
let mortal: RunningEngine;
let house: House;

/** Describes an engine as an operator would in the manifest. */
function endpointOf(id: string, { url }: RunningEngine, kvCache: string, price: number): { id: string } & Record<string, unknown> {
  return {
    id,
    model: MODEL,
    upstream_model: 'tiny-llama',
    url: `${url}/v1`,
    engine: 'llama-cpp',
    kv_cache: kvCache,
    context: 8192,
    max_output: 8000,
    price: { prompt: price, completion: price },
    capabilities: ['logprobs', 'seed', 'continuation'],
  };
}

beforeAll(async () => {
  const common = ['--slots', String(SLOTS), '--ctx', '8192'];
  [full, rotated, mortal] = await Promise.all([
    spawnEngine(common),
    spawnEngine([...common, '--cache-type-k', 'q4_0', '--cache-type-v', 'q4_0']),
    spawnEngine(common),
  ]);
  house = await openHouse({
    endpoints: [
      endpointOf('node-f16', full, 'fp16', 2),
      endpointOf('node-q4', rotated, 'q4_0', 4),
      { ...endpointOf('node-mortal', mortal, 'fp16', 1), model: `${MODEL}-mortal` },
      { ...endpointOf('node-f16-again', full, 'fp16', 2), model: `${MODEL}-mortal` },
    ],
  });
});
afterAll(async () => {
  await house?.stop();
  await Promise.all([full, rotated, mortal].map((engine) => engine?.stop()));
});

const chat = (wishes: object, init?: RequestInit) => house.chat({ model: MODEL, ...chatBody(wishes) }, init);

describe('a real engine behind the router', () => {
  it('answers with what it says itself, logprobs included, and the receipt names it', async () => {
    const wishes = { logprobs: true, top_logprobs: 3 };
    for (const [id, engine] of [['node-f16', full] as const, ['node-q4', rotated] as const]) {
      const response = await chat({ ...wishes, provider: { only: [id] } });
      expect(response.status).toBe(200);
      expect(response.headers.get('x-headrace-endpoint')).toBe(id);
      const routed = (await response.json()) as SaidChat;
      const direct = await ask(engine, wishes);
      expect(textOf(routed)).toBe(textOf(direct));
      expect(routed.choices[0].logprobs?.content).toEqual(direct.choices[0].logprobs?.content);
      expect(routed.usage).toMatchObject({ prompt_tokens: direct.usage.prompt_tokens, completion_tokens: 40 });
      const row = await house.receiptRow(response.headers.get('x-generation-id') ?? '');
      expect(row).toMatchObject({ endpoint_id: id, prompt_tokens: direct.usage.prompt_tokens, completion_tokens: 40 });
    }
  });

  it('streams token by token', async () => {
    const response = await chat({ stream: true, provider: { only: ['node-f16'] } });
    const seen = await readStream(response);
    expect(seen.text).toBe(textOf(await ask(full)));
    expect(seen.chunks.filter(({ choices }) => choices[0]?.delta.content)).toHaveLength(40);
    expect(seen.usage).toMatchObject({ completion_tokens: 40, headrace: { source: 'reported' } });
  });

  it('is left out by a policy on KV codecs', async () => {
    const response = await chat({ provider: { kv_cache: ['q4_0'] } });
    expect(response.headers.get('x-headrace-endpoint')).toBe('node-q4');
    expect(textOf((await response.json()) as SaidChat)).toBe(textOf(await ask(rotated)));
  });

  it('that is full sends its requests elsewhere, and none of them fails', async () => {
    const answers = await Promise.all(
      Array.from({ length: SLOTS * 2 }, () => chat({ stream: true, max_tokens: 1000, provider: { order: ['node-f16', 'node-q4'] } })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: SLOTS * 2 }, () => 200));
    const served = answers
      .map(({ headers }) => headers.get('x-headrace-endpoint') ?? '')
      .toSorted((left, right) => left.localeCompare(right));
    expect(served).toEqual(['node-f16', 'node-f16', 'node-q4', 'node-q4']);
    await Promise.all(answers.map((answer) => answer.text()));
  });

  it('that dies in the middle of an answer is followed by another that goes on with real tokens', async () => {
    const wishes = { stream: true, max_tokens: 4000, provider: { order: ['node-mortal', 'node-f16-again'] } };
    const response = await house.chat({ model: `${MODEL}-mortal`, ...chatBody(wishes) });
    expect(response.headers.get('x-headrace-endpoint')).toBe('node-mortal');
    const reader = openReader(response);
    await reader.until(({ text }) => text.length > 50);
    process.kill(mortal.pid, 'SIGKILL');
    await reader.until(() => false);
    expect(reader.seen.error).toBeUndefined();
    expect(reader.seen.done).toBe(true);
    expect(reader.seen.text).toHaveLength(4000);
    const row = await house.receiptRow(response.headers.get('x-generation-id') ?? '');
    expect(row).toMatchObject({ endpoint_id: 'node-f16-again' });
  });
});
