/** Bytes that a model's cache takes on one GPU, by token and by sequence. */
import type { CacheCodec } from './kv-codecs.ts';
import { isHybrid, isLatent, stateOf, type LayerShape, type ModelShape } from './model-shape.ts';
import { CapacityProblem } from './problem.ts';

/** How a cache is laid out. */
export interface CacheSetting {
  codec: CacheCodec;
  /** GPUs that share every layer's heads. */
  tensorParallel: number;
  /** Tokens that the engine allocates at once; 1 where it counts them singly. */
  blockTokens: number;
  /** Bytes of one value of a linear layer's state: 4, or 2 where the engine was told so. */
  stateValueBytes: number;
  /** Tokens that a window's cache holds besides the window, and what their sum is rounded up to. Default: none, and whole blocks. */
  window?: { spareTokens: number; multiple: number };
}

const NATIVE_VALUE_BYTES = 2;

/** Computes the bytes that one more token takes in a long sequence. A model of nothing but windows counts as if they were still filling. */
export function bytesPerToken(shape: ModelShape, setting: CacheSetting): number {
  const growing = sumLayers(shape, setting, (layer, bytes) => (layer.kind === 'window' ? 0 : bytes));
  return growing > 0 ? growing : sumLayers(shape, setting, (_layer, bytes) => bytes);
}

/** Computes the bytes of one sequence of so many tokens: what grows, what windows hold, and the states of linear layers. */
export function bytesPerSequence(shape: ModelShape, tokens: number, setting: CacheSetting): number {
  return sumLayers(shape, setting, (layer, bytes) => {
    const state = stateOf(layer);
    const kept = layer.kind === 'window' ? Math.min(tokens, windowCells(layer.windowTokens, setting)) : tokens;
    return bytes * kept + (state === null ? 0 : stateBytes(state, setting));
  });
}

function windowCells(tokens: number, { window = { spareTokens: 0, multiple: 1 }, blockTokens }: CacheSetting): number {
  return roundUp(roundUp(tokens + window.spareTokens, window.multiple), blockTokens);
}

/** Counts the layers that the codec compresses. */
export function compressedLayers(shape: ModelShape, { nativeEdgeLayers }: CacheCodec): number {
  const caching = shape.layers.filter(({ kind }) => kind !== 'linear' && kind !== 'stateless').length;
  return Math.max(0, caching - 2 * edgeLayers(shape, nativeEdgeLayers));
}

/** Counts the layers at either end that stay native: never more than half of them, and none in a hybrid. */
function edgeLayers(shape: ModelShape, most: number): number {
  return isHybrid(shape) ? 0 : Math.min(most, Math.floor(shape.layers.length / 2));
}

/** Refuses what an engine would refuse. Throws CapacityProblem with the reason. */
export function checkCodec(shape: ModelShape, codec: CacheCodec): void {
  if (isLatent(shape) && codec.latentBytes === null)
    throw new CapacityProblem(`${codec.name} does not fit ${shape.name}: ${codec.refusal}`);
  if (!isLatent(shape) && codec.isLatentOnly) {
    throw new CapacityProblem(
      `${codec.name} does not fit ${shape.name}: it stores latents (MLA), and this model caches keys and values; use fp8`,
    );
  }
  for (const layer of shape.layers) {
    for (const [dim, blockValues] of storedDims(layer, codec)) {
      if (dim % blockValues !== 0) {
        throw new CapacityProblem(`${codec.name} does not fit ${shape.name}: ${dim} values are no whole blocks of ${blockValues}`);
      }
      if (codec.needsPowerOfTwo && (dim & (dim - 1)) !== 0) {
        throw new CapacityProblem(`${codec.name} does not fit ${shape.name}: heads of ${dim} are no power of two`);
      }
    }
  }
}

/** Lists how many values are stored together, with the codec's block for them. */
function storedDims(layer: LayerShape, { key, value, isLatentOnly }: CacheCodec): [dim: number, blockValues: number][] {
  switch (layer.kind) {
    case 'full':
    case 'window':
      return [
        [layer.keyDim, key.blockValues],
        [layer.valueDim, value.blockValues],
      ];
    case 'latent':
      return isLatentOnly ? [] : [[layer.latentDim + layer.ropeDim, key.blockValues]];
    case 'linear':
    case 'stateless':
      return [];
    default:
      return layer satisfies never;
  }
}

/** Adds up what `take` makes of every layer and of the bytes that a token takes there. */
function sumLayers(shape: ModelShape, setting: CacheSetting, take: (layer: LayerShape, bytes: number) => number): number {
  const edge = edgeLayers(shape, setting.codec.nativeEdgeLayers);
  const last = shape.layers.length - edge;
  return shape.layers.reduce((total, layer, index) => total + take(layer, tokenBytes(layer, index < edge || index >= last, setting)), 0);
}

function tokenBytes(layer: LayerShape, isNative: boolean, { codec, tensorParallel }: CacheSetting): number {
  if (layer.kind === 'latent') {
    const values = layer.latentDim + layer.ropeDim;
    // Every GPU keeps the whole latent.
    return isNative || codec.latentBytes === null ? values * NATIVE_VALUE_BYTES : codec.latentBytes(layer.latentDim, layer.ropeDim);
  }
  if (layer.kind !== 'full' && layer.kind !== 'window') return 0;
  const entry = isNative
    ? (layer.keyDim + layer.valueDim) * NATIVE_VALUE_BYTES
    : roundUp(codec.key.bytes(layer.keyDim) + codec.value.bytes(layer.valueDim), codec.entryMultiple);
  return headsPerGpu(layer.kvHeads, tensorParallel) * entry;
}

/** A gated delta net's state (and every other linear layer's), with what its short convolution remembers in 16 bits. */
function stateBytes(layer: LayerShape & { kind: 'linear' }, { tensorParallel, stateValueBytes }: CacheSetting): number {
  const [keyHeads, valueHeads] = [layer.keyHeads, layer.valueHeads].map((heads) => headsPerGpu(heads, tensorParallel)) as [number, number];
  const state = valueHeads * layer.keyDim * layer.valueDim * stateValueBytes;
  const convolution = (layer.convWidth - 1) * (2 * keyHeads * layer.keyDim + valueHeads * layer.valueDim) * NATIVE_VALUE_BYTES;
  return state + convolution;
}

/** Heads are divided; where there are fewer than GPUs, each keeps a copy of one. */
function headsPerGpu(heads: number, tensorParallel: number): number {
  return Math.ceil(heads / tensorParallel);
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
