import { describe, expect, test } from 'vitest';
import type { CellResult } from '#bench/sim/cell';
import { measure } from '#bench/sim/metrics';
import { toPlot } from '#bench/sim/plot';
import { toReport } from '#bench/sim/report';
import { toTable } from '#bench/sim/report-table';
import { estimate } from '#bench/sim/summary';
import { resultOf, runOf } from './results.ts';

const METRICS = { ...measure(runOf([resultOf()])), usdPerMTok: 0.1 };

function cell(rest: Partial<CellResult> & Pick<CellResult, 'policy' | 'scenario'>): CellResult {
  return { ...METRICS, seed: 1, meanLoss: 1, bound: null, wallMs: 1, ...rest };
}

/** Ours and the yardstick in one scenario. */
function pair(scenario: string, ours: Partial<CellResult>, yardstick: Partial<CellResult> = {}): CellResult[] {
  const bound = { usdPerMTok: 0.1, feasibleUsdPerMTok: 0.101, leastLoss: 0.5 };
  return [cell({ policy: 'headrace', scenario, bound, ...ours }), cell({ policy: 'openrouter-like', scenario, ...yardstick })];
}

describe('estimates', () => {
  test('have no interval of one value, and a wide one of two', () => {
    expect(estimate([3])).toEqual({ mean: 3, ci95: null });
    expect(estimate([2, 4]).ci95).toBeCloseTo(12.71, 9);
  });

  test('use the quantile of their degrees of freedom', () => {
    // Standard deviation 1: the half width is t/√n.
    expect(estimate([1, 2, 3]).ci95).toBeCloseTo(4.3 / Math.sqrt(3), 9);
  });
});

describe('the report', () => {
  test('averages over seeds, field by field', () => {
    const { summary } = toReport(
      [0.9, 0.94].map((sloGoodput, place) => cell({ policy: 'random', scenario: 'calm', seed: place + 1, sloGoodput, recoveryS: null })),
      {},
    );
    expect(summary).toHaveLength(1);
    expect(summary[0]).toMatchObject({ policy: 'random', scenario: 'calm', seeds: 2 });
    expect(summary[0]?.values.sloGoodput?.mean).toBeCloseTo(0.92, 9);
    expect(summary[0]?.values).not.toHaveProperty('recoveryS');
  });

  test('holds the price of ours against the bound of the same seed', () => {
    const bound = (usdPerMTok: number) => ({ usdPerMTok, feasibleUsdPerMTok: null, leastLoss: 0.5 });
    const cells = [
      ...pair('calm', { usdPerMTok: 0.11, bound: bound(0.1) }),
      ...pair('calm', { seed: 2, usdPerMTok: 0.26, bound: bound(0.2) }),
    ];
    const report = toReport(cells, {});
    expect(report.bound['calm']?.ratio).toBeCloseTo((1.1 + 1.3) / 2, 9);
    expect(report.bound['calm']?.usdPerMTok).toBeCloseTo(0.15, 9);
  });

  test('gives regret over the least loss of the same scenario and seed', () => {
    const { results } = toReport(pair('calm', { meanLoss: 0.6 }, { meanLoss: 1 }), {});
    expect(results.map(({ regret }) => Number(regret?.toFixed(6)))).toEqual([0.2, 1]);
    expect(toReport([cell({ policy: 'random', scenario: 'calm' })], {}).results[0]?.regret).toBeNull();
  });
});

describe('bars', () => {
  const held = (cells: CellResult[]) =>
    Object.fromEntries(toReport(cells, {}).bars.map(({ bar, held: isHeld }) => [bar.replace(/,.*/, ''), isHeld]));

  test('ask for four points of goodput where nothing is broken, nine where something is', () => {
    expect(held(pair('calm', { sloGoodput: 0.95 }, { sloGoodput: 0.9 }))['goodput over openrouter-like']).toBe(true);
    expect(held(pair('brown-out', { sloGoodput: 0.95 }, { sloGoodput: 0.9 }))['goodput over openrouter-like']).toBe(false);
    expect(held(pair('brown-out', { sloGoodput: 0.991 }, { sloGoodput: 0.9 }))['goodput over openrouter-like']).toBe(true);
  });

  test.each([
    ['price over openrouter-like', { usdPerMTok: 0.1079 }, { usdPerMTok: 0.1081 }],
    ['price over the bound', { usdPerMTok: 0.1099 }, { usdPerMTok: 0.1101 }],
    ['attempts per request', { attemptsPerRequest: 1.12 }, { attemptsPerRequest: 1.121 }],
    ['p99 TTFT', { ttftP99Ms: 5_000 }, { ttftP99Ms: 5_001 }],
    ['recovery after a hard outage', { recoveryS: 10 }, { recoveryS: 10.5 }],
  ])('%s has its limit', (bar, good, bad) => {
    expect(held(pair('outage-hang', good))[bar]).toBe(true);
    expect(held(pair('outage-hang', bad))[bar]).toBe(false);
  });

  test('leave p99 out of a flash crowd, and recovery out where no outage is hard', () => {
    const bars = held(pair('flash-crowd', {}));
    expect(bars).not.toHaveProperty('p99 TTFT');
    expect(bars).not.toHaveProperty('recovery after a hard outage');
  });

  test('are not judged without the yardstick', () => {
    expect(held([cell({ policy: 'headrace', scenario: 'calm' })])).toMatchObject({
      'goodput over openrouter-like': null,
      'price over the bound': null,
      'attempts per request': true,
    });
  });
});

describe('the table', () => {
  test('shows goodput, p99 and price, the bound, and every missed bar with its value', () => {
    const text = toTable(toReport([...pair('calm', { usdPerMTok: 0.15 }), ...pair('retry-after-abuse', { ttftP99Ms: 7_130 })], {}));
    expect(text).toMatch(/^headrace +100\.0 +100\.0$/m);
    expect(text).toMatch(/^headrace +0\.5 +7\.1$/m);
    expect(text).toMatch(/^\(bound\) +0\.100 +0\.100$/m);
    expect(text).toMatch(/^missed +1\/2 +price over the bound, ratio +≤ 1\.1 +calm 1\.50$/m);
    expect(text.split('\n').every((line) => line === line.trimEnd())).toBe(true);
  });

  test('shows what was not measured as a dash', () => {
    expect(toTable(toReport([cell({ policy: 'random', scenario: 'calm', usdPerMTok: Number.NaN })], {}))).toMatch(/^random +–$/m);
  });
});

/** Opens and closes of every element in order; throws where they don't nest. */
function elementsOf(xml: string): string[] {
  const open: string[] = [];
  const seen: string[] = [];
  for (const [, closes, name = '', closesItself] of xml.matchAll(/<(\/?)([a-zA-Z]+)(?:\s+[a-zA-Z-]+="[^"<]*")*\s*(\/?)>/g)) {
    if (closes === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
    } else {
      seen.push(name);
      if (closesItself !== '/') open.push(name);
    }
  }
  if (open.length > 0) throw new Error(`${open.join(', ')} stay open`);
  return seen;
}

describe('the plot', () => {
  const cells = [
    ...pair('calm', {}, { usdPerMTok: 0.2, sloGoodput: 0.7, ttftP99Ms: 30_000 }),
    cell({ policy: 'cheapest-fallback', scenario: 'calm', sloGoodput: 0.01, usdPerMTok: 0.09 }),
  ];

  test('is well-formed, with a mark a policy in both panels and its name in the legend', () => {
    const svg = toPlot(toReport(cells, { traffic: 'a "<&> b' }));
    expect(elementsOf(svg).filter((name) => name === 'circle')).toHaveLength(6);
    expect(svg.replaceAll(/<[^>]*>/g, '')).not.toMatch(/[<>]/);
    expect(svg).not.toMatch(/&(?!amp;|lt;|gt;|quot;)/);
    expect(svg).not.toMatch(/NaN|Infinity|undefined|null/);
    for (const { policy } of cells) expect(svg).toContain(`  ${policy}</text>`);
  });

  test('keeps every mark within its panel, and says so where the axis ends before', () => {
    const svg = toPlot(toReport(cells, {}));
    const heights = [...svg.matchAll(/<circle [^>]*cy="([\d.]+)"/g)].map(([, y]) => Number(y));
    expect(Math.min(...heights)).toBeGreaterThanOrEqual(56);
    expect(Math.max(...heights)).toBeLessThanOrEqual(356);
    expect(svg).toContain('↓ 1.0');
  });

  test('is readable on light and on dark', () => {
    expect(toPlot(toReport(cells, {}))).toContain('prefers-color-scheme: dark');
  });

  test('can be drawn of a single policy, and of nothing', () => {
    expect(elementsOf(toPlot(toReport(cells.slice(0, 1), {}))).filter((name) => name === 'circle')).toHaveLength(2);
    expect(elementsOf(toPlot(toReport([], {})))).not.toContain('circle');
  });
});
