/** How long a decode step and a prompt take: memory and arithmetic at fitted shares of their peaks, and what engines add. */
import { bytesPerSequence, compressedLayers, type CacheSetting } from './cache-bytes.ts';
import type { Gpu } from './gpus.ts';
import { findCodec } from './kv-codecs.ts';
import type { ModelShape } from './model-shape.ts';
import type { WeightBytes, WeightFormat } from './weight-formats.ts';

// Fits on published H100 and 4090 runs: shares of peak bandwidth and arithmetic, and the part of a step that neither explains.
const CACHE_READ_EFFICIENCY = 0.88;
const DECODE_ARITHMETIC_EFFICIENCY = 0.6;
const LONE_PREFILL_EFFICIENCY = 0.5;
const STEP_MS_PER_DENSE_LAYER = 0.047;
const STEP_MS_PER_EXPERT_LAYER = 0.117;

/** What a busy engine adds: prompts among the answers run below a lone prompt's speed, and every sequence is scheduled, sampled and sent. */
const BUSY = {
  consumer: { prefillEfficiency: 0.5, sequenceMs: 0.139 },
  datacenter: { prefillEfficiency: 0.4, sequenceMs: 0.069 },
} as const;

/** One engine process on the GPUs that share its layers. */
export interface Machine {
  shape: ModelShape;
  gpu: Gpu;
  weights: WeightFormat;
  bytes: WeightBytes;
  cache: CacheSetting;
}

/** A decode step in milliseconds, and what it is made of. */
export interface DecodeStep {
  ms: number;
  fixedMs: number;
  weightReadMs: number;
  arithmeticMs: number;
  cacheReadMs: number;
  /** What the codec's kernels add to reading the bytes of a bf16 cache. */
  codecMs: number;
}

/** Computes one decode step of `batch` sequences that hold so many tokens each: everybody's time per output token. */
export function decodeStep(machine: Machine, batch: number, tokens: number): DecodeStep {
  const { shape, gpu, cache } = machine;
  const { codec } = cache;
  const fixedMs = shape.layers.length * (shape.routing === null ? STEP_MS_PER_DENSE_LAYER : STEP_MS_PER_EXPERT_LAYER);
  const readingMs = weightReadMs(machine, batch);
  const arithmeticMs = (1000 * flopsPerToken(machine) * batch) / (DECODE_ARITHMETIC_EFFICIENCY * flopsOf(machine));
  const readMs = (setting: CacheSetting): number =>
    (1000 * batch * bytesPerSequence(shape, tokens, setting)) / (CACHE_READ_EFFICIENCY * gpu.bandwidthBytesPerSecond);

  const plainReadMs = readMs({ ...cache, codec: findCodec('bf16') });
  const withoutCacheMs = fixedMs + Math.max(readingMs, arithmeticMs);
  const cacheReadMs = codec.law.kind === 'roofline' ? readMs(cache) : plainReadMs;
  const codecMs = codecOverheadMs(machine, { stepMs: withoutCacheMs + plainReadMs, plainReadMs });
  return { ms: withoutCacheMs + cacheReadMs + codecMs, fixedMs, weightReadMs: readingMs, arithmeticMs, cacheReadMs, codecMs };
}

function codecOverheadMs({ shape, cache: { codec } }: Machine, { stepMs, plainReadMs }: { stepMs: number; plainReadMs: number }): number {
  const { law } = codec;
  if (law.kind === 'roofline') return 0;
  if (law.kind === 'ratio') return (law.ratio - 1) * stepMs;
  return additiveOverheadMs({ ...law, compressedLayers: compressedLayers(shape, codec), plainReadMs });
}

/** Computes what kernels that unpack a cache add to a step with a bf16 cache: a constant per layer, and further reads of that cache. */
export function additiveOverheadMs(law: { msPerLayer: number; extraReads: number; compressedLayers: number; plainReadMs: number }): number {
  return law.msPerLayer * law.compressedLayers + law.extraReads * law.plainReadMs;
}

/** Of a mixture, the share of experts that a batch touches, each token choosing its own. */
function touchedExperts({ routing }: ModelShape, batch: number): number {
  return routing === null ? 0 : 1 - (1 - routing.perToken / routing.experts) ** batch;
}

/** Computes how long a prompt of so many tokens takes by itself, ms: matrices for every token, attention for every pair, and no less than reading the weights. */
export function prefillMs(machine: Machine, tokens: number): number {
  const flops = flopsPerToken(machine) * tokens + attentionFlops(machine.shape, tokens);
  return Math.max((1000 * flops) / (LONE_PREFILL_EFFICIENCY * flopsOf(machine)), weightReadMs(machine, tokens));
}

/** Reads each weight once for all tokens of a step; of experts, those that some token chose. */
function weightReadMs({ shape, gpu, bytes, weights, cache }: Machine, tokens: number): number {
  const readBytes = (bytes.denseRead + bytes.experts * touchedExperts(shape, tokens)) / cache.tensorParallel;
  return (1000 * readBytes) / (weights.readEfficiency * gpu.bandwidthBytesPerSecond);
}

/** Half of all pairs, since nothing looks ahead; two matrix products. Windows end the row early, linear layers have none. */
function attentionFlops({ layers, queryHeads, queryDim }: ModelShape, tokens: number): number {
  return layers.reduce((flops, layer) => {
    if (layer.kind === 'linear' || layer.kind === 'stateless') return flops;
    const seen = layer.kind === 'window' ? Math.min(tokens / 2, layer.windowTokens) : tokens / 2;
    return flops + 4 * queryHeads * queryDim * tokens * seen;
  }, 0);
}

/** Requests as they come: tokens in, tokens out. */
export interface Workload {
  inputTokens: number;
  outputTokens: number;
}

/** Computes how many tokens a request holds on average while it is served. */
export function residentTokens({ inputTokens, outputTokens }: Workload): number {
  return inputTokens + outputTokens / 2;
}

/** Computes the step of a busy engine, ms: the decode step, the prompts that come in between, and what each sequence costs besides. */
export function busyStepMs(machine: Machine, batch: number, workload: Workload): number {
  const { prefillEfficiency, sequenceMs } = BUSY[machine.gpu.host];
  const promptTokens = batch * (workload.inputTokens / Math.max(1, workload.outputTokens));
  const promptMs = (1000 * promptTokens * flopsPerToken(machine)) / (prefillEfficiency * flopsOf(machine));
  // One request alone waits for nobody.
  const others = batch - 1;
  return decodeStep(machine, batch, residentTokens(workload)).ms + promptMs + sequenceMs * others;
}

/** Two operations for every parameter of a token, but embeddings, which are looked up. */
function flopsPerToken({ shape, bytes, weights }: Machine): number {
  const { parameters } = shape;
  if (parameters === null) return (2 * bytes.denseRead * 8) / weights.bits;
  return 2 * (parameters.active - parameters.lookedUp - (parameters.isTied ? 0 : parameters.embedding));
}

function flopsOf({ gpu, weights, cache }: Machine): number {
  const perGpu = weights.arithmetic === 'fp8' ? (gpu.flopsFp8 ?? gpu.flopsFp16) : gpu.flopsFp16;
  return perGpu * cache.tensorParallel;
}
