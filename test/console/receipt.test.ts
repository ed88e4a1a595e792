import { beforeEach, describe, expect, it } from 'vitest';
import { FakeNode, fakeDocument } from './fake-document.ts';

const load = (name: string): Promise<Record<string, (...values: unknown[]) => unknown>> =>
  import(new URL(`../../console/parts/${name}.js`, import.meta.url).href);

const candidate = {
  endpoint: 'rig-a',
  rank: 1,
  supply: 'selfhosted',
  tier: 'open',
  index: 0.8712,
  terms: { price: 0.7001, ttft: 0.1, ttft_miss: 0, tpot: 0.05, verification: 0, risk: 0.0211 },
  cost: 0.00001,
  ttft_ms: 100,
  tpot_ms: 5,
  failure_probability: 0.1,
  cache_hit: 0.8,
  load: { in_flight: 3, cap: 5.4 },
  gates: [],
};
const plan = { method: 'index', optimize: 'balanced', relaxed: [], candidates: [candidate], rejections: [] };
const attemptAs = (role: string, outcome: string, startedAt: string) => ({
  role,
  endpoint: 'rig-a',
  supply: 'selfhosted',
  outcome,
  started_at: startedAt,
  duration_ms: 500,
  ttft_ms: 100,
  failure: null,
});
const receipt = {
  id: 'gen-1',
  finish_reason: 'stop',
  headrace: {
    state: 'completed',
    attempts: [
      attemptAs('first', 'interrupted', '2026-01-01T00:00:00.000Z'),
      attemptAs('fallback', 'failed', '2026-01-01T00:00:00.500Z'),
      attemptAs('resume', 'completed', '2026-01-01T00:00:01.000Z'),
    ],
    usage: { source: 'counted', prompt_tokens: 1, completion_tokens: 1, reasoning_tokens: 0, cache_read_tokens: 0 },
    timing: { overhead_ms: 1, ttft_ms: 100, tpot_ms: 5, total_ms: 1500 },
    charged: 0,
    absorbed: 0,
    held: 0,
    plan,
  },
};

let node: FakeNode;
beforeEach(() => {
  fakeDocument();
  node = new FakeNode('div');
});

describe('a receipt', () => {
  it('says of every attempt after the first what it was for', async () => {
    (await load('receipt'))['showReceipt']?.(node, receipt);
    expect(node.words).toMatch(/fallback.*resume/);
    expect(node.words).not.toContain('first interrupted');
  });

  it('says who was skipped, and why', async () => {
    const reason = 'KV cache has room for 5 tokens now; 11 are needed';
    const skipped = [{ endpoint: 'rig-b', provider: 'b', supply: 'selfhosted', filter: 'full', reason }];
    (await load('receipt'))['showReceipt']?.(node, { ...receipt, headrace: { ...receipt.headrace, plan: { ...plan, skipped } } });
    expect(node.words).toMatch(new RegExp(`Skipped.*full +no room now.*rig-b.*${reason}`));
  });

  it('counts attempts with their roles beside the answer', async () => {
    (await load('route'))['showRoute']?.(node, { route: {}, ttftMs: null, usage: null, receipt, simulated: false });
    expect(node.words).toContain('3 · fallback, resume');
  });
});

describe('a plan', () => {
  it('shows cache, load and every term of the index', async () => {
    (await load('receipt'))['showPlan']?.(node, plan);
    expect(node.words).toContain('80 %');
    expect(node.words).toContain('3 of 5.4');
    expect(node.words).toMatch(/Terms of the index .*rig-a 0\.700 0\.100 0 0\.050 0 0\.021 0\.871/);
  });

  it.each([
    ['by order', { ...candidate, index: null, terms: null, cache_hit: 0, load: null }],
    ['of an older release', { ...candidate, terms: null, cache_hit: 0, load: null }],
  ])('%s has no terms to show', async (_, older) => {
    (await load('receipt'))['showPlan']?.(node, { ...plan, candidates: [older] });
    expect(node.words).toContain('rig-a');
    expect(node.words).not.toContain('Terms of the index');
  });
});
