import { expect, test } from 'vitest';
import type { Devnet } from '#devnet/devnet';
import { chat, send, startFleet, stateOf, until, type WireAnswer } from './support.ts';

async function metric(devnet: Devnet, id: string, name: string): Promise<number> {
  const { text } = await send(`${devnet.url}/${id}/metrics`);
  return Number(new RegExp(`^vllm:${name}\\{[^}]*\\} (.*)$`, 'm').exec(text)?.[1]);
}

/** Opens streams that hold their slots until the returned controller aborts. */
async function occupy(devnet: Devnet, id: string, count: number, fields: Record<string, unknown> = {}) {
  const controller = new AbortController();
  const { running, waiting } = await stateOf(devnet, id);
  const answers = Array.from({ length: count }, () => chat(devnet, id, { stream: true, ...fields }, { signal: controller.signal }));
  await until(devnet, id, (state) => state.running + state.waiting === running + waiting + count);
  return { leave: () => controller.abort(), answers };
}

test('a node has health, a model list with its limits, and a TurboQuant cache in its metrics', async () => {
  const devnet = await startFleet();
  expect((await send(`${devnet.url}/rig-4090-a/health`)).status).toBe(200);
  const models = JSON.parse((await send(`${devnet.url}/rig-4090-a/v1/models`)).text);
  expect(models.data[0]).toMatchObject({ id: 'Qwen/Qwen3-8B-FP8', max_model_len: 32_768, root: 'Qwen/Qwen3-8B-FP8' });
  const { text } = await send(`${devnet.url}/rig-4090-a/metrics`);
  expect(text).toMatch(/^vllm:cache_config_info\{.*cache_dtype="turboquant_4bit_nc".*kv_cache_size_tokens="220048".*\} 1$/m);
});

test('running and cache usage rise with load and fall to zero when clients leave', async () => {
  const devnet = await startFleet(0.01);
  expect(await metric(devnet, 'rig-4090-a', 'num_requests_running')).toBe(0);
  const load = await occupy(devnet, 'rig-4090-a', 4);
  expect(await metric(devnet, 'rig-4090-a', 'num_requests_running')).toBe(4);
  expect(await metric(devnet, 'rig-4090-a', 'kv_cache_usage_perc')).toBeGreaterThan(0);
  load.leave();
  await until(devnet, 'rig-4090-a', (state) => state.running === 0);
  expect(await metric(devnet, 'rig-4090-a', 'kv_cache_usage_perc')).toBe(0);
  expect((await stateOf(devnet, 'rig-4090-a')).counters['cancelled']).toBe(4);
});

test('a node full of sequences lets some wait, then answers 503 in its own shape', async () => {
  const devnet = await startFleet(0.01);
  await occupy(devnet, 'rig-4090-a', 20);
  expect(await metric(devnet, 'rig-4090-a', 'num_requests_running')).toBe(16);
  expect(await metric(devnet, 'rig-4090-a', 'num_requests_waiting')).toBe(4);
  const refused = await chat(devnet, 'rig-4090-a');
  expect(refused.status).toBe(503);
  expect(JSON.parse(refused.text).error).toMatchObject({ type: 'ServiceUnavailableError', code: 503 });
  expect((await send(`${devnet.url}/rig-4090-a/metrics`)).text).toMatch(/admission_rejections_total\{.*reason="requests"\} 1/);
});

test('a node whose cache is full answers 503 while sequences are free', async () => {
  const devnet = await startFleet(0.01);
  const messages = [{ role: 'user', content: 'x'.repeat(120_000) }];
  await occupy(devnet, 'rig-4090-a', 7, { messages });
  expect(await metric(devnet, 'rig-4090-a', 'num_requests_running')).toBe(7);
  expect(await metric(devnet, 'rig-4090-a', 'kv_cache_usage_perc')).toBeGreaterThan(0.9);
  expect((await chat(devnet, 'rig-4090-a', { messages })).status).toBe(503);
});

test('a client that leaves frees its place for the one that waits', async () => {
  const devnet = await startFleet(0.01);
  const first = await occupy(devnet, 'rig-4090-a', 16);
  await occupy(devnet, 'rig-4090-a', 2);
  expect(await stateOf(devnet, 'rig-4090-a')).toMatchObject({ running: 16, waiting: 2 });
  first.leave();
  await until(devnet, 'rig-4090-a', (state) => state.running === 2 && state.waiting === 0);
});

test('a client that leaves the queue gives up its place in it', async () => {
  const devnet = await startFleet(0.01);
  await occupy(devnet, 'rig-4090-a', 16);
  const queued = await occupy(devnet, 'rig-4090-a', 4);
  queued.leave();
  await until(devnet, 'rig-4090-a', (state) => state.running === 16 && state.waiting === 0);
  expect(await stateOf(devnet, 'rig-4090-a')).toMatchObject({ running: 16, counters: { cancelled: 4 } });
});

test('what runs is what was counted: tokens and finish reasons add up over answers', async () => {
  const devnet = await startFleet();
  const answers: WireAnswer[] = [];
  for (const maxTokens of [5, 50, 5000]) answers.push(await chat(devnet, 'rack-h100-a', { max_tokens: maxTokens }));
  const total = answers.reduce((sum, { text }) => sum + JSON.parse(text).usage.completion_tokens, 0);
  expect(await metric(devnet, 'rack-h100-a', 'generation_tokens_total')).toBe(total);
  expect(await metric(devnet, 'rack-h100-a', 'time_to_first_token_seconds_count')).toBe(3);
});

test('a load sample rides on the answer for those who ask', async () => {
  const devnet = await startFleet();
  const headers = { 'endpoint-load-metrics-format': 'JSON' };
  const answer = await chat(devnet, 'rig-4090-a', {}, { headers });
  const sample = JSON.parse(String(answer.headers['endpoint-load-metrics']).replace(/^JSON /, ''));
  expect(sample.named_metrics.num_requests_waiting).toBe(0);
  expect(sample.named_metrics.kv_cache_usage_perc).toBeGreaterThan(0);
});

test('a full miner answers 429', async () => {
  const devnet = await startFleet(0.01);
  await occupy(devnet, 'miner-swift', 24);
  expect((await chat(devnet, 'miner-swift')).status).toBe(429);
});
