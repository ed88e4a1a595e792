/** What fits on a GPU node, how fast it serves, and what a token costs there. Pure: a prior until somebody measures. */
import type { EngineName } from '#schema/node';
import type { NodeSpeed } from '#schema/node-service';
import { bytesPerSequence, bytesPerToken } from './cache-bytes.ts';
import { CapacityProblem } from './problem.ts';
import { busyStepMs, decodeStep, prefillMs, residentTokens, type Machine } from './roofline.ts';
import { GIB, settle, USUAL_INPUT_TOKENS, type Assumption, type CapacityInput, type Setting } from './setting.ts';

export type { Assumption, CapacityInput } from './setting.ts';

/** What keeps a node from serving more. */
export type Limit = 'weights' | 'pool' | 'bandwidth' | 'arithmetic' | 'engine';

/** A node with so many requests at once, all GPUs together. */
export interface BatchEstimate {
  batch: number;
  /** Tokens per second while everybody only decodes. */
  decodeTokensPerSecond: number;
  /** Tokens per second of answers, with the prompts that come in between. */
  outputTokensPerSecond: number;
  /** What one of them waits for a token. */
  tpotMs: number;
  usdPerMillionOutputTokens: number;
}

/** What a node can do. Bytes are those of one GPU; tokens, sequences and rates those of all. */
export interface CapacityEstimate {
  engine: EngineName;
  gpuCount: number;
  tensorParallel: number;
  contextTokens: number;
  kvBytesPerToken: number;
  /** Of one sequence as long as the context. */
  kvBytesPerSequence: number;
  weightsBytes: number;
  /** Never negative: 0 when the weights leave nothing. */
  poolBytes: number;
  poolTokens: number;
  /** Sequences of the whole context that fit at once. */
  sequences: number;
  /** Longest single sequence that fits. */
  contextTokensMax: number;
  limit: Limit;
  /** Requests at once that speed and cost are computed for. */
  batch: number;
  decodeTokensPerSecond: number;
  outputTokensPerSecond: number;
  tpotMs: number | null;
  /** Of a lone prompt as long as the workload's, ms. */
  ttftMs: number | null;
  prefillTokensPerSecond: number;
  /** Null when nothing fits: there are no tokens to pay for. */
  usdPerMillionOutputTokens: number | null;
  usdPerMillionTokens: number | null;
  /** The same node with few requests, and with many. */
  batches: readonly BatchEstimate[];
  assumptions: readonly Assumption[];
}

const BATCH_SIZES = [1, 8, 32, 128];

/**
 * Estimates what a node holds and how fast it is: pool = share × memory − weights − reserve − the codec's workspace, speeds by roofline.
 * Throws CapacityProblem for what an engine would refuse; weights that do not fit are no problem but an estimate of zeros.
 */
export function estimateCapacity(input: CapacityInput): CapacityEstimate {
  const setting = settle(input);
  const machine = toMachine(input, setting);
  const pool = measurePool(machine, setting);
  const fits = countFitting(machine, setting, pool);
  const batch = pool.sequences === 0 ? 0 : Math.min(setting.batch ?? Infinity, fits);
  const sizes = batch === 0 ? [] : [...BATCH_SIZES.filter((size) => size < batch), batch];
  const batches = sizes.map((size) => estimateBatch(machine, setting, size));
  const busy = batches.at(-1) ?? null;
  const { inputTokens, outputTokens } = setting.workload;
  const lonePrefillMs = prefillMs(machine, Math.max(1, inputTokens));
  return {
    engine: setting.engine,
    gpuCount: setting.gpuCount,
    tensorParallel: setting.cache.tensorParallel,
    contextTokens: setting.contextTokens,
    ...pool,
    limit: findLimit(machine, setting, { pool, batch, fits }),
    batch,
    decodeTokensPerSecond: busy?.decodeTokensPerSecond ?? 0,
    outputTokensPerSecond: busy?.outputTokensPerSecond ?? 0,
    tpotMs: busy?.tpotMs ?? null,
    ttftMs: busy === null ? null : lonePrefillMs + decodeStep(machine, 1, inputTokens).ms,
    prefillTokensPerSecond: busy === null ? 0 : (1000 * Math.max(1, inputTokens)) / lonePrefillMs,
    usdPerMillionOutputTokens: busy?.usdPerMillionOutputTokens ?? null,
    usdPerMillionTokens: busy === null ? null : busy.usdPerMillionOutputTokens / (1 + inputTokens / outputTokens),
    batches,
    assumptions: [...setting.assumptions, ...batchNotes(setting, batch, fits)],
  };
}

/** Reads from an estimate how fast the node is to one request alone and to a full house, normalised to a prompt of 1,150 tokens. */
export function expectedSpeed(input: CapacityInput): NodeSpeed {
  const { inputTokens: _in, outputTokens: _out, ...rest } = input;
  const { ttftMs, batches } = estimateCapacity({ ...rest, inputTokens: USUAL_INPUT_TOKENS });
  const [alone, busy] = [batches[0], batches.at(-1)];
  return {
    ttftMs: ttftMs === null ? null : round(ttftMs),
    tpotMs: alone === undefined ? null : round(alone.tpotMs),
    throughput: busy === undefined ? null : { streams: busy.batch, tokensPerSecond: round(busy.outputTokensPerSecond) },
  };
}

function toMachine({ model, gpu, weights }: CapacityInput, { weights: bytes, cache }: Setting): Machine {
  return { shape: model, gpu, weights, bytes, cache };
}

type PoolEstimate = Pick<
  CapacityEstimate,
  'kvBytesPerToken' | 'kvBytesPerSequence' | 'weightsBytes' | 'poolBytes' | 'poolTokens' | 'sequences' | 'contextTokensMax'
>;

/** What is left beside the weights, and how much of the cache goes in there. */
function measurePool(
  { shape }: Machine,
  { utilization, totalGib, reserveGib, poolGib, weights, cache, replicas, contextTokens }: Setting,
): PoolEstimate {
  const { codec, blockTokens, tensorParallel } = cache;
  const weightsBytes = weights.total / tensorParallel;
  const leftBytes = (utilization * totalGib - reserveGib - codec.workspaceGib) * GIB - weightsBytes;
  const poolBytes = poolGib === null ? Math.max(0, leftBytes) : poolGib * GIB;
  const kvBytesPerToken = bytesPerToken(shape, cache);
  const kvBytesPerSequence = bytesPerSequence(shape, contextTokens, cache);
  if (kvBytesPerToken === 0) throw new CapacityProblem(`${shape.name} caches nothing: no layer of it looks back`);
  const tokens = Math.floor(poolBytes / kvBytesPerToken / blockTokens) * blockTokens;
  return {
    kvBytesPerToken,
    kvBytesPerSequence,
    weightsBytes: Math.round(weightsBytes),
    poolBytes: Math.floor(poolBytes),
    poolTokens: tokens * replicas,
    sequences: Math.floor(poolBytes / kvBytesPerSequence) * replicas,
    contextTokensMax: longestContext((length) => bytesPerSequence(shape, length, cache) <= poolBytes),
  };
}

/** Finds the longest sequence that fits by halving; 0 when not even a state does. */
function longestContext(fits: (tokens: number) => boolean): number {
  let [low, high] = [0, 2 ** 30];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Requests of the workload that a node holds at once, up to what its engine runs. */
function countFitting(
  { shape }: Machine,
  { cache, workload, replicas, contextTokens, maxSequences }: Setting,
  { poolBytes }: PoolEstimate,
): number {
  const tokens = Math.min(contextTokens, residentTokens(workload));
  const perReplica = Math.floor(poolBytes / bytesPerSequence(shape, tokens, cache));
  return Math.min(perReplica, maxSequences) * replicas;
}

function estimateBatch(machine: Machine, { replicas, workload, usdPerGpuHour, gpuCount }: Setting, batch: number): BatchEstimate {
  const perReplica = batch / Math.min(batch, replicas);
  const tpotMs = busyStepMs(machine, perReplica, workload);
  const decodeTokensPerSecond = (1000 * batch) / decodeStep(machine, perReplica, residentTokens(workload)).ms;
  const outputTokensPerSecond = (1000 * batch) / tpotMs;
  const usdPerMillionOutputTokens = ((usdPerGpuHour * gpuCount) / 3600 / outputTokensPerSecond) * 1e6;
  return { batch, decodeTokensPerSecond, outputTokensPerSecond, tpotMs, usdPerMillionOutputTokens };
}

/** Memory first; where there is enough of it, the longest part of a step. */
function findLimit(machine: Machine, setting: Setting, { pool, batch, fits }: { pool: PoolEstimate; batch: number; fits: number }): Limit {
  if (pool.poolBytes === 0) return 'weights';
  if (pool.sequences === 0 || (setting.batch === null && fits < setting.maxSequences * setting.replicas)) return 'pool';
  const perReplica = batch / Math.min(batch, setting.replicas);
  const step = decodeStep(machine, perReplica, residentTokens(setting.workload));
  const busyMs = busyStepMs(machine, perReplica, setting.workload);
  const arithmeticMs = Math.max(0, step.arithmeticMs - step.weightReadMs) + busyMs - step.ms;
  const bandwidthMs = step.weightReadMs + step.cacheReadMs + step.codecMs;
  if (step.fixedMs > Math.max(arithmeticMs, bandwidthMs)) return 'engine';
  return arithmeticMs > bandwidthMs ? 'arithmetic' : 'bandwidth';
}

function batchNotes({ batch: stated, workload, maxSequences, replicas }: Setting, batch: number, fits: number): Assumption[] {
  if (batch === 0) return [];
  const held = `${residentTokens(workload)} tokens each`;
  if (stated === null) {
    const why =
      fits < maxSequences * replicas
        ? `a busy node: what its pool holds of ${held}`
        : `a busy node: all that the engine runs at once, of ${held}`;
    return [{ name: 'batch', value: batch, why }];
  }
  return stated > fits ? [{ name: 'batch', value: batch, why: `no more than ${fits} of ${held} are held at once; others wait` }] : [];
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
