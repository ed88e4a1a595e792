/** The report as text for a terminal. */
import { alignColumns } from '#bench/columns';
import type { Bar } from './bars.ts';
import type { SimReport } from './report.ts';
import type { Summary, SummaryField } from './summary.ts';

const NOTHING = '–';

/** Lays the report out: goodput, p99 TTFT and price by policy and scenario, then what else is known of each policy, then the bars. */
export function toTable({ summary, bound, bars }: SimReport): string {
  const scenarios = unique(summary.map(({ scenario }) => scenario));
  const policies = unique(summary.map(({ policy }) => policy));
  const boundRow = ['(bound)', ...scenarios.map((scenario) => digits(bound[scenario]?.usdPerMTok, 3))];
  const grid = (title: string, field: SummaryField, show: (value: number | undefined) => string, extra: string[][] = []): string =>
    `${title}\n${align([
      ...headings(scenarios),
      ...policies.map((policy) => [policy, ...scenarios.map((scenario) => show(meanOf(summary, { policy, scenario, field })))]),
      ...extra,
    ])}`;
  return [
    grid('SLO goodput, %', 'sloGoodput', (value) => digits(value === undefined ? undefined : 100 * value, 1)),
    grid('p99 TTFT, s', 'ttftP99Ms', (value) => digits(value === undefined ? undefined : value / 1_000, 1)),
    grid('USD per million tokens', 'usdPerMTok', (value) => digits(value, 3), Object.keys(bound).length > 0 ? [boundRow] : []),
    `means over scenarios\n${align(overallRows(summary, policies))}`,
    barLines(bars),
  ].join('\n\n');
}

function overallRows(summary: readonly Summary[], policies: readonly string[]): string[][] {
  const columns: [string, (own: readonly Summary[]) => string][] = [
    ['goodput %', (own) => digits(100 * over(own, 'sloGoodput'), 1)],
    ['± ', (own) => digits(100 * widest(own, 'sloGoodput'), 1)],
    ['success %', (own) => digits(100 * over(own, 'successRate'), 1)],
    ['p50 s', (own) => digits(over(own, 'ttftP50Ms') / 1_000, 2)],
    ['p99 s', (own) => digits(over(own, 'ttftP99Ms') / 1_000, 1)],
    ['$/Mtok', (own) => digits(over(own, 'usdPerMTok'), 3)],
    ['waste %', (own) => digits(100 * over(own, 'wasteShare'), 1)],
    ['attempts', (own) => digits(over(own, 'attemptsPerRequest'), 3)],
    ['hedged %', (own) => digits(100 * over(own, 'hedgeShare'), 1)],
    ['resumed', (own) => digits(over(own, 'resumedStreams'), 1)],
    ['broken', (own) => digits(over(own, 'brokenStreams'), 1)],
    ['recovery s', (own) => digits(over(own, 'recoveryS'), 1)],
    ['use max', (own) => digits(over(own, 'utilisationMax'), 2)],
    ['fairness', (own) => digits(over(own, 'fairness'), 2)],
    ['regret', (own) => digits(over(own, 'regret'), 2)],
  ];
  return [
    ['', ...columns.map(([title]) => title)],
    ...policies.map((policy) => {
      const own = summary.filter((one) => one.policy === policy);
      return [policy, ...columns.map(([, show]) => show(own))];
    }),
  ];
}

/** One line a bar: how often it held, and where it did not. */
function barLines(bars: readonly Bar[]): string {
  const rows = [...Map.groupBy(bars, ({ bar }) => bar)].map(([name, own]) => {
    const judged = own.filter(({ held }) => held !== null);
    const missed = judged.filter(({ held }) => held === false);
    const mark = judged.length === 0 ? 'not judged' : missed.length === 0 ? 'held' : 'missed';
    const [first] = own as [Bar];
    const limit = `${first.side === 'at_least' ? '≥' : '≤'} ${first.limit}`;
    const where = missed.map(({ scenario, value }) => `${scenario} ${digits(value ?? undefined, 2)}`).join(', ');
    return [mark, `${judged.length - missed.length}/${judged.length}`, name, limit, where];
  });
  return rows.length === 0 ? 'bars: the run has nothing to judge them by' : `bars\n${alignColumns(rows, () => false)}`;
}

function meanOf(
  summary: readonly Summary[],
  { policy, scenario, field }: { policy: string; scenario: string; field: SummaryField },
): number | undefined {
  return summary.find((one) => one.policy === policy && one.scenario === scenario)?.values[field]?.mean;
}

function over(own: readonly Summary[], field: SummaryField): number {
  const values = own.flatMap(({ values: { [field]: value } }) => (value === undefined ? [] : [value.mean]));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function widest(own: readonly Summary[], field: SummaryField): number {
  return Math.max(...own.map(({ values: { [field]: value } }) => value?.ci95 ?? Number.NaN));
}

/** Breaks scenario names at their hyphens, so that columns stay narrow. */
function headings(scenarios: readonly string[]): string[][] {
  const parts = scenarios.map((scenario) => scenario.split('-'));
  const height = Math.max(...parts.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) => ['', ...parts.map((words) => words[line - (height - words.length)] ?? '')]);
}

function digits(value: number | undefined, count: number): string {
  return value === undefined || !Number.isFinite(value) ? NOTHING : value.toFixed(count);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

function align(rows: readonly string[][]): string {
  return alignColumns(rows, (_, column) => column > 0);
}
