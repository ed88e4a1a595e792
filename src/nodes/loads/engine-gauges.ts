/** The gauges in which engines tell Prometheus of their load, under the names that each of them documents: what probes and the node command read. */
import { largestOf, sumOf, type Sample } from './prometheus.ts';

/** Names by what they measure; the first that is there counts. Engines that run several workers export one line each. */
interface Gauges {
  running: string;
  waiting: string;
  kvUsage: readonly string[];
}

const ENGINE_GAUGES = {
  vllm: {
    running: 'vllm:num_requests_running',
    waiting: 'vllm:num_requests_waiting',
    kvUsage: ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'],
  },
  sglang: { running: 'sglang:num_running_reqs', waiting: 'sglang:num_queue_reqs', kvUsage: ['sglang:token_usage'] },
  'llama-cpp': { running: 'llamacpp:requests_processing', waiting: 'llamacpp:requests_deferred', kvUsage: [] },
  tgi: { running: 'tgi_batch_current_size', waiting: 'tgi_queue_size', kvUsage: [] },
  trtllm: { running: 'trtllm_num_requests_running', waiting: 'trtllm_num_requests_waiting', kvUsage: ['trtllm_kv_cache_utilization'] },
  lmdeploy: {
    running: 'lmdeploy:num_requests_running',
    waiting: 'lmdeploy:num_requests_waiting',
    kvUsage: ['lmdeploy:gpu_cache_usage_perc'],
  },
} as const satisfies Record<string, Gauges>;

/** What an engine counts; null where it does not. As it says it: whoever reads it judges what can be. */
export interface GaugedLoad {
  running: number | null;
  waiting: number | null;
  kvUsage: number | null;
}

/** Reads the gauges of one engine. */
export function readGauges(samples: readonly Sample[], engine: keyof typeof ENGINE_GAUGES): GaugedLoad {
  const { running, waiting, kvUsage } = ENGINE_GAUGES[engine];
  return { running: sumOf(samples, running), waiting: sumOf(samples, waiting), kvUsage: largestOf(samples, ...kvUsage) };
}

/** Reads the gauges of whatever engine it is. */
export function readAnyGauges(samples: readonly Sample[]): GaugedLoad {
  const engines = Object.keys(ENGINE_GAUGES) as (keyof typeof ENGINE_GAUGES)[];
  const loads = engines.map((engine) => readGauges(samples, engine));
  return loads.find(({ running }) => running !== null) ?? { running: null, waiting: null, kvUsage: null };
}
