import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyModel } from '#engine/vllm/tiny-model';
import { answer } from '#test/support/openai-scripts';
import { openReader, readStream } from '#test/support/read-stream';
import { ask, chatBody, post, readMetric, textOf, until, type SaidChat } from './ask.ts';
import { findEngine, startEngine, type StartedEngine } from './found-engine.ts';
import type { NodeProcess } from './node-process.ts';
import { descriptionOf, MODEL, openOperatedHouse, type OperatedHouse } from './operated-house.ts';

const UPSTREAM = 'tiny-qwen3';
const CONTEXT = 2048;
const SEQUENCES = 4;
/** It loads Python for most of this. */
const START_MS_MAX = 180_000;
/** Within a minute a node looks at its engine again. */
const AGAIN_MS_MAX = 90_000;

const vllm = findEngine('vllm', 'HEADRACE_TEST_VLLM');
const COMMON = ['--host', '127.0.0.1', '--served-model-name', UPSTREAM, '--max-num-seqs', String(SEQUENCES), '--enforce-eager'];
/** One thread, one GiB of cache where there is no card, and no word to anybody. */
const ENVIRONMENT = {
  OMP_NUM_THREADS: '1',
  VLLM_CPU_KVCACHE_SPACE: '1',
  VLLM_CPU_OMP_THREADS_BIND: 'nobind',
  VLLM_NO_USAGE_STATS: '1',
  HF_HUB_OFFLINE: '1',
};

describe.skipIf(vllm.file === '')(vllm.title, () => {
  let folder: string;
  let house: OperatedHouse;
  let engine: StartedEngine;
  let node: NodeProcess;

  const start = (context: number, flags: readonly string[], port?: number) =>
    startEngine(vllm.file, {
      args: (on) => ['serve', folder, '--port', String(on), '--max-model-len', String(context), ...COMMON, ...flags],
      env: ENVIRONMENT,
      readyMsMax: START_MS_MAX,
      ...(port !== undefined && { port }),
    });
  const chat = (wishes: object, init?: RequestInit) =>
    house.chat({ model: MODEL, provider: { only: ['home'] }, ...chatBody(wishes) }, init);
  const direct = { model: UPSTREAM };
  const gauge = (name: string) => readMetric(engine, `vllm:${name}\\{[^}]*\\}`);
  const endpoint = async () => (await house.manage('GET', '/endpoints/home'))['data'] as Record<string, unknown>;
  const label = async (name: string) => {
    const info = /^vllm:cache_config_info\{(.*)\}/m.exec(await (await fetch(`${engine.url}/metrics`)).text())?.[1] ?? '';
    return new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(info)?.[1];
  };

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'headrace-vllm-'));
    writeTinyModel(folder);
    [house, engine] = await Promise.all([
      openOperatedHouse([{ id: 'spare', model: MODEL, price: { prompt: 9, completion: 9 } }]),
      start(CONTEXT, ['--max-num-queued-reqs', String(SEQUENCES), '--enable-prompt-tokens-details']),
    ]);
    house.upstream.script('spare', answer({ text: 'the spare' }));
    node = await house.join('home', { url: engine.url, upstreamModel: UPSTREAM });
  }, START_MS_MAX);
  afterAll(async () => {
    await house?.stop();
    await engine?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is recognised, with its context, its cache and all that fits', async () => {
    const { engine: said, models } = descriptionOf(node);
    expect(said).toEqual({ name: 'vllm', version: expect.stringMatching(/^\d+\.\d+/) });
    const poolTokens = Number(await label('num_gpu_blocks')) * Number(await label('block_size'));
    expect(models).toMatchObject([{ upstreamModel: UPSTREAM, context: CONTEXT, kvCache: 'bf16', capacity: { poolTokens } }]);
    expect(models[0]?.measured?.tpotMs).toBeGreaterThan(0);
  });

  it('is found by the probe to be what it says, but for tools, which it was not started with', async () => {
    const { seen, state } = (await endpoint()) as { state: string; seen: { completed: boolean; seen: Record<string, unknown> } };
    expect([state, seen.completed]).toEqual(['active', true]);
    expect(seen.seen).toMatchObject({ context: CONTEXT, streams: true, capabilities: { logprobs: true, seed: true, tools: false } });
  });

  it('says through the router what it says itself, with its logprobs and its usage', async () => {
    const wishes = { logprobs: true, top_logprobs: 2 };
    const response = await chat(wishes);
    expect(response.headers.get('x-headrace-endpoint')).toBe('home');
    const [routed, own] = [(await response.json()) as SaidChat, await ask(engine, { ...wishes, ...direct })];
    expect(textOf(routed)).toBe(textOf(own));
    expect(routed.choices[0].logprobs?.content).toEqual(own.choices[0].logprobs?.content);
    expect(routed.usage).toMatchObject({ prompt_tokens: own.usage.prompt_tokens, completion_tokens: own.usage.completion_tokens });
    for (const inner of ['kv_transfer_params', 'ec_transfer_params', 'prompt_token_ids']) expect(routed).not.toHaveProperty(inner);
  });

  it('streams bit by bit, and is booked with the tokens that it counts', async () => {
    const response = await chat({ stream: true, min_tokens: 40 });
    const seen = await readStream(response);
    expect(seen.text).toHaveLength(40);
    // Tokens that come faster than they can be sent share an event.
    expect(seen.chunks.filter(({ choices }) => choices[0]?.delta.content).length).toBeGreaterThan(8);
    expect(seen.usage).toMatchObject({ completion_tokens: 40, headrace: { source: 'reported' } });
    const row = await house.receiptRow(response.headers.get('x-generation-id') ?? '');
    expect(row).toMatchObject({ endpoint_id: 'home', completion_tokens: 40 });
  });

  it('goes on where an answer has been left', async () => {
    const { messages } = chatBody() as { messages: object[] };
    const whole = textOf(await ask(engine, { ...direct, min_tokens: 40 }));
    const begun = [...messages, { role: 'assistant', content: whole.slice(0, 15) }];
    const rest = { continue_final_message: true, add_generation_prompt: false, max_tokens: 25, min_tokens: 25 };
    expect(textOf(await ask(engine, { ...direct, messages: begun, ...rest }))).toBe(whole.slice(15));
  });

  it('refuses a prompt that does not fit, and the caller hears that it is too long', async () => {
    const response = await chat({ messages: [{ role: 'user', content: 'headrace '.repeat(400) }] });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { metadata: { headrace_code: 'context_length_exceeded' } } });
  });

  it('stops writing for a caller who has left', async () => {
    const left = new AbortController();
    const reader = openReader(await chat({ stream: true, max_tokens: 1500, ignore_eos: true }, { signal: left.signal }));
    await reader.until(({ text }) => text !== '');
    expect(await gauge('num_requests_running')).toBe(1);
    left.abort();
    await until(async () => (await gauge('num_requests_running')) === 0);
    expect(await gauge('num_requests_running')).toBe(0);
  });

  it('that is full says so, also inside a stream, and the request goes elsewhere', async () => {
    const left = new AbortController();
    const long = chatBody({ ...direct, stream: true, max_tokens: 1900, ignore_eos: true });
    const crowd = Array.from({ length: 5 * SEQUENCES }, () => post(engine, 'chat/completions', long, left.signal));
    const saysFull = async (one: Promise<Response>) => {
      const answer = await one;
      expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('"code": 503')]);
    };
    await Promise.any(crowd.map(saysFull));
    await until(async () => (await gauge('num_requests_running')) === SEQUENCES);
    const order = { provider: { order: ['home', 'spare'] } };
    const answers = await Promise.all(
      Array.from({ length: 3 * SEQUENCES }, (_, place) => place % 2 === 0).map((stream) => chat({ ...order, stream, max_tokens: 100 })),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers.map(({ headers }) => headers.get('x-headrace-endpoint'))).toContain('spare');
    await Promise.all(answers.map((one) => one.text()));
    left.abort();
    await Promise.allSettled(crowd);
  });

  it('that dies in the middle of a stream leaves the caller with a typed error and the router with a receipt', async () => {
    const response = await chat({ stream: true, max_tokens: 1500, ignore_eos: true });
    const reader = openReader(response);
    await reader.until(({ text }) => text.length > 20);
    await engine.kill();
    await reader.until(() => false);
    expect(reader.seen.error?.metadata.error_type).toBe('provider_unavailable');
    const row = await house.receiptRow(response.headers.get('x-generation-id') ?? '');
    expect(Number(row['completion_tokens'])).toBeGreaterThan(20);
    const refused = await chat({});
    expect(refused.status).toBe(502);
    expect(await refused.json()).toMatchObject({ error: { metadata: { previous_errors: [{ provider: 'lab', code: 503 }] } } });
  });

  it(
    'that comes back with a shorter context and another cache is known by them',
    async () => {
      engine = await start(CONTEXT / 2, ['--kv-cache-dtype', 'fp8'], engine.port);
      const isKnown = async () => {
        const { context, kv_cache: cache } = (await endpoint())['declared'] as { context: number; kv_cache: string };
        return context === CONTEXT / 2 && cache === 'fp8';
      };
      for (const giveUpAtMs = performance.now() + AGAIN_MS_MAX; performance.now() < giveUpAtMs && !(await isKnown());) await until(isKnown);
      expect(await isKnown()).toBe(true);
      expect(textOf((await (await chat({ min_tokens: 40 })).json()) as SaidChat)).toHaveLength(40);
    },
    START_MS_MAX + AGAIN_MS_MAX,
  );
});
