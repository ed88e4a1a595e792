/** What engines tell Prometheus of their load and their cache, under the names that each of them documents. */
import { KV_CODECS, type KvCodec } from '#schema/catalog';
import type { NodeLoad } from '#schema/node';
import { readSamples, type Sample } from '../prometheus.ts';

/** Gauges by what they measure; engines that run several workers export one line each. */
const RUNNING = [
  'vllm:num_requests_running',
  'sglang:num_running_reqs',
  'llamacpp:requests_processing',
  'tgi_batch_current_size',
  'trtllm_num_requests_running',
  'lmdeploy:num_requests_running',
];
const WAITING = [
  'vllm:num_requests_waiting',
  'sglang:num_queue_reqs',
  'llamacpp:requests_deferred',
  'tgi_queue_size',
  'trtllm_num_requests_waiting',
  'lmdeploy:num_requests_waiting',
];
const KV_USAGE = [
  'vllm:kv_cache_usage_perc',
  'vllm:gpu_cache_usage_perc',
  'sglang:token_usage',
  'trtllm_kv_cache_utilization',
  'lmdeploy:gpu_cache_usage_perc',
];
const CACHE_CONFIG = ['vllm:cache_config_info', 'sglang:cache_config_info'];

const COUNT_MAX = 1e9;

export interface EngineMetrics {
  /** Null where it says nothing of its load, or nothing that can be. */
  load: NodeLoad | null;
  /** Name of the cache's element type as the engine gives it, such as `auto` or `fp8`; null where it does not. */
  cacheDtype: string | null;
  poolTokens: number | null;
}

/** Reads the text format of Prometheus, as far as it is about load and cache. */
export function readMetrics(text: string): EngineMetrics {
  const samples = readSamples(text);
  const running = valuesOf(samples, RUNNING);
  const waiting = valuesOf(samples, WAITING);
  const usage = valuesOf(samples, KV_USAGE).filter((value) => value <= 1);
  const cache = samples.find(({ name }) => CACHE_CONFIG.includes(name))?.labels;
  const countOf = (label: string): number | null => toCount(cache?.get(label));
  return {
    load:
      running.length === 0
        ? null
        : { running: total(running), waiting: total(waiting), kvUsage: usage.length === 0 ? null : Math.max(...usage) },
    cacheDtype: cache?.get('cache_dtype') ?? null,
    poolTokens:
      countOf('kv_cache_size_tokens') ??
      product(countOf('num_gpu_blocks'), countOf('block_size')) ??
      product(countOf('num_pages'), countOf('page_size')),
  };
}

/**
 * Finds the KV codec that an engine's `cache_dtype` stands for. `auto` is the model's own type, or what its checkpoint says: it refutes codecs
 * that have to be asked for, and tells nothing of the others. Null: nothing told.
 */
export function codecOf(cacheDtype: string | null, declared: KvCodec): KvCodec | null {
  if (cacheDtype === null) return null;
  const name = cacheDtype.toLowerCase();
  if (name === 'auto') return declared === 'bf16' || declared === 'fp16' || declared === 'fp8' || declared === 'unknown' ? null : 'bf16';
  if (name.startsWith('fp8')) return 'fp8';
  if (name === 'bfloat16') return 'bf16';
  if (name === 'float16' || name === 'half') return 'fp16';
  return KV_CODECS.find((codec) => codec === name) ?? 'unknown';
}

function valuesOf(samples: readonly Sample[], names: readonly string[]): number[] {
  return samples.flatMap(({ name, value }) => (names.includes(name) && Number.isFinite(value) && value >= 0 ? [value] : []));
}

function toCount(text: string | undefined): number | null {
  const value = text === undefined ? Number.NaN : Number(text);
  return Number.isInteger(value) && value > 0 && value <= COUNT_MAX ? value : null;
}

function product(count: number | null, each: number | null): number | null {
  return count === null || each === null || count * each > COUNT_MAX ? null : count * each;
}

function total(values: readonly number[]): number {
  return Math.min(COUNT_MAX, Math.round(values.reduce((sum, value) => sum + value, 0)));
}
