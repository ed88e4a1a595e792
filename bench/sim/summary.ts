/** Means over seeds with their uncertainty. Pure. */
import type { CellResult } from './cell.ts';
import type { CellMetrics } from './metrics.ts';

/** Mean and half width of its 95 % confidence interval (Student's t); the latter is null for a single value. */
export interface Estimate {
  mean: number;
  ci95: number | null;
}

export type SummaryField = keyof CellMetrics | 'regret';

/** One policy in one scenario over all seeds. Fields that no seed has a value for are absent. */
export interface Summary {
  policy: string;
  scenario: string;
  seeds: number;
  values: Partial<Record<SummaryField, Estimate>>;
}

/** 97.5 % quantiles of Student's t by degrees of freedom; beyond the table the normal one. */
const T_975 = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1, 2.09, 2.09];
const NORMAL_975 = 1.96;

const NOT_MEASURED = new Set(['policy', 'scenario', 'seed', 'meanLoss', 'bound', 'wallMs']);

/** A cell with what only the table as a whole can tell. `regret`: loss over the least possible, as a share; null where nobody knows the least. */
export interface ReportedCell extends CellResult {
  regret: number | null;
}

/** Summarises cells by scenario and policy, in the order of their first appearance. */
export function summarise(cells: readonly ReportedCell[]): Summary[] {
  const groups = Map.groupBy(cells, ({ policy, scenario }) => `${scenario} ${policy}`);
  return [...groups.values()].map((group) => {
    const [first] = group as [ReportedCell];
    const fields = Object.keys(first).filter((field) => !NOT_MEASURED.has(field)) as SummaryField[];
    const values: Summary['values'] = {};
    for (const field of fields) {
      const samples = group.flatMap((cell) => (typeof cell[field] === 'number' && Number.isFinite(cell[field]) ? [cell[field]] : []));
      if (samples.length > 0) values[field] = estimate(samples);
    }
    return { policy: first.policy, scenario: first.scenario, seeds: group.length, values };
  });
}

/** Estimates a mean; NaN of nothing. */
export function estimate(samples: readonly number[]): Estimate {
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
  if (samples.length < 2) return { mean, ci95: null };
  const variance = samples.reduce((sum, sample) => sum + (sample - mean) ** 2, 0) / (samples.length - 1);
  const quantile = T_975[samples.length - 2] ?? NORMAL_975;
  return { mean, ci95: quantile * Math.sqrt(variance / samples.length) };
}
