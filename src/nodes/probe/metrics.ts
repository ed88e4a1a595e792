/** What engines tell Prometheus of their load and their cache. */
import { KV_CODECS, type KvCodec } from '#schema/catalog';
import type { NodeLoad } from '#schema/node-service';
import { readAnyGauges, type GaugedLoad } from '../loads/engine-gauges.ts';
import { readSamples } from '../loads/prometheus.ts';

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
  const cache = samples.find(({ name }) => CACHE_CONFIG.includes(name))?.labels;
  const countOf = (label: string): number | null => toCount(cache?.get(label));
  return {
    load: toLoad(readAnyGauges(samples)),
    cacheDtype: cache?.get('cache_dtype') ?? null,
    poolTokens:
      countOf('kv_cache_size_tokens') ??
      product(countOf('num_gpu_blocks'), countOf('block_size')) ??
      product(countOf('num_pages'), countOf('page_size')),
  };
}

/** Takes what an engine counts for a load; null where that cannot be. A share that is none is left out, not believed. */
export function toLoad({ running, waiting, kvUsage }: GaugedLoad): NodeLoad | null {
  const count = (value: number | null) =>
    value === null || !Number.isFinite(value) || value < 0 ? null : Math.min(COUNT_MAX, Math.round(value));
  const known = count(running);
  if (known === null) return null;
  return { running: known, waiting: count(waiting) ?? 0, kvUsage: kvUsage !== null && kvUsage >= 0 && kvUsage <= 1 ? kvUsage : null };
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

/** Takes a number of tokens for the size of a pool; null where it cannot be one. */
export function toPool(tokens: number | null | undefined): number | null {
  return tokens != null && Number.isInteger(tokens) && tokens > 0 && tokens <= COUNT_MAX ? tokens : null;
}

function toCount(text: string | undefined): number | null {
  const value = text === undefined ? Number.NaN : Number(text);
  return toPool(value);
}

function product(count: number | null, each: number | null): number | null {
  return count === null || each === null || count * each > COUNT_MAX ? null : count * each;
}
