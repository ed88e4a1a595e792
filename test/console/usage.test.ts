import { beforeEach, describe, expect, it } from 'vitest';
import { FakeNode, fakeDocument, loadPart } from './fake-document.ts';

const NOW_MS = Date.UTC(2026, 10, 22, 12);
const EVIL = '<img src=x onerror=alert(1)>';
const TAGS = ['div', 'label', 'select', 'option', 'dl', 'dt', 'dd', 'p', 'span', 'details', 'summary'];
const DRAWN_TAGS = ['table', 'thead', 'tbody', 'tr', 'th', 'td', 'svg', 'g', 'rect', 'title'];

beforeEach(fakeDocument);

const sums = {
  requests: 2,
  errors: 1,
  prompt_tokens: 10,
  completion_tokens: 20,
  reasoning_tokens: 0,
  cached_tokens: 0,
  cost_usd: 0.5,
  byok_usd: 0,
};

describe('usage', () => {
  async function open(rows: { day: object[]; model: object[] }) {
    const asked: string[] = [];
    const read = async (by: 'day' | 'model', since: string) => {
      asked.push(`${by} ${since}`);
      return rows[by];
    };
    const node = new FakeNode('div');
    const load = (await loadPart('usage'))['openUsage']?.(node as never, { read, now: () => NOW_MS } as never) as () => Promise<void>;
    await load();
    return { node, asked };
  }
  const busy = {
    day: [
      { ...sums, day: '2026-11-21', requests: 4, cost_usd: 1 },
      { ...sums, day: '2026-11-20' },
    ],
    model: [
      { ...sums, model: 'a/b' },
      { ...sums, model: null, cost_usd: 0.25 },
    ],
  };
  const heights = (node: FakeNode) =>
    node.ofClass('column').flatMap(({ attributes }) => (attributes.get('height') === '10' ? [] : [Number(attributes.get('height'))]));

  it('asks for whole UTC days, today the last of them, and draws a column for each', async () => {
    const { node, asked } = await open(busy);
    expect(asked).toEqual(['day 2026-10-24', 'model 2026-10-24']);
    expect(heights(node)).toHaveLength(30);
    expect(heights(node).slice(-4)).toEqual([0, 50, 100, 0]);
    const chart = node.nodes.find(({ attributes }) => attributes.get('role') === 'img');
    expect(chart?.attributes.get('aria-label')).toBe('Spending by UTC day, 2026-10-24 to 2026-11-22: at most $1.00 on 2026-11-21');
  });

  it('draws other measures from what it has, and asks again for other days', async () => {
    const { node, asked } = await open(busy);
    const [span, measure] = node.nodes.filter(({ tag }) => tag === 'select');
    Object.assign(measure as FakeNode, { value: 'requests' });
    await measure?.fire('change');
    expect(heights(node).slice(-3)).toEqual([50, 100, 0]);
    expect(asked).toHaveLength(2);
    Object.assign(span as FakeNode, { value: '7' });
    await span?.fire('change');
    expect(asked.slice(2)).toEqual(['day 2026-11-16', 'model 2026-11-16']);
  });

  it('compares models with the largest, and says when a request reached none', async () => {
    const { node } = await open(busy);
    const bars = node.ofClass('length').map((bar) => Number(bar.nodes[0]?.attributes.get('width')));
    expect(bars).toEqual([100, 50]);
    expect(node.words).toContain('no model was reached');
  });

  it('counts what own provider keys were billed as spending, and says so where there was none', async () => {
    const billed = { ...sums, day: '2026-11-22', cost_usd: 0, byok_usd: 2 };
    expect((await open({ day: [billed], model: [] })).node.words).toContain('at most $2.00 on 2026-11-22');
    expect((await open({ day: [{ ...billed, byok_usd: 0 }], model: [] })).node.words).toContain('no spending');
  });

  it('says that there is none', async () => {
    const { node } = await open({ day: [], model: [] });
    expect(node.words).toContain('No requests in these days.');
    expect(node.tags).not.toContain('svg');
  });

  it('I13: keeps model names text, in the drawing too', async () => {
    const { node } = await open({
      day: [
        { ...sums, day: EVIL },
        { ...sums, day: '2026-11-22' },
      ],
      model: [{ ...sums, model: EVIL }],
    });
    expect(node.tags.filter((tag) => !TAGS.includes(tag) && !DRAWN_TAGS.includes(tag))).toEqual([]);
    expect(node.text).toContain(EVIL);
  });
});
