/** The report for people. */
import type { Output } from '../output.ts';
import { sayCount, sayInstant, sayMs, sayNumberOf, sayUsd } from '../quantities.ts';
import { formatTable, type Cell, type Column } from '../table.ts';
import type { ReplayReport, ReplaySums } from './report.ts';

const MOVES_SHOWN = 10;
const ARROW = ' → ';

type Row = ReplaySums & { name: string };

/** Lays a report out: the answer first, then who and where, then what may be doubted. */
export function sayReport(report: ReplayReport, { width, paint }: Pick<Output, 'width' | 'paint'>): string {
  const table = <Item>(rows: readonly Item[], columns: readonly Column<Item>[]): string => formatTable(rows, columns, { width, paint });
  const { total, moves, refusals, notes } = report;
  const groups = (title: string, rows: readonly Row[]): string => table(rows, sumColumns(title));
  const sections = [
    [paint('bold', sayVerdict(report)), sayGround(report)].join('\n'),
    groups('model', [...report.by_model.map((sums) => ({ ...sums, name: sums.model })), { ...total, name: 'all' }]),
    groups(
      'team',
      report.by_team.map((sums) => ({ ...sums, name: sums.team })),
    ),
    moves.length === 0 ? '' : table(moves.slice(0, MOVES_SHOWN), MOVE_COLUMNS),
    total.supply_moves.length === 0 && total.tier_up + total.tier_down === 0 ? '' : sayKinds(total),
    refusals.length === 0 ? '' : table(refusals, REFUSAL_COLUMNS),
    notes.map((note) => `! ${note}`).join('\n'),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function sayVerdict({ replayed, total }: ReplayReport): string {
  if (replayed === 0) return 'Nothing was replayed.';
  const { changed, refused, newly_served } = total;
  if (changed + refused + newly_served === 0) return `Nothing would change for ${sayNumberOf(replayed, 'request')}.`;
  const newly = newly_served === 0 ? '' : `, ${sayCount(newly_served)} newly served`;
  return `Of ${sayNumberOf(replayed, 'request')} ${sayCount(changed)} would go elsewhere and ${sayCount(refused)} be refused${newly}.`;
}

function sayGround({ policy, since, until, team, recorded, replayed, catalogue, fidelity }: ReplayReport): string {
  const { same_catalogue: same, other_catalogue: other } = fidelity;
  const faithful = same.same_first + other.same_first;
  const named = 'file' in policy ? policy.file : `stored policy ${policy.name}`;
  return [
    `${named}${team === null ? '' : `, team ${team}`}, ${sayInstant(since)} to ${sayInstant(until)}, catalogue ${catalogue}`,
    `${sayCount(replayed)} of ${sayNumberOf(recorded, 'receipt')} planned again; ${sayCount(faithful)} of the old plans come out with the endpoint first that was`,
  ].join('\n');
}

function sayKinds({ supply_moves, tier_up, tier_down }: ReplaySums): string {
  const kinds = supply_moves.map(({ from, to, requests }) => `${from}${ARROW}${to} ${sayCount(requests)}`);
  const tiers = [tier_up > 0 ? `tier higher ${sayCount(tier_up)}` : '', tier_down > 0 ? `tier lower ${sayCount(tier_down)}` : ''];
  return `Kinds and tiers: ${[...kinds, ...tiers].filter((part) => part !== '').join(', ')}`;
}

function sumColumns(title: string): Column<Row>[] {
  return [
    { title, cell: ({ name }) => name, shrinkTo: 12 },
    { title: 'requests', align: 'right', cell: ({ requests }) => sayCount(requests) },
    { title: 'elsewhere', align: 'right', cell: ({ changed }) => sayCount(changed) },
    { title: 'refused', align: 'right', cell: ({ refused }) => orDash(refused, 'red') },
    { title: 'newly served', align: 'right', optional: 1, cell: ({ newly_served }) => orDash(newly_served, 'green') },
    { title: 'cost', align: 'right', cell: ({ cost_usd }) => `${sayUsd(cost_usd.before)}${ARROW}${sayUsd(cost_usd.after)}` },
    { title: 'change', align: 'right', cell: ({ cost_usd }) => sayPercent(cost_usd.change_percent) },
    { title: 'TTFT p50', align: 'right', optional: 2, cell: ({ predicted_ttft_ms: { p50 } }) => sayPair(p50) },
    { title: 'TTFT p90', align: 'right', optional: 3, cell: ({ predicted_ttft_ms: { p90 } }) => sayPair(p90) },
  ];
}

const MOVE_COLUMNS: readonly Column<ReplayReport['moves'][number]>[] = [
  { title: 'from', cell: ({ from }) => from, shrinkTo: 12 },
  { title: 'to', cell: ({ to }) => to, shrinkTo: 12 },
  { title: 'requests', align: 'right', cell: ({ requests }) => sayCount(requests) },
  { title: 'cost', align: 'right', optional: 1, cell: ({ cost_usd }) => `${sayUsd(cost_usd.before)}${ARROW}${sayUsd(cost_usd.after)}` },
];

const REFUSAL_COLUMNS: readonly Column<ReplayReport['refusals'][number]>[] = [
  { title: 'refused by', cell: ({ filter }) => filter },
  { title: 'requests', align: 'right', cell: ({ requests }) => sayCount(requests) },
  { title: 'for example', cell: ({ reason }) => reason, shrinkTo: 20 },
  { title: 'receipt', optional: 1, cell: ({ example }) => example },
];

function orDash(count: number, style: 'red' | 'green'): Cell {
  return count === 0 ? null : { text: sayCount(count), style };
}

function sayPair({ before, after }: { before: number | null; after: number | null }): string {
  return before === null && after === null ? '' : `${sayMs(before)}${ARROW}${sayMs(after)}`;
}

function sayPercent(percent: number | null): string {
  if (percent === null || percent === 0) return '';
  return `${percent > 0 ? '+' : '-'}${Math.abs(percent).toFixed(1)} %`;
}
