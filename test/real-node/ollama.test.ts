import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildTinyModel } from '#engine/llama/tiny-model';
import type { NodeLoad } from '#schema/node-service';
import { openReader, readStream } from '#test/support/read-stream';
import { findFreePort } from '#test/support/free-port';
import { ask, chatBody, textOf, until, type SaidChat } from './ask.ts';
import { findEngine, startEngine, type StartedEngine } from './found-engine.ts';
import type { NodeProcess } from './node-process.ts';
import { descriptionOf, MODEL, openOperatedHouse, type OperatedHouse } from './operated-house.ts';

const ollama = findEngine('ollama', 'HEADRACE_TEST_OLLAMA');

/** A second or two of answer: this model never comes to an end of it. */
const LONG = { stream: true, max_tokens: 1_800 };

describe.skipIf(ollama.file === '')(ollama.title, () => {
  let scratch: string;
  let home: Record<string, string>;
  let house: OperatedHouse;
  let engine: StartedEngine;
  let node: NodeProcess;

  async function start(port?: number): Promise<StartedEngine> {
    const at = port ?? (await findFreePort());
    const env = { ...home, OLLAMA_HOST: `127.0.0.1:${at}`, OLLAMA_CONTEXT_LENGTH: '2048' };
    return startEngine(ollama.file, { args: () => ['serve'], port: at, env, readyPath: '/api/version' });
  }
  const chat = (wishes: object, init?: RequestInit) => house.chat({ model: MODEL, ...chatBody(wishes) }, init);
  const direct = (wishes: object) => ask(engine, { model: 'tiny', ...wishes });

  beforeAll(async () => {
    scratch = mkdtempSync(path.join(tmpdir(), 'headrace-ollama-'));
    home = { HOME: scratch, OLLAMA_MODELS: path.join(scratch, 'models') };
    writeFileSync(path.join(scratch, 'tiny.gguf'), buildTinyModel({ context: 4096 }));
    writeFileSync(path.join(scratch, 'Modelfile'), 'FROM ./tiny.gguf\nPARAMETER num_thread 1\n');
    house = await openOperatedHouse();
    engine = await start();
    const env = { ...process.env, ...home, OLLAMA_HOST: `127.0.0.1:${engine.port}` };
    const made = spawnSync(ollama.file, ['create', 'tiny', '-f', 'Modelfile'], { cwd: scratch, env, encoding: 'utf8' });
    if (made.status !== 0) throw new Error(made.stderr);
    node = await house.join('at-home', { url: engine.url, upstreamModel: 'tiny:latest' }, '--benchmark', 'full');
  }, 120_000);
  afterAll(async () => {
    await house?.stop();
    await engine?.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  it('is recognised, and once its model is loaded it says how long the context is, and shows how many it answers at once', () => {
    const { engine: said, models } = descriptionOf(node);
    expect(said.name).toBe('ollama');
    const capacity = { poolTokens: null, maxSequences: 1 };
    expect(models).toMatchObject([{ upstreamModel: 'tiny:latest', context: 2048, quantization: 'fp16', capacity }]);
    expect(models[0]?.measured?.tpotMs).toBeGreaterThan(0);
  });

  it('keeps its word in the first probe, as far as a model without sense can show it, and promises no tools that it lacks', async () => {
    expect(descriptionOf(node).models[0]?.capabilities).not.toContain('tools');
    const { data } = (await house.manage('GET', '/endpoints/at-home')) as { data: { state: string; seen: { seen: object } } };
    expect(data.state).toBe('active');
    expect(data.seen.seen).toMatchObject({ streams: true, capabilities: { logprobs: true, json_schema: true, seed: true } });
  });

  it('says through the router what it says itself, with its logprobs and its usage', async () => {
    const wishes = { logprobs: true, top_logprobs: 2 };
    const response = await chat(wishes);
    expect(response.headers.get('x-headrace-endpoint')).toBe('at-home');
    const [routed, own] = [(await response.json()) as SaidChat, await direct(wishes)];
    expect(textOf(routed)).toBe(textOf(own));
    expect(routed.choices[0].logprobs?.content.map(({ token }) => token).join('')).toBe(textOf(own));
    expect(routed.usage).toMatchObject({ prompt_tokens: own.usage.prompt_tokens, completion_tokens: own.usage.completion_tokens });
  });

  it('streams through the router, and is booked with the tokens that it counts', async () => {
    const response = await chat({ stream: true });
    const seen = await readStream(response);
    expect(seen.done).toBe(true);
    const row = await house.receiptRow(response.headers.get('x-generation-id') ?? '');
    expect(row).toMatchObject({ endpoint_id: 'at-home', completion_tokens: seen.usage?.completion_tokens });
  });

  it('cuts a prompt that is too long without a word, so the router never sends it one', async () => {
    const tooLong = { messages: [{ role: 'user', content: 'word '.repeat(3_000) }], max_tokens: 2 };
    expect((await direct(tooLong)).usage.prompt_tokens).toBeLessThanOrEqual(2048);
    const response = await chat(tooLong);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { metadata: { error_type: 'context_length_exceeded' } } });
  });

  it('is not asked to think by a caller who does not insist on it, where its model cannot', async () => {
    expect((await chat({ reasoning: { effort: 'low' } })).status).toBe(200);
  });

  it('answers one at a time: the node says who waits', async () => {
    const left = new AbortController();
    const before = node.events.length;
    const asked = [1, 2, 3, 4].map(() => chat(LONG, { signal: left.signal }).catch(() => null));
    const loads = () => node.events.slice(before).map(({ load }) => load as NodeLoad | null | undefined);
    const busy = () => loads().find((load) => (load?.waiting ?? 0) > 0);
    await until(async () => busy() !== undefined);
    left.abort();
    await Promise.all(asked);
    expect(busy()).toMatchObject({ running: 1, kv_usage: null });
  });

  it('that is killed is gone for the node at once, and is served again once it is back', async () => {
    const response = await chat(LONG);
    const reader = openReader(response);
    await reader.until(({ text }) => text !== '');
    await engine.kill();
    await reader.until(() => false);
    expect(reader.seen.error).toBeDefined();
    const last = () => node.events.findLast(({ event }) => event === 'engine')?.['there'];
    await until(async () => last() === false);
    expect(last()).toBe(false);
    engine = await start(engine.port);
    await until(async () => last() === true);
    let status = 0;
    await until(async () => {
      const again = await chat({ max_tokens: 1 });
      await again.body?.cancel();
      return (status = again.status) === 200;
    });
    expect(status).toBe(200);
  });
});
