import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { plain } from '#cli/output';
import { showPlan, type ExplainedPlan } from '#cli/show/plan';
import { INFERENCE_KEY, startFakeRouter, type FakeRouter } from '../fake-router.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'headrace-explain-'));
let router: FakeRouter;
beforeAll(async () => void (router = await startFakeRouter()));
afterAll(async () => {
  await router.stop();
  rmSync(folder, { recursive: true, force: true });
});

const candidate = (rank: number, endpoint: string, more: object = {}): ExplainedPlan['candidates'][number] => ({
  endpoint,
  provider: 'alpha',
  tag: 'alpha/fp8',
  supply: 'selfhosted',
  tier: 'no_training',
  rank,
  index: 0.7 + rank / 10,
  terms: { price: 0.6, ttft: 0.1, ttft_miss: 0, tpot: 0.08, verification: 0, risk: 0.02 },
  cost: 0.000123,
  cost_nano_usd: 123_000,
  ttft_ms: 340,
  tpot_ms: 9,
  failure_probability: 0.02,
  cache_hit: 0,
  load: { in_flight: 3, cap: 16 },
  gates: [],
  ...more,
});
const PLAN: ExplainedPlan = {
  object: 'plan',
  model: 'qwen/qwen3-8b',
  snapshot_version: '7',
  planned_at: '2026-11-22T12:00:00.000Z',
  planned_at_ms: 1,
  optimize: 'balanced',
  method: 'index',
  relaxed: [],
  facts: { prompt_tokens: 8000, max_tokens: 500, expected_completion_tokens: 300, stream: true, needs: ['tools'] },
  candidates: [candidate(1, 'rig-4090-a'), candidate(2, 'an-endpoint-with-a-rather-long-name', { gates: ['backoff'] })],
  rejections: [
    {
      endpoint: 'cheap-miner',
      provider: 'sub',
      supply: 'subnet',
      filter: 'H1',
      reason: 'proves tier open; at least no_training is demanded',
    },
    { endpoint: 'tokyo', provider: 'far', supply: 'centralized', filter: 'H2', reason: 'JP is not among DE, FR' },
    {
      endpoint: 'other-miner',
      provider: 'sub',
      supply: 'subnet',
      filter: 'H1',
      reason: 'proves tier open; at least no_training is demanded',
    },
  ],
  policy: { name: 'hipaa-eu', version: 3 },
};

beforeEach(() => {
  router.reset();
  router.on('POST /explain', () => PLAN);
});

const body = (): Record<string, unknown> => router.sent[0]?.body as Record<string, unknown>;

describe('headrace explain', () => {
  it('asks with an inference key for what the flags say', async () => {
    await router.headrace('explain', '--model', 'm', '--policy', 'eu', '--prompt-tokens', '8000', '--max-tokens', '500', '--stream');
    expect(router.sent[0]?.authorization).toBe(`Bearer ${INFERENCE_KEY}`);
    expect(body()).toMatchObject({ model: 'm', provider: { policy: 'eu' }, max_tokens: 500, stream: true });
    const { countTokens } = await import('#schema/count-tokens');
    const [message] = body().messages as { content: string }[];
    expect(countTokens(message?.content ?? '')).toBeCloseTo(7996, -1);
  });

  it('takes a body from a file; flags change it and leave the rest', async () => {
    const file = path.join(folder, 'body.json');
    writeFileSync(file, JSON.stringify({ model: 'm', messages: [], tools: [1], provider: { sort: 'price' } }));
    await router.headrace('explain', '--file', file, '--policy', 'eu');
    expect(body()).toEqual({ model: 'm', messages: [], tools: [1], provider: { sort: 'price', policy: 'eu' } });
  });

  it.each([
    ['{', 1, /is not JSON/],
    ['[]', 1, /is not a JSON object/],
    ['{}', 2, /name a model/],
  ])('refuses the body %s', async (text, code, message) => {
    const file = path.join(folder, 'bad.json');
    writeFileSync(file, text);
    const ran = await router.headrace('explain', '--file', file);
    expect([ran.code, router.sent]).toEqual([code, []]);
    expect(ran.err).toMatch(message);
  });

  it('prints the answer as it is with --json', async () => {
    expect(JSON.parse((await router.headrace('explain', '-m', 'm', '--json')).out)).toEqual(PLAN);
  });
});

describe('a plan for people', () => {
  const lines = (width: number, plan = PLAN): string[] => showPlan(plan, { width, paint: plain }).split('\n');

  it('says on receipts who was skipped when its turn came', () => {
    const skipped = [{ endpoint: 'rig-b', provider: 'b', supply: 'selfhosted' as const, filter: 'full', reason: 'no room' }];
    const shown = lines(120, { ...PLAN, skipped });
    const title = shown.indexOf('Skipped when their turn came:');
    expect(shown.slice(title + 1, title + 3).map((line) => line.trim().split(/ {2,}/u))).toEqual([
      ['skipped', 'supply', 'filter', 'reason'],
      ['rig-b', 'selfhosted', 'full', 'no room'],
    ]);
  });

  it('says what was asked, the order with its terms, who was left out and why, and by which policy', () => {
    const text = lines(Infinity).join('\n');
    expect(text).toContain('qwen/qwen3-8b: 8,000 prompt tokens, about 300 in answer, at most 500; streamed; needs tools');
    expect(text).toMatch(/# +endpoint +supply +tier +R +price +ttft +miss +tpot +verify +risk +cost +TTFT +fails +load +gates/);
    expect(text).toMatch(
      /1 +rig-4090-a +selfhosted +no_training +0\.800 +0\.600 +0\.100 +0 +0\.080 +0 +0\.020 +\$0\.000123 +340 ms +2\.0% +3\/16/,
    );
    expect(text).toContain('3 endpoints left out: 2 by H1 privacy tier, 1 by H2 jurisdiction');
    expect(text).toMatch(/tokyo +centralized +H2 +JP is not among DE, FR/);
    expect(lines(Infinity).at(-1)).toBe('policy hipaa-eu (version 3), order by index R (optimize: balanced)');
  });

  it.each([80, 100, 160])('fits %d columns, with every term of the index', (width) => {
    const text = lines(width);
    for (const line of text.slice(
      1,
      text.findIndex((line) => line.startsWith('R, ')),
    ))
      expect(line.length).toBeLessThanOrEqual(width);
    const titles = text.filter((line) => /^ *# /.test(line)).join('\n');
    for (const title of ['endpoint', 'tier', 'R', 'price', 'risk', 'cost', 'TTFT', 'fails', 'gates']) expect(titles).toContain(title);
  });

  it('says that nobody is left', () => {
    expect(lines(80, { ...PLAN, candidates: [] })[2]).toBe('No endpoint is left.');
  });
});
