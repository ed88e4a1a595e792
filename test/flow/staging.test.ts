import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probedEndpoint, registeredEndpointData } from '#schema/answers/operators';
import { MODEL } from '#test/support/house';
import { MANAGERS, openOperatorsHouse, type Endpoint, type OperatorsHouse } from '#test/support/operators-house';
import { engine, type EngineTraits } from '#test/support/scripted-engine';

let open: OperatorsHouse;
let operatorKey: string;

beforeAll(async () => {
  open = await openOperatorsHouse();
  operatorKey = await open.operator('op');
});
afterAll(() => open.stop());

const read = async (id: string): Promise<Endpoint> =>
  registeredEndpointData.parse(await (await open.manage('GET', `/endpoints/${id}`)).json()).data;

async function sql(statement: string): Promise<void> {
  await (await open.house.db()).prepare(statement).run();
}

/** Lets a manager register an endpoint of a model of its own, and waits for the first probe. */
async function vouched(id: string, traits: EngineTraits = {}, more: Record<string, unknown> = {}): Promise<Endpoint> {
  open.house.upstream.script(id, engine(`up/${id}`, traits));
  await open.register({ ...open.wish(id), model: `test/${id}`, upstream_model: `up/${id}`, operator: 'op', ...more });
  return probed(id);
}

async function probed(id: string): Promise<Endpoint> {
  await expect.poll(async () => (await read(id)).probed_at).not.toBeNull();
  return read(id);
}

const ask = (model: string, body: Record<string, unknown> = {}) => open.house.chat({ model, ...body });

interface Plan {
  candidates: { endpoint: string; gates: string[] }[];
  relaxed: string[];
}

/** Plans a request; nothing is sent. */
async function explain(body: Record<string, unknown>): Promise<Plan> {
  const response = await open.house.get('/v1/explain', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Say hello.' }], ...body }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Plan;
}

/** Makes an endpoint due, and runs the schedule. */
async function runSchedule(id: string): Promise<Endpoint> {
  await sql(`UPDATE registrations SET next_probe_at_ms = 0 WHERE endpoint_id = '${id}'`);
  await open.house.runJobs();
  return read(id);
}

describe('an endpoint that a manager vouches for', () => {
  it('serves as soon as its first probe is passed, although nobody knew its model a moment ago', async () => {
    expect((await ask('test/honest')).status).toBe(404);
    const endpoint = await vouched('honest');
    expect(endpoint).toMatchObject({ state: 'active', reason: null, traffic_share: 1, expected: { source: 'probe' } });
    const response = await ask('test/honest');
    expect([response.status, response.headers.get('x-headrace-endpoint')]).toEqual([200, 'honest']);
  });

  it('is never asked by a request before it was probed', async () => {
    open.house.upstream.script('unprobed', engine('up/unprobed', { chat: () => undefined }));
    await open.register({ ...open.wish('unprobed'), model: 'test/unprobed', upstream_model: 'up/unprobed', operator: 'op' });
    expect((await ask('test/unprobed')).status).toBe(404);
  });

  it('gives up what it has declared and cannot show: tools, codec, context', async () => {
    const metrics = 'vllm:cache_config_info{cache_dtype="fp8",block_size="16",num_gpu_blocks="100"} 1\n';
    const declared = { kv_cache: 'bf16', context: 32_768, engine: 'vllm', capabilities: ['tools'] };
    const endpoint = await vouched('liar', { context: 4_096, metrics, hasTools: false }, declared);
    expect(endpoint.state).toBe('active');
    expect(endpoint.seen?.seen).toMatchObject({ context: 4_096, kv_cache: 'fp8', capabilities: { tools: false } });
    expect(endpoint.seen?.findings.map(({ what, severity }) => `${what}:${severity}`).toSorted()).toEqual([
      'capability:mismatch',
      'context:mismatch',
      'kv_cache:mismatch',
    ]);
    expect(endpoint.capacity).toEqual({ pool_tokens: 1_600, max_sequences: null });
    expect((await ask('test/liar', { provider: { kv_cache: ['bf16'] } })).status).toBe(404);
    expect((await ask('test/liar', { provider: { kv_cache: ['fp8'] } })).status).toBe(200);
    const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } };
    expect((await ask('test/liar', { tools: [tool] })).status).toBe(404);
    expect((await ask('test/liar', { max_tokens: 6_000 })).status).not.toBe(200);
  });

  it('is expected to be as slow as it was seen', async () => {
    const slow = await vouched('slow', { tokenMs: 40 });
    expect(slow.state).toBe('active');
    expect(slow.expected?.tpot_ms).toBeGreaterThan(30);
  });
});

describe('an endpoint that is no model', () => {
  const CASES: [id: string, traits: EngineTraits, reason: RegExp][] = [
    ['elsewhere', { models: ['up/other'] }, /not in its model list/],
    ['page', { chat: (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>') }, /a web page/],
    ['redirects', { chat: (_, response) => void response.writeHead(307, { location: '/rig/v1/chat/completions' }).end() }, /redirect/],
    [
      'faulty',
      { chat: (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"error":{"message":"x"}}') },
      /error inside a 200/,
    ],
    ['hangs', { chat: () => undefined }, /no answer in time/],
  ];

  it.each(CASES)('gets no request: %s', async (id, traits, reason) => {
    const before = open.house.upstream.callsTo('rig').length;
    const endpoint = await vouched(id, traits);
    expect(endpoint.state).toBe('probing');
    expect(endpoint.reason).toMatch(reason);
    expect((await ask(`test/${id}`)).status).toBe(404);
    // S7: where it points is not called.
    expect(open.house.upstream.callsTo('rig').length).toBe(before);
  });

  it('is quarantined after three failed probes, and comes back by a passed one', async () => {
    open.house.upstream.script('elsewhere', engine('up/elsewhere', { chat: (_, response) => void response.writeHead(500).end() }));
    expect((await runSchedule('elsewhere')).state).toBe('probing');
    expect((await runSchedule('elsewhere')).state).toBe('quarantined');
    open.house.upstream.script('elsewhere', engine('up/elsewhere'));
    expect(await runSchedule('elsewhere')).toMatchObject({ state: 'active', reason: null });
    await expect.poll(async () => (await ask('test/elsewhere')).status).toBe(200);
  });
});

describe('an endpoint of an operator whom nobody knows', () => {
  it('R6: proves itself, begins with a hundredth of the traffic, and serves whoever names it or has nobody else', async () => {
    const { upstream } = open.house;
    upstream.script('rig', engine('echo-1-upstream'));
    upstream.script('newcomer', engine('up/newcomer'));
    const wish = { ...open.wish('newcomer'), upstream_model: 'up/newcomer', price: { prompt: 0.001, completion: 0.001 } };
    const { challenge, state } = await open.register(wish, operatorKey);
    expect(state).toBe('pending');
    expect(upstream.callsTo('newcomer')).toEqual([]);

    upstream.script('.well-known', (_, response) => void response.end(challenge?.body));
    const response = await open.manage('POST', '/endpoints/newcomer/probe', undefined, operatorKey);
    const { data, report } = probedEndpoint.parse(await response.json());
    expect(report?.completed).toBe(true);
    expect(data).toMatchObject({ state: 'probation', traffic_share: 0.01, challenge: null });

    // The cheapest by far, so that it is the choice in every plan that lets it in.
    const plans = await Promise.all(Array.from({ length: 20 }, () => explain({ model: MODEL })));
    for (const { candidates } of plans) {
      const place = candidates.findIndex(({ endpoint }) => endpoint === 'newcomer');
      expect(candidates[place]?.gates).toEqual(place === 0 ? [] : ['stage']);
    }
    expect(plans.filter(({ candidates }) => candidates[0]?.endpoint === 'rig').length).toBeGreaterThan(10);

    const named = await ask(MODEL, { provider: { only: ['newcomer'] } });
    expect([named.status, named.headers.get('x-headrace-endpoint')]).toEqual([200, 'newcomer']);
    const alone = await ask(MODEL, { provider: { ignore: ['rig'] } });
    expect([alone.status, alone.headers.get('x-headrace-endpoint')]).toEqual([200, 'newcomer']);
  });

  it('R6: grows with what its operator has completed, each request once, and is past its probation at a thousand', async () => {
    // A quarter of the traffic, so that some of it comes without being asked for.
    await sql('UPDATE operators SET clean_completions = 200');
    await sql("UPDATE meta SET value = value || '+quarter' WHERE name = 'catalogue_version'");
    const ids: string[] = [];
    let given = 0;
    for (let n = 0; n < 400 && given < 3; n++) {
      const response = await ask(MODEL);
      if (response.headers.get('x-headrace-endpoint') === 'newcomer') given++;
      ids.push(((await response.json()) as { id: string }).id);
    }
    for (let n = 0; n < 5; n++) ids.push(((await (await ask(MODEL, { provider: { only: ['newcomer'] } })).json()) as { id: string }).id);
    for (const id of ids) await open.house.receiptRow(id);
    const completions = async () =>
      ((await (await open.manage('GET', '/operators/op', undefined, MANAGERS.admin)).json()) as { data: { clean_completions: number } })
        .data.clean_completions;
    const before = await completions();
    // As if all of it had been ten minutes ago.
    await sql('UPDATE attempts SET started_at_ms = started_at_ms - 600000');
    await sql(`UPDATE operators SET counted_to_ms = ${Date.now() - 900_000}`);
    await open.house.runJobs();
    const counted = await completions();
    // Requests that named it are among those that it has served, and are no reference; the three that went to other models of its operator, which
    // nobody else serves, are.
    expect(counted).toBe(before + given + 3);
    await open.house.runJobs();
    expect(await completions()).toBe(counted);

    await sql('UPDATE operators SET clean_completions = 1000');
    await open.house.runJobs();
    expect(await read('newcomer')).toMatchObject({ state: 'active', traffic_share: 1 });
    await expect
      .poll(async () => (await explain({ model: MODEL })).candidates[0])
      .toEqual(expect.objectContaining({ endpoint: 'newcomer', gates: [] }));
  });

  it('tells nobody where it stands: no address is in what the Worker logs', () => {
    const { port } = new URL(open.house.upstream.url('x'));
    expect(open.logged.filter((line) => line.includes('endpoint_probed')).length).toBeGreaterThan(0);
    expect(open.logged.filter((line) => line.includes(`:${port}`))).toEqual([]);
  });
});
