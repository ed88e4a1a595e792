/** The whole outcome of a run: what `--json` prints and the table is made of. Pure. */
import { judge, type Bar, type ReportedBound } from './bars.ts';
import type { CellResult } from './cell.ts';
import { estimate, summarise, type Estimate, type ReportedCell, type Summary } from './summary.ts';

export interface SimReport {
  /** What was simulated, for the reader. */
  run: Record<string, unknown>;
  results: ReportedCell[];
  summary: Summary[];
  bound: Record<string, ReportedBound>;
  bars: Bar[];
}

/** Builds the report of all cells. */
export function toReport(cells: readonly CellResult[], run: SimReport['run']): SimReport {
  const least = new Map(
    cells.flatMap(({ bound, scenario, seed }) => (bound === null ? [] : [[`${scenario} ${seed}`, bound.leastLoss] as const])),
  );
  const results = cells.map((cell) => {
    const leastLoss = least.get(`${cell.scenario} ${cell.seed}`);
    return { ...cell, regret: leastLoss === undefined ? null : cell.meanLoss / leastLoss - 1 };
  });
  const summary = summarise(results);
  const bound = boundsOf(results);
  return { run, results, summary, bound, bars: judge(summary, bound) };
}

function boundsOf(cells: readonly ReportedCell[]): Record<string, ReportedBound> {
  const bounded = cells.flatMap(({ scenario, usdPerMTok, bound }) => (bound === null ? [] : [{ scenario, usdPerMTok, bound }]));
  return Object.fromEntries(
    [...Map.groupBy(bounded, ({ scenario }) => scenario)].map(([scenario, group]) => {
      const gaps = group.flatMap(({ bound }) =>
        bound.feasibleUsdPerMTok === null ? [] : [bound.feasibleUsdPerMTok / bound.usdPerMTok - 1],
      );
      return [
        scenario,
        {
          usdPerMTok: meanOf(group.map(({ bound }) => bound.usdPerMTok)),
          ratio: meanOf(group.map(({ usdPerMTok, bound }) => usdPerMTok / bound.usdPerMTok)),
          gap: gaps.length === 0 ? null : meanOf(gaps),
        },
      ];
    }),
  );
}

function meanOf(samples: readonly number[]): number {
  return (estimate(samples) satisfies Estimate).mean;
}
