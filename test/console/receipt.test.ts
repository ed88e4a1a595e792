import { beforeEach, describe, expect, it, vi } from 'vitest';

/** Keeps what is written to it, as text. */
class FakeNode {
  readonly children: (FakeNode | string)[] = [];
  readonly style = { setProperty: () => {} };
  append(...nodes: (FakeNode | string)[]): void {
    this.children.push(...nodes);
  }
  replaceChildren(...nodes: (FakeNode | string)[]): void {
    this.children.splice(0, this.children.length, ...nodes);
  }
  setAttribute(): void {}
  get text(): string {
    return this.children.map((child) => (typeof child === 'string' ? child : child.text)).join(' ');
  }
}

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
  vi.stubGlobal('document', { createElement: () => new FakeNode(), createTextNode: (text: string) => text });
  node = new FakeNode();
});

describe('a receipt', () => {
  it('says of every attempt after the first what it was for', async () => {
    (await load('receipt'))['showReceipt']?.(node, receipt);
    expect(node.text).toMatch(/fallback.*resume/);
    expect(node.text).not.toContain('first interrupted');
  });

  it('counts attempts with their roles beside the answer', async () => {
    (await load('route'))['showRoute']?.(node, { route: {}, ttftMs: null, usage: null, receipt, simulated: false });
    expect(node.text).toContain('3 · fallback, resume');
  });
});

describe('a plan', () => {
  it('shows cache, load and every term of the index', async () => {
    (await load('receipt'))['showPlan']?.(node, plan);
    expect(node.text).toContain('80 %');
    expect(node.text).toContain('3 of 5.4');
    expect(node.text).toMatch(/Terms of the index .*rig-a 0\.700 0\.100 0 0\.050 0 0\.021 0\.871/);
  });

  it.each([
    ['by order', { ...candidate, index: null, terms: null, cache_hit: 0, load: null }],
    ['of an older release', { ...candidate, terms: null, cache_hit: 0, load: null }],
  ])('%s has no terms to show', async (_, older) => {
    (await load('receipt'))['showPlan']?.(node, { ...plan, candidates: [older] });
    expect(node.text).toContain('rig-a');
    expect(node.text).not.toContain('Terms of the index');
  });
});
