/** A routing decision as people read it. */
import type { z } from 'zod';
import type { explainedPlan, planBody } from '#schema/answers/plan';
import { FILTER_SUBJECTS } from '#src/routing/filter-subjects';
import { plain, type Output } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { sayCount, sayMs, sayNumberOf, sayUsd } from '../quantities.ts';
import { formatTable, type Column } from '../table.ts';

export type Plan = z.infer<typeof planBody>;
export type ExplainedPlan = z.infer<typeof explainedPlan>;
type Candidate = Plan['candidates'][number];
type Rejection = Plan['rejections'][number];
type Setting = Pick<Output, 'width' | 'paint'>;

/** A newer router may have filters that are not known here. */
const SUBJECTS: Readonly<Record<string, string>> = FILTER_SUBJECTS;

/** Shows a plan: what was asked, the candidates in their order with what their index is made of, who was left out and why, and by which policy. */
export function showPlan(plan: ExplainedPlan, setting: Setting): string {
  const { policy } = plan;
  const decided = `policy ${toPlainText(sayPolicy(policy))}, order by ${sayMethod(plan)}`;
  return [askedLine(plan), ...showRoute(plan, setting), decided].join('\n\n');
}

/** Shows candidates, those that were skipped, and rejections, each in a block. */
export function showRoute({ candidates, rejections, relaxed, skipped = [] }: Plan, setting: Setting): string[] {
  const blocks = candidates.length === 0 ? [setting.paint('red', 'No endpoint is left.')] : showCandidates(candidates, setting);
  if (relaxed.length > 0) blocks.push(setting.paint('yellow', `Opened because nothing else was left: ${relaxed.join(', ')}`));
  if (skipped.length > 0) blocks.push(`Skipped when their turn came:\n${formatTable(skipped, rejectionColumns('skipped'), setting)}`);
  if (rejections.length > 0) blocks.push(showRejections(rejections, setting));
  return blocks;
}

/** One table where it fits; else a second one for what the index is made of. */
function showCandidates(candidates: readonly Candidate[], setting: Setting): string[] {
  const { rank, identity, index, terms, outlook, details, gates } = candidateColumns(candidates);
  const whole = [rank, identity, index, terms, outlook, details, gates].flat();
  const isWhole = widthOf(formatTable(candidates, whole, { width: Infinity, paint: plain })) <= setting.width;
  const tables = isWhole ? [whole] : [[rank, identity, index, outlook, gates].flat(), [rank, index, terms, details].flat()];
  const isIndexed = candidates.some((candidate) => candidate.index !== null);
  return [
    ...tables.map((columns) => formatTable(candidates, columns, setting)),
    ...(isIndexed ? [setting.paint('dim', 'R, the expected cost in median prices, is the sum of its terms; lowest first.')] : []),
  ];
}

function widthOf(table: string): number {
  return Math.max(...table.split('\n').map((line) => line.length));
}

function askedLine({ model, facts }: Plan): string {
  const { prompt_tokens: prompt, max_tokens: most, expected_completion_tokens: expected, stream, needs } = facts;
  const answer = most === null ? '' : `, at most ${sayCount(most)}`;
  const asks = [stream ? 'streamed' : '', needs.length === 0 ? '' : `needs ${needs.join(', ')}`].filter((part) => part !== '');
  return [`${toPlainText(model)}: ${sayCount(prompt)} prompt tokens, about ${sayCount(expected)} in answer${answer}`, ...asks].join('; ');
}

/** Names a policy under its version. */
export function sayPolicy({ name, version }: ExplainedPlan['policy']): string {
  return `${name} (${version === 0 ? 'built in' : `version ${version}`})`;
}

/** Says what decided the order of candidates. */
export function sayMethod({ method, optimize }: Pick<Plan, 'method' | 'optimize'>): string {
  return method === 'index' ? `index R (optimize: ${optimize})` : method;
}

type ColumnGroup = 'rank' | 'identity' | 'index' | 'terms' | 'outlook' | 'details' | 'gates';

function candidateColumns(candidates: readonly Candidate[]): Record<ColumnGroup, Column<Candidate>[]> {
  const term = (title: string, name: keyof NonNullable<Candidate['terms']>): Column<Candidate> => ({
    title,
    align: 'right',
    optional: 1,
    cell: ({ terms }) => terms && sayTerm(terms[name]),
  });
  return {
    rank: [{ title: '#', align: 'right', cell: ({ rank }) => String(rank) }],
    identity: [
      { title: 'endpoint', shrinkTo: 16, cell: ({ endpoint }) => endpoint },
      { title: 'supply', cell: ({ supply }) => supply },
      { title: 'tier', cell: ({ tier }) => tier },
    ],
    index: [
      { title: 'R', align: 'right', optional: 1, cell: ({ index }) => (index === null ? null : { text: index.toFixed(3), style: 'bold' }) },
    ],
    terms: [
      term('price', 'price'),
      term('ttft', 'ttft'),
      term('miss', 'ttft_miss'),
      term('tpot', 'tpot'),
      term('verify', 'verification'),
      term('risk', 'risk'),
    ],
    outlook: [
      { title: 'cost', align: 'right', cell: ({ cost }) => sayUsd(cost) },
      { title: 'TTFT', align: 'right', cell: ({ ttft_ms: ttft }) => sayMs(ttft) },
      ...(candidates.some(({ basis }) => basis !== undefined && basis.ttft !== 'measured')
        ? [{ title: 'by', optional: 2, cell: ({ basis }: Candidate) => basis?.ttft ?? null }]
        : []),
    ],
    details: [
      { title: 'fails', align: 'right', cell: ({ failure_probability: p }) => `${(100 * p).toFixed(1)}%` },
      { title: 'load', align: 'right', optional: 2, cell: sayLoad },
      { title: 'cached', align: 'right', optional: 3, cell: ({ cache_hit: hit }) => (hit > 0 ? `${Math.round(100 * hit)}%` : '') },
    ],
    gates: candidates.some(({ gates }) => gates.length > 0)
      ? [{ title: 'gates', cell: ({ gates }) => ({ text: gates.join(', '), style: 'yellow' }) }]
      : [],
  };
}

/** The node's own word is marked: what we count ourselves needs no trust. */
function sayLoad({ load, basis }: Candidate): string | null {
  return load && `${load.in_flight}/${load.cap}${basis?.load === 'node' ? ' (node)' : ''}`;
}

function sayTerm(value: number): string {
  return value === 0 ? '0' : value.toFixed(3);
}

/** Counts by filter, then who and why. */
function showRejections(rejections: readonly Rejection[], { width, paint }: Setting): string {
  const byFilter = Map.groupBy(rejections, ({ filter }) => filter);
  const counts = [...byFilter]
    .toSorted(([left], [right]) => left.localeCompare(right))
    .map(([filter, members]) => `${members.length} by ${filter} ${SUBJECTS[filter] ?? ''}`.trimEnd());
  const ordered = rejections.toSorted(
    (left, right) => left.filter.localeCompare(right.filter) || left.endpoint.localeCompare(right.endpoint),
  );
  const title = `${sayNumberOf(rejections.length, 'endpoint')} left out: ${counts.join(', ')}`;
  return `${title}\n${formatTable(ordered, rejectionColumns('left out'), { width, paint })}`;
}

function rejectionColumns(title: string): Column<Rejection>[] {
  return [
    { title, shrinkTo: 16, cell: ({ endpoint }) => endpoint },
    { title: 'supply', optional: 1, cell: ({ supply }) => supply },
    { title: 'filter', cell: ({ filter }) => filter },
    { title: 'reason', shrinkTo: 20, cell: ({ reason }) => reason },
  ];
}
