import { beforeEach, describe, expect, it } from 'vitest';
import { FakeNode, fakeDocument } from './fake-document.ts';

type Part = Record<string, (...values: never[]) => unknown>;
const load = (name: string): Promise<Part> => import(new URL(`../../console/parts/${name}.js`, import.meta.url).href);

const EVIL = '<img src=x onerror=alert(1)>';
const TAGS = new Set(['p', 'div', 'span', 'b', 'h3', 'dl', 'dt', 'dd', 'ul', 'ol', 'li', 'code', 'button', 'details', 'summary']);
const TABLE_TAGS = new Set(['table', 'thead', 'tbody', 'tr', 'th', 'td']);

/** Expects every tag to be one of ours, and the hostile text to have arrived as text. */
function expectText(node: FakeNode): void {
  expect(node.tags.filter((tag) => !TAGS.has(tag) && !TABLE_TAGS.has(tag))).toEqual([]);
  expect(node.text).toContain(EVIL);
}

let node: FakeNode;
beforeEach(() => {
  fakeDocument();
  node = new FakeNode('div');
});

const candidate = {
  endpoint: EVIL,
  rank: 1,
  supply: EVIL,
  tier: EVIL,
  index: 1,
  cost: 0.1,
  ttft_ms: 1,
  tpot_ms: 1,
  failure_probability: 0.1,
  terms: { price: 0.7, ttft: 0.1, ttft_miss: 0, tpot: 0.1, verification: 0, risk: 0.1 },
  cache_hit: 0.8,
  load: { in_flight: 3, cap: 5.4 },
  gates: [EVIL],
};
const attempt = {
  role: EVIL,
  endpoint: EVIL,
  supply: EVIL,
  outcome: 'failed',
  started_at: '2026-01-01T00:00:00.000Z',
  duration_ms: 5,
  ttft_ms: null,
  failure: { kind: EVIL, status: 500, detail: EVIL },
};
const receipt = {
  id: EVIL,
  model: EVIL,
  finish_reason: EVIL,
  headrace: {
    state: EVIL,
    endpoint: EVIL,
    provider: EVIL,
    supply: EVIL,
    tier: EVIL,
    policy: EVIL,
    attempts: [attempt],
    usage: { source: 'counted', prompt_tokens: 1, completion_tokens: 1, reasoning_tokens: 0, cache_read_tokens: 0 },
    timing: { overhead_ms: 1, ttft_ms: null, tpot_ms: null, total_ms: 5 },
    charged: 0,
    absorbed: 0,
    held: 0,
    plan: {
      method: EVIL,
      optimize: EVIL,
      relaxed: [EVIL],
      candidates: [candidate],
      rejections: [{ endpoint: EVIL, supply: EVIL, filter: EVIL, reason: EVIL }],
    },
  },
};
const endpoint = {
  pricing: { prompt: '0', completion: '0' },
  context_length: 1,
  headrace: { endpoint: EVIL, callable: false, supply: EVIL, tier: EVIL, tier_source: EVIL, kv_cache: EVIL, jurisdiction: [EVIL] },
};

describe('hostile text', () => {
  it.each(['delta', 'message'])('I13: a model answer with an <img onerror> in its %s stays text', async (field) => {
    const { openAnswer } = await load('answer');
    const answer = openAnswer?.(node as never) as { write(chunk: unknown): void };
    answer.write({ choices: [{ [field]: { content: EVIL, reasoning: EVIL } }] });
    expect(node.text).toBe(EVIL + EVIL);
    expect(node.tags).toEqual(['p', 'p']);
  });

  it.each([
    ['receipt', 'showReceipt', receipt],
    ['receipt', 'showPlan', receipt.headrace.plan],
    ['route', 'showRoute', { route: {}, ttftMs: null, usage: null, receipt, simulated: true }],
    ['supply', 'showSupply', [endpoint]],
  ])('I13: names, reasons and details stay text in %s %s', async (part, name, data) => {
    (await load(part))[name]?.(node as never, data as never);
    expectText(node);
  });

  it('I13: an error message stays text', async () => {
    const { errorCard } = await load('answer');
    const body = { message: EVIL, param: EVIL, type: EVIL, metadata: { excluded_by: [{ filter: EVIL, subject: EVIL, endpoints: 1 }] } };
    expectText(errorCard?.({ status: 404, message: EVIL, body, headers: new Headers() } as never) as FakeNode);
  });

  it('I13: the history keeps ids and models as text, and no more than 50 entries', async () => {
    const { openHistory } = await load('history');
    const history = openHistory?.(node as never, (() => {}) as never) as { add(entry: unknown): void };
    for (let at = 0; at < 60; at++) history.add({ ...receipt, id: `gen-${at}` });
    expectText(node);
    expect(node.children).toHaveLength(50);
  });

  it.each(['onclick', 'ONERROR', 'style', 'srcdoc'])('the attribute %s is never written', async (name) => {
    const { element } = await load('element');
    expect(() => element?.('p' as never, { [name]: 'x' } as never)).toThrow(TypeError);
  });

  it('a table shows no more than 200 rows and says how many it left out', async () => {
    const { table } = await load('element');
    const rows = Array.from({ length: 10_000 }, () => ({ cells: ['x'] }));
    const built = table?.('rows' as never, [{ title: 'Name' }] as never, rows as never) as FakeNode;
    expect(built.tags.filter((tag) => tag === 'td')).toHaveLength(200);
    expect(built.text).toContain('and 9800 more');
  });
});
