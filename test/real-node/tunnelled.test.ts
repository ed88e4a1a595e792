import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawnEngine, type RunningEngine } from '#engine/llama/spawn';
import { openHouse, type House } from '#test/support/house';
import { openReader } from '#test/support/read-stream';
import { ask, chatBody, textOf, until, type SaidChat } from './ask.ts';
import { joinNode, type NodeProcess } from './node-process.ts';

const MODEL = 'headrace/tiny-llama';
const ADMIN = 'sk-hr-mgmt-admin-00000000000';
const JOIN_MS_MAX = 15_000;

const engines = new Map<string, RunningEngine>();
const nodes = new Map<string, NodeProcess>();
let house: House;

const engineOf = (name: string): RunningEngine => found(engines.get(name));
const nodeOf = (name: string): NodeProcess => found(nodes.get(name));

function found<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('was not started');
  return value;
}

async function manage(path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${house.url}/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}

/** Makes a token and joins with it: `as` names the token's node or its operator. */
async function join(name: string, as: object): Promise<void> {
  const { token } = await manage('/nodes/tokens', as);
  const flags = { router: house.url, token: String(token), upstream: engineOf(name).url, name, model: `${MODEL}=tiny-llama` };
  const common = ['--benchmark', 'none', '--price', '1/1', '--drain-timeout', '5'];
  nodes.set(name, await joinNode([...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]), ...common]));
}

const chat = (wishes: object) => house.chat({ model: MODEL, ...chatBody(wishes) });

beforeAll(async () => {
  const cacheOf = { 'home-q8': 'q8_0', 'rack-f16': 'f16', 'rack-q4': 'q4_0' };
  const spawned = Object.entries(cacheOf).map(async ([name, type]) => {
    engines.set(name, await spawnEngine(['--slots', '4', '--ctx', '8192', '--cache-type-k', type, '--cache-type-v', type]));
  });
  const tunnel = {
    model: MODEL,
    upstream_model: 'tiny-llama',
    url: undefined,
    link: 'tunnel',
    engine: 'llama-cpp',
    context: 8192,
    max_output: 8000,
  };
  const capabilities = ['logprobs', 'seed', 'continuation'];
  [house] = await Promise.all([
    openHouse({
      endpoints: [
        { id: 'rack-f16', ...tunnel, kv_cache: 'fp16', capabilities },
        { id: 'rack-q4', ...tunnel, kv_cache: 'q4_0', capabilities },
      ],
      manifest: { management_keys: [{ name: 'admin', value: ADMIN }] },
    }),
    ...spawned,
  ]);
});
afterAll(async () => {
  await Promise.all([...nodes.values()].map((node) => node.stop()));
  await house?.stop();
  await Promise.all([...engines.values()].map((engine) => engine.stop()));
});

describe('a real engine behind `headrace node join`', () => {
  it('of an operator serves its first routed completion within 15 s of joining, and it is the engine’s own', async () => {
    await manage('/operators', { id: 'at-home' });
    const beganAtMs = performance.now();
    await join('home-q8', { operator: 'at-home' });
    let response = await chat({ provider: { only: ['home-q8'] } });
    await until(async () => {
      if (response.status === 200) return true;
      await response.body?.cancel();
      response = await chat({ provider: { only: ['home-q8'] } });
      return false;
    });
    expect(response.status).toBe(200);
    expect(performance.now() - beganAtMs).toBeLessThan(JOIN_MS_MAX);
    expect(response.headers.get('x-headrace-endpoint')).toBe('home-q8');
    const routed = (await response.json()) as SaidChat;
    const direct = await ask(engineOf('home-q8'));
    expect(textOf(routed)).toBe(textOf(direct));
    const row = await house.receiptRow(response.headers.get('x-generation-id') ?? '');
    expect(row).toMatchObject({ endpoint_id: 'home-q8', prompt_tokens: direct.usage.prompt_tokens, completion_tokens: 40 });
  });

  it('is known with the KV cache that the engine has', async () => {
    const response = await chat({ provider: { kv_cache: ['q8_0'] } });
    expect(response.headers.get('x-headrace-endpoint')).toBe('home-q8');
    await response.body?.cancel();
  });

  it('of the manifest serves under its name: f16 and q4_0 side by side, each with its own words and logprobs', async () => {
    await Promise.all([join('rack-f16', { node: 'rack-f16' }), join('rack-q4', { node: 'rack-q4' })]);
    const wishes = { logprobs: true, top_logprobs: 3, max_tokens: 200 };
    const texts = new Set<string>();
    for (const name of ['rack-f16', 'rack-q4']) {
      const response = await chat({ ...wishes, provider: { only: [name] } });
      expect(response.status).toBe(200);
      const routed = (await response.json()) as SaidChat;
      const direct = await ask(engineOf(name), wishes);
      expect(textOf(routed)).toBe(textOf(direct));
      expect(routed.choices[0].logprobs?.content).toEqual(direct.choices[0].logprobs?.content);
      texts.add(textOf(routed));
    }
    expect(texts.size).toBe(2);
  });

  it('whose node is killed in the middle of a stream is followed by another that goes on', async () => {
    const response = await chat({ stream: true, max_tokens: 4000, provider: { order: ['rack-q4', 'rack-f16'] } });
    expect(response.headers.get('x-headrace-endpoint')).toBe('rack-q4');
    const reader = openReader(response);
    await reader.until(({ text }) => text.length > 50);
    process.kill(nodeOf('rack-q4').pid, 'SIGKILL');
    await reader.until(() => false);
    expect(reader.seen.error).toBeUndefined();
    expect(reader.seen.done).toBe(true);
    expect(reader.seen.text).toHaveLength(4000);
    const row = await house.receiptRow(response.headers.get('x-generation-id') ?? '');
    expect(row).toMatchObject({ endpoint_id: 'rack-f16' });
  });

  it('leaves with exit code 0 when it is told to, after what it is saying', async () => {
    const response = await chat({ stream: true, max_tokens: 1000, provider: { only: ['rack-f16'] } });
    const reader = openReader(response);
    await reader.until(({ text }) => text !== '');
    const stopped = nodeOf('rack-f16').stop();
    await reader.until(() => false);
    expect(reader.seen.text).toHaveLength(1000);
    await stopped;
    expect(await nodeOf('rack-f16').exited).toBe(0);
    const refused = await chat({ provider: { only: ['rack-f16'] } });
    expect(await refused.json()).toMatchObject({ error: { metadata: { previous_errors: [{ provider: 'rack-f16', code: 503 }] } } });
  });
});
