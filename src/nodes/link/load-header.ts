/** The load of a node as the header that engines and gateways share: ORCA's `endpoint-load-metrics`, in the names of vLLM. */
import { NODE_LOAD_FRESH_MS } from '#schema/node-load-report';
import type { NodeLoad } from '#schema/node-service';

/** A load and when the node told it. */
export interface ToldLoad {
  load: NodeLoad | null;
  /** Epoch milliseconds. */
  atMs: number;
}

/** Name of the header. */
export const LOAD_HEADER = 'endpoint-load-metrics';

/** Writes the header's value; null where the load is unknown or too old. */
export function loadHeader(told: ToldLoad | null, nowMs: number): string | null {
  if (told === null || told.load === null || nowMs - told.atMs > NODE_LOAD_FRESH_MS) return null;
  const { running, waiting, kvUsage } = told.load;
  const figures = {
    num_requests_running: running,
    num_requests_waiting: waiting,
    ...(kvUsage !== null && { kv_cache_usage_perc: kvUsage }),
  };
  return `JSON ${JSON.stringify({ named_metrics: figures })}`;
}
