import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { REGISTRATION_STATES } from '#schema/registration';
import { refusal, runHere, startFakeRouter, type FakeRouter } from '../fake-router.ts';

const OPERATOR_KEY = 'sk-hr-op-00000000000000000000';
const SHOWN_ONCE = 'sk-hr-op-shown-once';

let router: FakeRouter;
beforeAll(async () => void (router = await startFakeRouter()));
afterAll(() => router.stop());

const alice = {
  id: 'alice',
  name: 'Alice’s rack',
  team: null,
  clean_completions: 120,
  traffic_share: 0.05,
  next_stage_at: 200,
  endpoints: 2,
  nodes: 1,
  created_at: '2026-11-22T00:00:00.000Z',
};

const served = { requests: 1_204, prompt_tokens: 90_000, completion_tokens: 12_000, usd: 3.25 };
const earned = {
  since: '2026-10-23T00:00:00.000Z',
  until: '2026-11-22T00:00:00.000Z',
  ...served,
  endpoints: [{ id: 'rack-1', ...served }],
};
const keyOf = (start: string) => ({ hash: start.padEnd(64, '0'), label: `sk-hr-op-…${start}`, created_at: '2026-11-22T00:00:00.000Z' });

const endpoint = (more: object = {}) => ({
  id: 'rack-1',
  operator: 'alice',
  node: null,
  model: 'qwen/qwen3-8b',
  upstream_model: 'Qwen/Qwen3-8B',
  url: 'https://gpu.example.com/v1',
  supply: 'selfhosted',
  state: 'pending',
  reason: 'its challenge is not served yet',
  since: '2026-11-22T10:00:00.000Z',
  challenge: { url: 'https://gpu.example.com/.well-known/headrace/abc', body: 'abc' },
  proven_at: null,
  vouched: null,
  declared: { engine: 'vllm', weights: 'fp8', kv_cache: 'bf16', context: 32768, max_concurrency: null, capabilities: ['tools'] },
  seen: null,
  expected: { ttft_ms: 210, tpot_ms: 10, source: 'probe' },
  capacity: { pool_tokens: 120000, max_sequences: null },
  price: { prompt: 0.02, completion: 0.06, request: 0 },
  traffic_share: 0,
  ...more,
});

const node = {
  id: 'rig-4090',
  operator: 'alice',
  linked: true,
  linked_at: '2026-11-22T10:00:00.000Z',
  draining: false,
  streams: 3,
  load: { running: 3, waiting: 1, kv_usage: 0.42 },
  description: { engine: { name: 'vllm', version: null }, gpu: { name: 'RTX 4090', count: 2 } },
  endpoints: [{ id: 'rig-4090', state: 'active' }],
};

beforeEach(() => {
  router.reset();
  router.on('GET /operators', () => ({ data: [alice] }));
  router.on('GET /operators/alice', () => ({ data: { ...alice, earned } }));
  router.on('GET /operators/alice/keys', () => ({ data: [keyOf('3f9c1a7e'), keyOf('3f00beef')] }));
  router.on(`DELETE /operators/alice/keys/${keyOf('3f9c1a7e').hash}`, () => ({ deleted: true }));
  router.on('POST /operators', () => [201, { data: alice, key: SHOWN_ONCE }]);
  router.on('POST /operators/alice/keys', () => [201, { data: alice, key: SHOWN_ONCE }]);
  router.on('DELETE /operators/alice', () => ({ deleted: true }));
  router.on('GET /endpoints', () => ({ data: [endpoint()] }));
  router.on('GET /endpoints/rack-1', () => ({ data: endpoint({ history: [] }) }));
  router.on('POST /endpoints', () => [201, { data: endpoint() }]);
  router.on('PATCH /endpoints/rack-1', ({ body }) => ({
    data: endpoint({ state: (body as { state?: string }).state === 'draining' ? 'draining' : 'probing' }),
  }));
  router.on('DELETE /endpoints/rack-1', () => ({ data: endpoint({ state: 'retired' }) }));
  router.on('POST /endpoints/rack-1/probe', () => ({ data: endpoint({ state: 'probation', challenge: null }), report: null }));
  router.on('POST /nodes/tokens', () => [201, { token: 'hr-join-once', expires_at: '2026-11-22T11:00:00.000Z', operator: 'alice' }]);
  router.on('GET /nodes', () => ({ data: [node] }));
  router.on('GET /nodes/rig-4090', () => ({ data: node }));
  router.on('POST /nodes/rig-4090/drain', () => ({ data: node }));
  router.on('DELETE /nodes/rig-4090', () => ({ deleted: true }));
});

describe('headrace operators', () => {
  it('K7: prints a new key alone on stdout, and says beside it that it is shown once', async () => {
    expect(await router.headrace('operators', 'create', 'alice', '--name', 'Alice’s rack')).toEqual({
      code: 0,
      out: `${SHOWN_ONCE}\n`,
      err: 'operator alice; its key is shown this once:\n',
    });
    expect(await router.headrace('operators', 'keys', 'alice', '--quiet')).toEqual({ code: 0, out: `${SHOWN_ONCE}\n`, err: '' });
    expect(router.sent.map(({ path, body }) => [path, body])).toEqual([
      ['/operators', { id: 'alice', name: 'Alice’s rack' }],
      ['/operators/alice/keys', {}],
    ]);
  });

  it('shows what an operator has earned, in all and by endpoint', async () => {
    const { out } = await router.headrace('operators', 'show', 'alice');
    expect(out).toMatch(/^earned +\$3\.25 since 2026-10-23, 1,204 requests and the router’s own checks$/m);
    expect(out).toMatch(/rack-1 +1,204 .*\$3\.25/);
  });

  it('lists the keys of an operator and revokes one by how its hash begins', async () => {
    const { out } = await router.headrace('operators', 'keys', 'alice', '--list');
    expect(out).toContain('3f9c1a7e0000');
    expect(await router.headrace('operators', 'revoke', 'alice', '3f')).toMatchObject({ code: 1, err: expect.stringContaining('2 keys') });
    expect(await router.headrace('operators', 'revoke', 'alice', 'aa')).toMatchObject({ code: 1, err: expect.stringContaining('no key') });
    expect(router.sent.some(({ method }) => method === 'DELETE')).toBe(false);
    expect(await router.headrace('operators', 'revoke', 'alice', '3f9')).toMatchObject({
      code: 0,
      out: expect.stringContaining('revoked'),
    });
  });

  it('lists them with how far they are trusted', async () => {
    const { out } = await router.headrace('operators', 'list');
    expect(out).toMatch(/alice .*2 .*1 .*120 .*5 %/);
    expect((await router.headrace('operators', 'show', 'alice')).out).toContain('5 % of the traffic until 200 clean completions');
    expect(JSON.parse((await router.headrace('operators', 'list', '--json')).out)).toEqual({ data: [alice] });
  });

  it('asks before it removes one, and does nothing where nobody can be asked', async () => {
    expect(await router.headrace('operators', 'delete', 'alice')).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
    expect(router.sent).toEqual([]);
    expect(await router.headrace('operators', 'delete', 'alice', '--yes')).toMatchObject({ code: 0, out: 'removed operator alice\n' });
  });
});

describe('headrace endpoints', () => {
  const add = ['endpoints', 'add', 'rack-1', '--upstream', 'https://gpu.example.com/v1', '--model', 'qwen/qwen3-8b'];

  it('registers one and says what to serve where', async () => {
    const { code, out } = await router.headrace(...add, '--price', '0.02/0.06', '--context', '32768', '--capabilities', 'tools,seed');
    expect(code).toBe(0);
    expect(out).toContain('https://gpu.example.com/.well-known/headrace/abc\n  abc\nthen: npx headrace endpoints probe rack-1');
    expect(router.sent[0]?.body).toEqual({
      id: 'rack-1',
      model: 'qwen/qwen3-8b',
      url: 'https://gpu.example.com/v1',
      price: { prompt: 0.02, completion: 0.06 },
      context: 32768,
      capabilities: ['tools', 'seed'],
    });
  });

  it('K5: takes the endpoint’s key from a variable, never from an argument', async () => {
    process.env.RACK_KEY_OF_TEST = 'rack-key';
    await router.headrace(...add, '--key-env', 'RACK_KEY_OF_TEST');
    delete process.env.RACK_KEY_OF_TEST;
    expect(router.sent[0]?.body).toMatchObject({ key: 'rack-key' });
    expect(await router.headrace(...add, '--key-env', 'NO_SUCH_VARIABLE')).toMatchObject({ code: 1 });
  });

  it('shows the price that waits for a manager beside the one that is charged', async () => {
    const held = {
      price: { prompt: 0.2, completion: 0.6, request: 0 },
      reason: 'the prompt price rises',
      asked_at: '2026-11-22T10:00:00.000Z',
    };
    for (const [state, said] of [
      ['held', 'a manager decides'],
      ['rejected', 'a manager has rejected it'],
    ] as const) {
      router.on('GET /endpoints/rack-1', () => ({ data: endpoint({ held_price: { ...held, state } }) }));
      const { out } = await router.headrace('endpoints', 'show', 'rack-1');
      expect(out).toMatch(/price +\$0\.02 in, \$0\.06 out per million tokens/);
      expect(out).toContain(`$0.2 in, $0.6 out per million tokens: ${said} (the prompt price rises)`);
    }
  });

  it('lists, shows, probes, drains, resumes and retires', async () => {
    expect((await router.headrace('endpoints', 'list', '--operator', 'alice', '--in', 'pending')).out).toContain('rack-1');
    expect(router.sent[0]?.query).toEqual({ operator: 'alice', state: 'pending' });
    expect((await router.headrace('endpoints', 'show', 'rack-1')).out).toContain(
      'first token in 210 ms, 100 tokens/s, holds 120,000 tokens',
    );
    expect((await router.headrace('endpoints', 'probe', 'rack-1')).out).toContain('rack-1 of alice: probation');
    expect((await router.headrace('endpoints', 'drain', 'rack-1', '--reason', 'new fans')).out).toBe('rack-1 is draining\n');
    expect((await router.headrace('endpoints', 'resume', 'rack-1')).out).toBe('rack-1 is probing\n');
    expect((await router.headrace('endpoints', 'retire', 'rack-1', '--yes')).out).toBe('rack-1 has retired\n');
    expect(router.sent.filter(({ method }) => method === 'PATCH').map(({ body }) => body)).toEqual([
      { state: 'draining', reason: 'new fans' },
      { state: 'active' },
    ]);
  });

  it('shows no speed of one that was timed at nothing', async () => {
    router.on('GET /endpoints/rack-1', () => ({ data: endpoint({ expected: { ttft_ms: 90, tpot_ms: 0, source: 'probe' } }) }));
    const { out } = await router.headrace('endpoints', 'show', 'rack-1');
    expect(out).toContain('first token in 90 ms, holds 120,000 tokens');
    expect(out).not.toContain('Infinity');
  });

  it('shows who vouches for one, and whether it answers as its model does', async () => {
    const comparison = { at: '2026-11-22T11:00:00.000Z', verdict: 'differs', distance: 0.61, tolerance: 0.31, references: 2, differed: 1 };
    router.on('GET /endpoints/rack-1', () => ({
      data: endpoint({ vouched: { by: 'key-admin', at: '2026-11-22T10:00:00.000Z' }, seen: { findings: [], comparison } }),
    }));
    const { out } = await router.headrace('endpoints', 'show', 'rack-1');
    expect(out).toMatch(/vouched +by key-admin since 2026-11-22/);
    expect(out).toMatch(/model is +another one than it says: distance 0\.61 to 2 other endpoints, 0\.31 at most/);
  });

  it('vouches for one, and takes the word back', async () => {
    await router.headrace('endpoints', 'vouch', 'rack-1', '--reason', 'our own');
    await router.headrace('endpoints', 'vouch', 'rack-1', '--withdraw');
    expect(router.sent.map(({ body }) => body)).toEqual([{ vouched: true, reason: 'our own' }, { vouched: false }]);
  });

  it('changes what is named, and nothing where nothing is', async () => {
    expect(await router.headrace('endpoints', 'change', 'rack-1')).toMatchObject({ code: 2 });
    await router.headrace('endpoints', 'change', 'rack-1', '--price', '0.03/0.09');
    expect(router.sent.map(({ body }) => body)).toEqual([{ price: { prompt: 0.03, completion: 0.09 } }]);
  });

  it('knows every state that there is, and says what was meant', async () => {
    for (const state of REGISTRATION_STATES) expect((await router.headrace('endpoints', 'list', '--in', state)).code).toBe(0);
    expect((await router.headrace('endpoints', 'list', '--in', 'asleep')).code).toBe(2);
    expect((await router.headrace('endpoints', 'lst')).err).toContain('Did you mean list?');
    expect(await router.headrace('endpoints', 'add', 'rack-1')).toMatchObject({ code: 2, err: expect.stringContaining('--upstream') });
  });

  it('passes the router’s refusal on in one line', async () => {
    router.on('POST /endpoints', () =>
      refusal(400, 'invalid_request', "Invalid value for 'url': the address is private or reserved.", { param: 'url' }),
    );
    expect(await router.headrace(...add)).toMatchObject({
      code: 1,
      err: "headrace: Invalid value for 'url': the address is private or reserved\n",
    });
  });
});

describe('headrace nodes', () => {
  it('K7: prints a join token alone on stdout', async () => {
    expect(await router.headrace('nodes', 'token', '--operator', 'alice', '--expires', '10m')).toEqual({
      code: 0,
      out: 'hr-join-once\n',
      err: 'join token for operator alice, good for one node until 2026-11-22 11:00Z:\n',
    });
    expect(router.sent[0]?.body).toEqual({ operator: 'alice', expires_s: 600 });
  });

  it('lists, shows, drains and removes', async () => {
    expect((await router.headrace('nodes', 'list')).out).toMatch(/rig-4090.*linked/);
    expect((await router.headrace('nodes', 'show', 'rig-4090')).out).toContain(
      '3 running, 1 waiting, KV cache 42 % full, 3 through the router',
    );
    await router.headrace('nodes', 'drain', 'rig-4090', '--off');
    expect(router.sent.at(-1)?.body).toEqual({ on: false });
    expect((await router.headrace('nodes', 'remove', 'rig-4090', '--yes')).out).toBe('rig-4090 has left\n');
  });
});

describe('keys', () => {
  const as = (key: string, ...argv: string[]) => runHere([...argv, '--url', router.url, '--key', key]);

  it('an operator key does what operators do, and is refused elsewhere before anything is sent', async () => {
    expect((await as(OPERATOR_KEY, 'endpoints', 'list')).code).toBe(0);
    expect(router.sent[0]?.authorization).toBe(`Bearer ${OPERATOR_KEY}`);
    expect(await as(OPERATOR_KEY, 'keys', 'list')).toMatchObject({
      code: 2,
      err: expect.stringContaining('needs a management key (sk-hr-mgmt-…); --key holds an operator key'),
    });
    expect(await as('sk-hr-000000000000000000000', 'endpoints', 'list')).toMatchObject({
      code: 2,
      err: expect.stringContaining('needs an operator key (sk-hr-op-…) or a management key; --key holds an inference key'),
    });
    expect(router.sent).toHaveLength(1);
  });
});
