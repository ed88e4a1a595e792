import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildTinyModel } from '#engine/llama/tiny-model';
import type { NodeLoad } from '#schema/node-service';
import { openReader, readStream } from '#test/support/read-stream';
import { ask, chatBody, post, readMetric, textOf, until, type SaidChat } from './ask.ts';
import { findEngine, startEngine, type StartedEngine } from './found-engine.ts';
import type { NodeProcess } from './node-process.ts';
import { descriptionOf, MODEL, openOperatedHouse, type OperatedHouse } from './operated-house.ts';

const llamaServer = findEngine('llama-server', 'HEADRACE_TEST_LLAMA_SERVER');

/** One thread: on several, a tiny model waits for itself most of the time. */
const COMMON = ['--host', '127.0.0.1', '--threads', '1', '--no-warmup'];
const QUANTIZED = ['--cache-type-k', 'q8_0', '--cache-type-v', 'q4_0', '--flash-attn', 'on'];

/** Goes on until the context is full: the end of an answer is too unlikely to be said. */
const ENDLESS = { stream: true, max_tokens: 6_000, temperature: 1, logit_bias: { 2: -100 } };

describe.skipIf(llamaServer.file === '')(llamaServer.title, () => {
  const started: StartedEngine[] = [];
  let scratch: string;
  let file: string;
  let house: OperatedHouse;
  let split: StartedEngine;
  let node: NodeProcess;

  async function start(flags: readonly string[], port?: number): Promise<StartedEngine> {
    const args = (at: number) => ['--model', file, '--port', String(at), ...COMMON, ...flags];
    const engine = await startEngine(llamaServer.file, { args, ...(port !== undefined && { port }) });
    started.push(engine);
    return engine;
  }
  const chat = (wishes: object, init?: RequestInit) => house.chat({ model: MODEL, ...chatBody(wishes) }, init);
  /** Long prompts of the caller's: a token is a letter here, and four of them anywhere else. */
  const say = (letters: number) => ({ messages: [{ role: 'user', content: 'x'.repeat(letters) }] });

  beforeAll(async () => {
    scratch = mkdtempSync(path.join(tmpdir(), 'headrace-llama-server-'));
    file = path.join(scratch, 'tiny-llama-F16.gguf');
    writeFileSync(file, buildTinyModel({ context: 12_288 }));
    const flags = ['--alias', 'tiny', '--parallel', '2', '--ctx-size', '12288', '--metrics', ...QUANTIZED];
    house = await openOperatedHouse();
    split = await start(flags);
    node = await house.join('split', { url: split.url, upstreamModel: 'tiny' }, '--kv-pool', '12288');
  });
  afterAll(async () => {
    await house?.stop();
    await Promise.all(started.map((engine) => engine.stop()));
    rmSync(scratch, { recursive: true, force: true });
  });

  it('is recognised, with the context of a slot, what its operator says that all slots hold, and its weights', () => {
    const { engine, models } = descriptionOf(node);
    expect(engine).toEqual({ name: 'llama-cpp', version: expect.stringMatching(/^b\d+/) });
    const capacity = { poolTokens: 12_288, maxSequences: 2 };
    expect(models).toMatchObject([{ upstreamModel: 'tiny', context: 6144, quantization: 'fp16', kvCache: 'unknown', capacity }]);
    expect(models[0]?.capabilities).toContain('continuation');
    expect(models[0]?.measured?.tpotMs).toBeGreaterThan(0);
  });

  it('keeps its word in the first probe, as far as a model without sense can show it', async () => {
    const { data } = (await house.manage('GET', '/endpoints/split')) as {
      data: { state: string; seen: { findings: { declared: unknown }[]; seen: object } };
    };
    expect(data.state).toBe('active');
    // Whether a model without sense calls the tool that it is drawn is chance.
    expect(data.seen.findings.filter(({ declared }) => declared !== 'tools')).toEqual([]);
    const capabilities = { logprobs: true, json_object: true, json_schema: true, seed: true };
    expect(data.seen.seen).toMatchObject({ context: 6144, streams: true, capabilities });
  });

  it('says through the router what it says itself, with its logprobs and its usage', async () => {
    const wishes = { logprobs: true, top_logprobs: 2 };
    const response = await chat(wishes);
    expect(response.headers.get('x-headrace-endpoint')).toBe('split');
    const [routed, direct] = [(await response.json()) as SaidChat, await ask(split, wishes)];
    expect(textOf(routed)).toBe(textOf(direct));
    expect(routed.choices[0].logprobs?.content.map(({ token }) => token).join('')).toBe(textOf(direct));
    expect(routed.usage).toMatchObject({ prompt_tokens: direct.usage.prompt_tokens, completion_tokens: 40 });
    expect(routed).not.toHaveProperty('timings');
  });

  it('answers raw completions with log probabilities in their own shape, not in that of chats', async () => {
    const response = await fetch(`${house.url}/v1/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${house.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: MODEL, prompt: 'The headrace ', max_tokens: 4, temperature: 0, logprobs: 2 }),
    });
    const said = (await response.json()) as { choices: [{ text: string; logprobs: { tokens: string[]; token_logprobs: number[] } }] };
    expect(said.choices[0].logprobs.tokens.join('')).toBe(said.choices[0].text);
    expect(said.choices[0].logprobs.token_logprobs).toHaveLength(4);
  });

  it('streams through the router, and is booked with the tokens that it counts', async () => {
    const response = await chat({ stream: true });
    const seen = await readStream(response);
    expect([seen.done, seen.text.length]).toEqual([true, 40]);
    const row = await house.receiptRow(response.headers.get('x-generation-id') ?? '');
    expect(row).toMatchObject({ endpoint_id: 'split', completion_tokens: 40 });
  });

  it('refuses a prompt that turns out too long, and the caller is told so', async () => {
    const response = await chat({ ...say(9000), max_tokens: 5 });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { metadata: { error_type: 'context_length_exceeded' } } });
  });

  it('lets requests wait without a word; the node says how many wait, and how much of the cache is held', async () => {
    const left = new AbortController();
    const before = node.events.length;
    const asked = [1, 2, 3].map((seed) => chat({ ...ENDLESS, seed }, { signal: left.signal }).catch(() => null));
    const loads = () => node.events.slice(before).map(({ load }) => load as NodeLoad | null | undefined);
    const busy = () => loads().find((load) => (load?.waiting ?? 0) > 0);
    await until(async () => busy() !== undefined);
    left.abort();
    await Promise.all(asked);
    expect(busy()).toEqual({ running: 2, waiting: 1, kv_usage: expect.any(Number) });
    await until(async () => (await readMetric(split, 'llamacpp:requests_processing')) === 0);
  });

  it('stops when the caller leaves', async () => {
    const response = await chat(ENDLESS);
    const reader = openReader(response);
    await reader.until(({ text }) => text.length > 5);
    expect(await readMetric(split, 'llamacpp:requests_processing')).toBe(1);
    await reader.cancel();
    await until(async () => (await readMetric(split, 'llamacpp:requests_processing')) === 0);
    expect(await readMetric(split, 'llamacpp:requests_processing')).toBe(0);
  });

  it('without flags shares one cache among its slots, and promises no more than that holds', async () => {
    const shared = await start(['--alias', 'tiny', '--ctx-size', '1024']);
    const joined = await house.join('shared', { url: shared.url, upstreamModel: 'tiny' }, '--benchmark', 'none');
    expect(descriptionOf(joined).models[0]).toMatchObject({ context: 1024, capacity: { poolTokens: 1024, maxSequences: 4 } });
    // What happens to one that is given more than it holds: every answer under way ends.
    const long = chatBody({ ...say(200), ...ENDLESS, max_tokens: 600 });
    const ends = await Promise.all([1, 2, 3, 4].map(async (seed) => (await post(shared, 'chat/completions', { ...long, seed })).text()));
    expect(ends.filter((end) => end.includes('Context size has been exceeded'))).not.toEqual([]);
  });

  it('that dies in the middle of an answer is followed by another that goes on where it stopped', async () => {
    const mortal = await start(['--alias', 'tiny', '--parallel', '2', '--ctx-size', '12288']);
    await house.join('mortal', { url: mortal.url, upstreamModel: 'tiny' }, '--benchmark', 'none');
    const response = await chat({ ...ENDLESS, max_tokens: 4_000, provider: { order: ['mortal', 'split'] } });
    expect(response.headers.get('x-headrace-endpoint')).toBe('mortal');
    const reader = openReader(response);
    await reader.until(({ text }) => text.length > 50);
    const before = reader.seen.text;
    await mortal.kill();
    await reader.until(() => false);
    expect(reader.seen.error).toBeUndefined();
    expect(reader.seen.done).toBe(true);
    expect(reader.seen.text.startsWith(before)).toBe(true);
    // A beginning that was repeated would stand in it twice.
    expect(reader.seen.text.lastIndexOf(before.slice(0, 50))).toBe(0);
    expect(await house.receiptRow(response.headers.get('x-generation-id') ?? '')).toMatchObject({ endpoint_id: 'split' });
  });

  it('that sleeps is not woken by looks at it, and wakes for a caller', async () => {
    const sleepy = await start(['--alias', 'tiny', '--parallel', '1', '--ctx-size', '2048', '--sleep-idle-seconds', '2']);
    await house.join('sleepy', { url: sleepy.url, upstreamModel: 'tiny' }, '--benchmark', 'none');
    const isAsleep = async () => ((await (await fetch(`${sleepy.url}/props`)).json()) as { is_sleeping: boolean }).is_sleeping;
    await until(isAsleep);
    // Longer than between two looks at its load.
    for (let second = 0; second < 6; second++) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(await isAsleep()).toBe(true);
    }
    expect((await chat({ provider: { only: ['sleepy'] } })).status).toBe(200);
  });

  it('that comes back with another context is described anew, without the node being told', async () => {
    const first = await start(['--alias', 'tiny', '--parallel', '2', '--ctx-size', '4096']);
    await house.join('swapped', { url: first.url, upstreamModel: 'tiny' }, '--benchmark', 'none');
    await first.kill();
    await start(['--alias', 'tiny', '--parallel', '2', '--ctx-size', '2048'], first.port);
    const now = async () => {
      const { data } = (await house.manage('GET', '/endpoints/swapped')) as { data: { declared: { context: number }; capacity: object } };
      return { context: data.declared.context, capacity: data.capacity };
    };
    const small = { context: 1024, capacity: { pool_tokens: 1024, max_sequences: 2 } };
    // The node looks every twenty seconds, and at once when it has missed its engine.
    for (let look = 0; look < 80 && !isDeepStrictEqual(await now(), small); look++)
      await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await now()).toEqual(small);
  });
});
