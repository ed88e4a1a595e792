/** SGLang's `/v1/loads`: how loaded it is and how many tokens it holds, also where its metrics are off. What probes and the node command read. */
import type { GaugedLoad } from './engine-gauges.ts';

export const LOADS_PATH = '/v1/loads';

type Rank = Readonly<Record<string, unknown>>;

/** A load with the size of the pool, in tokens; null where it does not say. */
export interface SglangLoad extends GaugedLoad {
  poolTokens: number | null;
}

/** Reads the answer: one entry for each data-parallel rank, below `loads` or by itself. Null where it is no such answer. */
export function readLoads(answer: unknown): SglangLoad | null {
  const ranks = ranksOf(answer);
  const running = total(ranks, 'num_running_reqs', 'num_reqs');
  if (running === null) return null;
  const usages = ranks.map(({ token_usage: usage }) => usage).filter((usage) => typeof usage === 'number');
  return {
    running,
    waiting: total(ranks, 'num_waiting_reqs', 'num_queue_reqs'),
    kvUsage: usages.length === 0 ? null : Math.max(...usages),
    poolTokens: total(ranks, 'max_total_num_tokens'),
  };
}

function ranksOf(answer: unknown): Rank[] {
  const isObject = (value: unknown): value is Rank => typeof value === 'object' && value !== null && !Array.isArray(value);
  const list = isObject(answer) ? answer['loads'] : answer;
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/** Adds up, over all ranks, the first of these fields that each has; null where one has none. */
function total(ranks: readonly Rank[], ...names: string[]): number | null {
  const counts = ranks.map((rank) => names.map((name) => rank[name]).find((value) => typeof value === 'number'));
  return counts.length === 0 || counts.includes(undefined) ? null : counts.reduce<number>((sum, count) => sum + (count as number), 0);
}
