import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readAnswer, readError } from '#test/support/answers';
import { openHouse, type House } from '#test/support/house';
import { answer, completion, sendJson } from '#test/support/openai-scripts';
import { readStream } from '#test/support/read-stream';
import type { Script } from '#test/support/scripted-upstream';
import { PATIENCE } from '#test/support/patience';

/** What the rigs hold, all sequences together. */
const POOL_TOKENS = 4_000;
const CAPACITY = { poolTokens: POOL_TOKENS, maxSequences: 8 };
const EXPECTED = { ttftMs: 150, tpotMs: 9, source: 'probe' };
/** The catalogue is looked at again every few seconds. */

interface Plan {
  candidates: { endpoint: string; ttft_ms: number; load: object | null; basis: { ttft: string; tpot: string; load: string | null } }[];
  rejections: { endpoint: string; filter: string; reason: string }[];
}

let house: House;

beforeAll(async () => {
  const rig = { engine: 'vllm', price: { prompt: 0.1, completion: 0.1 } };
  house = await openHouse({
    endpoints: [
      { ...rig, id: 'rig' },
      { id: 'api' },
      { ...rig, id: 'lone-rig', model: 'test/lone' },
      { ...rig, id: 'fresh-rig', model: 'test/fresh' },
      { id: 'plain', model: 'test/plain' },
    ],
  });
  await register(['rig', 'lone-rig', 'fresh-rig']);
});
afterAll(() => house.stop());
beforeEach(() => house.upstream.reset());

/** Makes endpoints of the manifest registered ones whose capacity a probe has seen. */
async function register(ids: readonly string[]): Promise<void> {
  const db = await house.db();
  const nowMs = Date.now();
  const [capacity, expected] = [JSON.stringify(CAPACITY), JSON.stringify(EXPECTED)];
  await db.batch([
    ...ids.flatMap((id) => [
      db.prepare("UPDATE endpoints SET source = 'registered' WHERE id = ?1").bind(id),
      db
        .prepare(
          `INSERT INTO registrations (endpoint_id, operator_id, state, since_ms, capacity, expected, next_probe_at_ms, created_at_ms, updated_at_ms)
           VALUES (?1, 'op', 'active', ?2, ?3, ?4, ?5, ?2, ?2)`,
        )
        .bind(id, nowMs, capacity, expected, nowMs + 3_600_000),
    ]),
    db.prepare("UPDATE meta SET value = 'registered' WHERE name = 'catalogue_version'"),
  ]);
  await vi.waitFor(async () => expect((await explain({ model: 'test/fresh' })).candidates[0]?.basis.ttft).toBe('probe'), {
    ...PATIENCE,
    interval: 300,
  });
}

async function explain(body: Record<string, unknown> = {}): Promise<Plan> {
  const response = await fetch(`${house.url}/v1/explain`, {
    method: 'POST',
    headers: { authorization: `Bearer ${house.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'test/echo-1', messages: [{ role: 'user', content: 'Say hello.' }], ...body }),
  });
  return (await response.json()) as Plan;
}

/** Answers with the load of a vLLM whose KV cache is used so far. */
function loaded(kvUsage: number, waiting = 0): Script {
  const header = `JSON {"named_metrics":{"kv_cache_usage_perc":${kvUsage},"num_requests_waiting":${waiting}}}`;
  return (_call, response) => sendJson(response, 200, completion(), { 'endpoint-load-metrics': header });
}

describe('a node that tells its load', () => {
  it('is asked for it, and what it says reaches neither the client nor engines that are not known to say it', async () => {
    house.upstream.script('fresh-rig', loaded(0.1));
    house.upstream.script('plain', answer());
    const response = await house.chat({ model: 'test/fresh' });
    await readAnswer(response);
    expect(response.headers.has('endpoint-load-metrics')).toBe(false);
    await readAnswer(await house.chat({ model: 'test/plain' }));
    expect(house.upstream.callsTo('fresh-rig')[0]?.headers['endpoint-load-metrics-format']).toBe('JSON');
    expect(house.upstream.callsTo('plain')[0]?.headers).not.toHaveProperty('endpoint-load-metrics-format');
  });

  it('that is full is not asked for what it cannot hold, and the plan says why', async () => {
    house.upstream.script('rig', loaded(0.95));
    house.upstream.script('api', answer());
    const first = await house.chat();
    await readAnswer(first);
    expect(first.headers.get('x-headrace-endpoint')).toBe('rig');
    for (let request = 0; request < 5; request++) {
      const response = await house.chat();
      await readAnswer(response);
      expect(response.headers.get('x-headrace-endpoint')).toBe('api');
    }
    expect(house.upstream.callsTo('rig')).toHaveLength(1);
    const { candidates, rejections } = await explain();
    expect(candidates.map(({ endpoint }) => endpoint)).toEqual(['api']);
    expect(rejections).toMatchObject([{ endpoint: 'rig', filter: 'full' }]);
    expect(rejections[0]?.reason).toMatch(/^KV cache has room for 200 tokens now; \d+ are needed$/);
    // Ten tokens fit still.
    expect((await explain({ max_tokens: 10 })).candidates.map(({ endpoint }) => endpoint)).toContain('rig');
  });

  it('that is the only one is worth coming back to: 503 with Retry-After, and what it could never hold is no matter of time', async () => {
    house.upstream.script('lone-rig', loaded(0.97, 4));
    await readAnswer(await house.chat({ model: 'test/lone', max_tokens: 20 }));
    const full = await house.chat({ model: 'test/lone' });
    expect([full.status, full.headers.get('retry-after')]).toEqual([503, '1']);
    await readError(full);
    const never = await house.chat({ model: 'test/lone', max_tokens: 4_001 });
    expect(never.status).toBe(404);
    expect(JSON.stringify(await readError(never))).toContain('KV cache of 4000 tokens is below');
    expect(house.upstream.callsTo('lone-rig')).toHaveLength(1);
  });

  it('is expected to be as fast as its probe until requests have measured it, and the receipt says what was gone by', async () => {
    house.upstream.script('fresh-rig', loaded(0.5, 6));
    const { candidates } = await explain({ model: 'test/fresh' });
    expect(candidates[0]?.basis).toMatchObject({ ttft: 'probe', tpot: 'probe' });
    const response = await house.chat({ model: 'test/fresh' });
    await readAnswer(response);
    const after = (await explain({ model: 'test/fresh' })).candidates[0];
    expect(after).toMatchObject({ basis: { load: 'node' }, load: { in_flight: 6, cap: 8 } });
    expect(after?.ttft_ms).toBeGreaterThan(candidates[0]?.ttft_ms ?? Infinity);
    const again = await house.chat({ model: 'test/fresh' });
    await readAnswer(again);
    const id = again.headers.get('x-generation-id') ?? '';
    const generation = await (await house.get(`/v1/generation?id=${id}`)).json();
    expect(JSON.stringify(generation)).toContain('"basis":{"ttft":"probe","tpot":"probe","load":"node"}');
    const replayed = await fetch(`${house.url}/v1/explain?generation=${id}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${house.key}` },
    });
    expect(await replayed.json()).toMatchObject({ same_order: true });
    house.upstream.script('fresh-rig', answer());
    await readStream(await house.chat({ model: 'test/fresh', stream: true }));
    expect((await explain({ model: 'test/fresh' })).candidates[0]?.basis.ttft).toBe('measured');
  });
});
