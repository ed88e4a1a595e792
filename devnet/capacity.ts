/**
 * What fits on a GPU node and how fast it decodes. Pure arithmetic on vLLM's cache layout and a roofline; constants are
 * the fits named beside them. A prior for a simulation, not a measurement.
 */
const GIB = 2 ** 30;
/** Bytes of K and V of one head and token at 128 dimensions. */
const SLOT_BYTES = {
  bf16: 512,
  fp8: 256,
  // 4-bit keys with an fp16 norm (64 + 2), 4-bit values with fp16 scale and zero (64 + 4): vLLM's turboquant config.
  turboquant_4bit_nc: 134,
} as const;
// vLLM keeps the first and last two layers of a dense model uncompressed under TurboQuant.
const UNCOMPRESSED_LAYERS = 4;
// Roofline efficiencies of weight reads, cache reads and arithmetic; fitted on published H100 and 4090 runs.
const WEIGHT_READ_EFFICIENCY = 0.9;
const CACHE_READ_EFFICIENCY = 0.88;
const ARITHMETIC_EFFICIENCY = 0.6;
const PREFILL_EFFICIENCY = 0.5;
const STEP_OVERHEAD_MS_PER_LAYER = 0.047;
// Extra cost of TurboQuant kernels: a constant per compressed layer, and four more reads of the cache it replaced (vLLM PR 53060).
const TURBOQUANT_OVERHEAD_MS_PER_LAYER = 0.034;
const TURBOQUANT_EXTRA_READS = 4;
/** vLLM's KV block. */
export const BLOCK_TOKENS = 16;

/** Names the KV cache codecs that the devnet's nodes run. */
export type CacheDtype = keyof typeof SLOT_BYTES;

/** Describes a GPU, the dense model on it and how the engine was started. Heads have 128 dimensions. */
export interface NodeFacts {
  gpu: string;
  /** Memory that the engine sees, and the share it may use. */
  memoryGib: number;
  memoryUtilization: number;
  /** Activations, CUDA graphs and logits, and TurboQuant's workspace. */
  reserveGib: number;
  weightsGib: number;
  bandwidthBytesPerSecond: number;
  flopsPerSecond: number;
  parameters: number;
  layers: number;
  kvHeads: number;
  cacheDtype: CacheDtype;
  maxModelLen: number;
}

function compressedLayers(node: NodeFacts): number {
  return node.cacheDtype === 'turboquant_4bit_nc' ? node.layers - UNCOMPRESSED_LAYERS : 0;
}

function plainTokenBytes(node: NodeFacts): number {
  const dtype = node.cacheDtype === 'fp8' ? 'fp8' : 'bf16';
  return node.layers * node.kvHeads * SLOT_BYTES[dtype];
}

/** Computes the bytes that one token takes in the KV cache, over all layers. */
export function kvBytesPerToken(node: NodeFacts): number {
  const compressed = compressedLayers(node);
  const plainBytes = (plainTokenBytes(node) / node.layers) * (node.layers - compressed);
  return plainBytes + compressed * node.kvHeads * SLOT_BYTES.turboquant_4bit_nc;
}

/** Computes how many tokens fit: (share × memory − weights − reserve) / bytes per token, rounded down to whole blocks. */
export function poolTokens(node: NodeFacts): number {
  const poolBytes = (node.memoryGib * node.memoryUtilization - node.weightsGib - node.reserveGib) * GIB;
  return Math.floor(poolBytes / kvBytesPerToken(node) / BLOCK_TOKENS) * BLOCK_TOKENS;
}

/** Computes the milliseconds of one decode step, which is everybody's TPOT: grows with sequences and with what they hold in the cache. */
export function decodeStepMs(node: NodeFacts, sequences: number, cachedTokens: number): number {
  const weightReadS = (node.weightsGib * GIB) / (WEIGHT_READ_EFFICIENCY * node.bandwidthBytesPerSecond);
  const arithmeticS = (2 * node.parameters * sequences) / (ARITHMETIC_EFFICIENCY * node.flopsPerSecond);
  const cacheReadS = (cachedTokens * plainTokenBytes(node)) / (CACHE_READ_EFFICIENCY * node.bandwidthBytesPerSecond);
  const compressed = compressedLayers(node);
  const cacheReads = compressed > 0 ? 1 + TURBOQUANT_EXTRA_READS : 1;
  return (
    STEP_OVERHEAD_MS_PER_LAYER * node.layers +
    TURBOQUANT_OVERHEAD_MS_PER_LAYER * compressed +
    1000 * (Math.max(weightReadS, arithmeticS) + cacheReads * cacheReadS)
  );
}

/** Computes the tokens per second that a lone prompt is read at: arithmetic bound. */
export function prefillTokensPerSecond(node: NodeFacts): number {
  return (PREFILL_EFFICIENCY * node.flopsPerSecond) / (2 * node.parameters);
}
