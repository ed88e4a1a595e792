/**
 * How engines lay keys and values out in the cache, in bytes. Layouts are those of vLLM's TurboQuant configuration and Triton backend,
 * of LMDeploy's quantization policy 42, and of ggml's block types with the turbo types of its fork.
 */
import { ENGINES, type EngineName } from '#schema/node';
import { CapacityProblem, unknownName } from './problem.ts';

/** Bytes of so many values of one head and token. */
interface SideLayout {
  bytes(dim: number): number;
  /** Values that are stored together; a dimension must be a multiple. */
  blockValues: number;
}

/** How a decode step differs from reading the stored bytes at memory speed. */
export type DecodeLaw =
  | { kind: 'roofline' }
  /** A constant per compressed layer, and so many more reads of the cache as bf16 would hold it. */
  | { kind: 'additive'; msPerLayer: number; extraReads: number }
  /** So many times the step with a bf16 cache. */
  | { kind: 'ratio'; ratio: number };

/** One way of storing a KV cache. */
export interface CacheCodec {
  name: string;
  engines: readonly EngineName[];
  key: SideLayout;
  value: SideLayout;
  /** Bytes to which K and V of one head and token are rounded up together. */
  entryMultiple: number;
  /** Layers at either end of a model without linear layers that stay bf16. */
  nativeEdgeLayers: number;
  /** GPU memory that its kernels take beside the pool. */
  workspaceGib: number;
  /** Bytes of one latent vector with its rotary key; null where latents cannot be stored so, `refusal` says why. */
  latentBytes: ((latentDim: number, ropeDim: number) => number) | null;
  refusal?: string;
  /** Stores latents and nothing else. */
  isLatentOnly: boolean;
  /** Stores heads of a power of two only. */
  needsPowerOfTwo: boolean;
  law: DecodeLaw;
}

const VLLM_FAMILY: readonly EngineName[] = ['vllm', 'sglang', 'lmdeploy', 'tgi'];
const LLAMA_FAMILY: readonly EngineName[] = ['llama-cpp', 'ollama'];

const plain = (bytesPerValue: number): SideLayout => ({ bytes: (dim) => dim * bytesPerValue, blockValues: 1 });
const packed = (bits: number, extraBytes: number): SideLayout => ({
  bytes: (dim) => Math.ceil((dim * bits) / 8) + extraBytes,
  blockValues: 1,
});
const blocks = (bytes: number, blockValues: number): SideLayout => ({ bytes: (dim) => (dim / blockValues) * bytes, blockValues });
/** Heads are padded with zeros to whole blocks of 128. */
const padded = (bytes: number): SideLayout => ({ bytes: (dim) => Math.ceil(dim / 128) * bytes, blockValues: 1 });

const BF16 = plain(2);
const FP8 = plain(1);

/** ggml's types, for K and V independently. */
const LLAMA_TYPES: Readonly<Record<string, SideLayout>> = {
  f32: plain(4),
  f16: BF16,
  bf16: BF16,
  q8_0: blocks(34, 32),
  q5_1: blocks(24, 32),
  q5_0: blocks(22, 32),
  q4_1: blocks(20, 32),
  q4_0: blocks(18, 32),
  iq4_nl: blocks(18, 32),
  turbo4: padded(68),
  turbo3: padded(50),
  turbo2: padded(34),
};

/** Fitted on the fork: 2–6 % slower at short context on a 4090, growing with depth on a 3090. */
const TURBO_LAW: DecodeLaw = { kind: 'additive', msPerLayer: 0.01, extraReads: 3.7 };
/** vLLM's kernels up to v0.29 (fitted on pull request 53060). */
const TURBOQUANT_LAW: DecodeLaw = { kind: 'additive', msPerLayer: 0.034, extraReads: 4 };
/** What vLLM's kernels were seen to take of a pool (pull request 40108); twice what their source asks for. */
const TURBOQUANT_WORKSPACE_GIB = 1.25;

const BASE: Omit<CacheCodec, 'name' | 'engines' | 'key' | 'value' | 'latentBytes'> = {
  entryMultiple: 1,
  nativeEdgeLayers: 0,
  workspaceGib: 0,
  isLatentOnly: false,
  needsPowerOfTwo: false,
  law: { kind: 'roofline' },
};

function symmetric(name: string, engines: readonly EngineName[], side: SideLayout): CacheCodec {
  return { ...BASE, name, engines, key: side, value: side, latentBytes: (latent, rope) => side.bytes(latent + rope) };
}

/** Keys with their norm, values with scale and zero point. */
function turboQuant(name: string, key: SideLayout, valueBits: number): CacheCodec {
  return {
    ...BASE,
    name,
    engines: ['vllm'],
    key,
    value: packed(valueBits, 4),
    entryMultiple: 2,
    nativeEdgeLayers: 2,
    workspaceGib: TURBOQUANT_WORKSPACE_GIB,
    latentBytes: null,
    refusal: 'vLLM compresses keys and values of heads, and a latent (MLA) cache has none: use bf16, fp8 or fp8_ds_mla',
    law: TURBOQUANT_LAW,
  };
}

/** Every head carries an fp32 scale on either side. */
function perTokenHead(name: string, bits: number): CacheCodec {
  return {
    ...symmetric(name, ['vllm'], packed(bits, 4)),
    latentBytes: null,
    refusal: 'its scales belong to heads, and a latent (MLA) cache has none: use bf16, fp8 or fp8_ds_mla',
  };
}

const NAMED: readonly CacheCodec[] = [
  symmetric('bf16', ENGINES, BF16),
  symmetric('fp16', ENGINES, BF16),
  symmetric('fp8', VLLM_FAMILY, FP8),
  {
    ...symmetric('fp8_ds_mla', ['vllm', 'sglang'], FP8),
    // Latent in fp8, an fp32 scale for every 128 values of it, the rotary key in bf16.
    latentBytes: (latent, rope) => latent + Math.ceil(latent / 128) * 4 + rope * 2,
    isLatentOnly: true,
  },
  perTokenHead('fp8_per_token_head', 8),
  perTokenHead('int8_per_token_head', 8),
  perTokenHead('int4_per_token_head', 4),
  // An fp8 scale for every 16 values.
  symmetric('nvfp4', ['vllm'], blocks(9, 16)),
  turboQuant('turboquant_k8v4', FP8, 4),
  turboQuant('turboquant_4bit_nc', packed(4, 2), 4),
  turboQuant('turboquant_k3v4_nc', packed(3, 2), 4),
  turboQuant('turboquant_3bit_nc', packed(3, 2), 3),
  {
    ...BASE,
    name: 'lmdeploy_42',
    engines: ['lmdeploy'],
    // 3 bits and a sign of the residual per value, norms of both; values in 2 bits with their norm.
    key: packed(4, 4),
    value: packed(2, 2),
    latentBytes: null,
    refusal: 'LMDeploy does not offer it for latent (MLA) caches: use bf16 or fp8',
    needsPowerOfTwo: true,
    // 64 at once on an H200.
    law: { kind: 'ratio', ratio: 1.08 },
  },
  ...Object.entries(LLAMA_TYPES)
    .filter(([type]) => !['f16', 'bf16'].includes(type))
    .map(([type, side]) => llamaPair(type, type, side, side)),
];

function llamaPair(keyType: string, valueType: string, key: SideLayout, value: SideLayout): CacheCodec {
  const isTurbo = keyType.startsWith('turbo') || valueType.startsWith('turbo');
  const isOllama = keyType === valueType && ['q8_0', 'q4_0'].includes(keyType);
  return {
    ...BASE,
    name: keyType === valueType ? keyType : `${keyType}/${valueType}`,
    engines: isOllama ? LLAMA_FAMILY : ['llama-cpp'],
    key,
    value,
    // llama.cpp keeps the latent as the key and reads values from it.
    latentBytes: (latent, rope) => key.bytes(latent + rope),
    law: isTurbo ? TURBO_LAW : { kind: 'roofline' },
  };
}

const ALIASES: Readonly<Record<string, string>> = {
  auto: 'bf16',
  bfloat16: 'bf16',
  float16: 'fp16',
  f16: 'fp16',
  half: 'fp16',
  fp32: 'f32',
  float32: 'f32',
  fp8_e4m3: 'fp8',
  fp8_e4m3fn: 'fp8',
  fp8_e5m2: 'fp8',
  fp8_inc: 'fp8',
  // Chooses its scales otherwise, and stores them alike.
  nvfp4_4over6: 'nvfp4',
  k8v4: 'turboquant_k8v4',
  '4bit_nc': 'turboquant_4bit_nc',
  k3v4_nc: 'turboquant_k3v4_nc',
  '3bit_nc': 'turboquant_3bit_nc',
  '42': 'lmdeploy_42',
  lmd42: 'lmdeploy_42',
  q8: 'q8_0',
  q4: 'q4_0',
};

/** Words that name no layout, with the one that was most likely meant. */
const MEANT: Readonly<Record<string, string>> = {
  turboquant: 'turboquant_4bit_nc',
  turboquant_4bit: 'turboquant_4bit_nc',
  turboquant_3bit: 'turboquant_3bit_nc',
  tq: 'turboquant_4bit_nc',
  tq4: 'turboquant_4bit_nc',
  tq3: 'turboquant_3bit_nc',
  int8: 'int8_per_token_head',
  int4: 'int4_per_token_head',
  fp4: 'nvfp4',
};

/** Other words for llama.cpp's types. */
const TYPE_ALIASES: ReadonlyMap<string, string> = new Map([
  ['fp16', 'f16'],
  ['q8', 'q8_0'],
  ['q4', 'q4_0'],
]);

/** Names every codec; llama.cpp's may also be paired, `q8_0/q4_0` for K and V. */
export const CODEC_NAMES: readonly string[] = NAMED.map(({ name }) => name);

/** Codecs that are worth comparing: one of each layout, and the pairs of llama.cpp that people run. */
export const COMPARED_CODECS: readonly string[] = [
  'bf16',
  'fp8',
  'fp8_ds_mla',
  'turboquant_k8v4',
  'turboquant_4bit_nc',
  'turboquant_k3v4_nc',
  'turboquant_3bit_nc',
  'lmdeploy_42',
  'q8_0',
  'q8_0/q4_0',
  'q4_0',
  'q8_0/turbo4',
  'turbo4',
  'turbo3',
];

/** Finds a codec by its name, whatever its case: an engine's own words, or `K/V` in llama.cpp's types. Throws CapacityProblem. */
export function findCodec(name: string): CacheCodec {
  const wanted = name.trim().toLowerCase().replaceAll('-', '_');
  const found = NAMED.find((codec) => codec.name === (Object.hasOwn(ALIASES, wanted) ? ALIASES[wanted] : wanted));
  if (found !== undefined) return found;
  const sides = wanted.split(/\s*[/,:]\s*/);
  if (sides.length === 1) throw unknownCodec(name, wanted);
  const [keyType = '', valueType = '', ...rest] = sides.map((side) => TYPE_ALIASES.get(side) ?? side);
  if (rest.length > 0) throw new CapacityProblem(`KV codec '${name.slice(0, 80)}': expected K/V, such as q8_0/q4_0`);
  const [key, value] = [findType(keyType), findType(valueType)];
  return keyType === valueType ? findCodec(keyType) : llamaPair(keyType, valueType, key, value);
}

function unknownCodec(name: string, wanted: string): CapacityProblem {
  const meant = Object.hasOwn(MEANT, wanted) ? MEANT[wanted] : undefined;
  if (meant === undefined) return unknownName('KV codec', name, CODEC_NAMES);
  return new CapacityProblem(`unknown KV codec '${name}'; did you mean '${meant}'?`, [`known are ${CODEC_NAMES.join(', ')}`]);
}

function findType(name: string): SideLayout {
  const found = Object.hasOwn(LLAMA_TYPES, name) ? LLAMA_TYPES[name] : undefined;
  if (found === undefined) throw unknownName('llama.cpp cache type', name, Object.keys(LLAMA_TYPES));
  return found;
}
