/** Bytes of a model's weights in the formats that people serve. Where the file's size is known, that is better. */
import type { Quantization } from '#schema/catalog';
import type { ModelShape, ParameterCounts } from './model-shape.ts';
import { CapacityProblem, unknownName } from './problem.ts';

/** How weights are stored. */
export interface WeightFormat {
  name: string;
  /** Bits of a compressed weight, scales included. */
  bits: number;
  /** What is compressed; everything else is bf16. */
  compresses: 'all' | 'all_but_embeddings' | 'experts';
  /** Arithmetic that tensor cores do on it. */
  arithmetic: 'fp16' | 'fp8';
  /** Files that llama.cpp reads. */
  isGguf: boolean;
  /** Share of the memory bandwidth at which it is read. */
  readEfficiency: number;
}

const NATIVE_BITS = 16;
/** Fitted on published H100 and 4090 runs. */
const READ_EFFICIENCY = 0.9;
/** What unpacking k-quants of about four bits costs, fitted on a 4090. */
const LOW_BIT_GGUF_READ_EFFICIENCY = 0.7;

function format(name: string, bits: number, rest: Partial<WeightFormat> = {}): WeightFormat {
  return { name, bits, compresses: 'all_but_embeddings', arithmetic: 'fp16', isGguf: false, readEfficiency: READ_EFFICIENCY, ...rest };
}

function gguf(name: string, bits: number): WeightFormat {
  return format(name, bits, { compresses: 'all', isGguf: true, readEfficiency: bits < 6 ? LOW_BIT_GGUF_READ_EFFICIENCY : READ_EFFICIENCY });
}

const FORMATS: readonly WeightFormat[] = [
  format('bf16', 16),
  format('fp16', 16),
  format('fp32', 32, { compresses: 'all' }),
  format('fp8', 8, { arithmetic: 'fp8' }),
  format('int8', 8),
  format('mxfp8', 8.25, { arithmetic: 'fp8' }),
  format('fp6', 6.5),
  format('int4', 4.25),
  format('awq', 4.25),
  format('gptq', 4.25),
  format('fp4', 4.5),
  format('nvfp4', 4.5),
  format('mxfp4', 4.25, { compresses: 'experts' }),
  gguf('q8_0', 8.5),
  gguf('q6_k', 6.56),
  gguf('q5_k_m', 5.7),
  gguf('q5_k_s', 5.57),
  gguf('q5_1', 6),
  gguf('q5_0', 5.5),
  gguf('q4_1', 5),
  gguf('q4_k_m', 4.85),
  gguf('q4_k_s', 4.67),
  gguf('q4_0', 4.66),
  gguf('iq4_nl', 4.66),
  gguf('iq4_xs', 4.46),
  gguf('q3_k_l', 4.3),
  gguf('q3_k_m', 4),
  gguf('q3_k_s', 3.64),
  gguf('iq3_m', 3.76),
  gguf('iq3_s', 3.66),
  gguf('iq3_xs', 3.5),
  gguf('iq3_xxs', 3.25),
  gguf('q2_k', 3.16),
  gguf('q2_k_s', 2.97),
  gguf('iq2_m', 2.93),
  gguf('iq2_s', 2.74),
  gguf('iq2_xs', 2.59),
  gguf('iq2_xxs', 2.38),
  gguf('iq1_m', 2.15),
  gguf('iq1_s', 2),
];

const ALIASES: Readonly<Record<string, string>> = {
  bfloat16: 'bf16',
  float16: 'fp16',
  f16: 'fp16',
  float32: 'fp32',
  f32: 'fp32',
  half: 'fp16',
  fp8_e4m3: 'fp8',
  fp8_e5m2: 'fp8',
  w8a8: 'int8',
  w4a16: 'int4',
  // Their blocks hold 64 weights and a scale that is quantized itself.
  nf4: 'int4',
  bnb: 'int4',
  bitsandbytes: 'int4',
  q8: 'q8_0',
  q6: 'q6_k',
  q5: 'q5_k_m',
  q4: 'q4_k_m',
  q3: 'q3_k_m',
  q2: 'q2_k',
};

/** Names every weight format. */
export const WEIGHT_FORMAT_NAMES: readonly string[] = FORMATS.map(({ name }) => name);

/** Finds a weight format by its name, whatever its case. Throws CapacityProblem. */
export function findWeightFormat(name: string): WeightFormat {
  const wanted = name.trim().toLowerCase().replaceAll('-', '_');
  const found = lookUpFormat(wanted);
  if (found !== null) return found;
  const similar = formatOfName(name);
  throw similar === null
    ? unknownName('weight format', name, WEIGHT_FORMAT_NAMES)
    : new CapacityProblem(`unknown weight format '${name.slice(0, 80)}'; did you mean '${similar.name}'?`, [
        `known are ${WEIGHT_FORMAT_NAMES.join(', ')}`,
      ]);
}

function lookUpFormat(word: string): WeightFormat | null {
  const name = Object.hasOwn(ALIASES, word) ? ALIASES[word] : word;
  return FORMATS.find((known) => known.name === name) ?? null;
}

/** Finds the format that a quantization word of the catalogue stands for; null for `unknown`. */
export function formatOfQuantization(quantization: Quantization): WeightFormat | null {
  return quantization === 'unknown' ? null : findWeightFormat(quantization);
}

/** GGUF types by their bits, for those that the table does not list. */
const GGUF_BY_BITS: Readonly<Record<string, string>> = {
  1: 'iq1_m',
  2: 'q2_k',
  3: 'q3_k_m',
  4: 'q4_k_m',
  5: 'q5_k_m',
  6: 'q6_k',
  8: 'q8_0',
};

/** Reads a weight format off a model's or a file's name, such as `Qwen3-8B-UD-Q4_K_XL.gguf` or `Qwen3-8B-AWQ`. Null where it says none. */
export function formatOfName(name: string): WeightFormat | null {
  const words = name
    .slice(0, 300)
    .toLowerCase()
    .split(/[^a-z0-9_]+/);
  for (const word of words.toReversed()) {
    const known = lookUpFormat(word);
    const bits = /^i?q(\d)(_|$)/.exec(word)?.[1] ?? '';
    const similar = Object.hasOwn(GGUF_BY_BITS, bits) ? findWeightFormat(GGUF_BY_BITS[bits] ?? '') : null;
    if (known !== null || similar !== null) return known ?? similar;
  }
  return null;
}

/** Bytes of the whole model: what is resident, and what one step reads of it. */
export interface WeightBytes {
  total: number;
  /** Read by every step: all but the input embedding and the routed experts. */
  denseRead: number;
  experts: number;
}

/** Computes the bytes of a model's weights. `totalBytes`, the size of the file, scales all of them. Throws CapacityProblem where neither is known. */
export function weightBytes(shape: ModelShape, weights: WeightFormat, totalBytes: number | null): WeightBytes {
  const { parameters } = shape;
  if (parameters === null) {
    if (totalBytes === null)
      throw new CapacityProblem(
        `the parameters of ${shape.name} cannot be counted: ${shape.uncounted}. Say the size of its weights instead`,
      );
    return { total: totalBytes, denseRead: totalBytes, experts: 0 };
  }
  const computed = computeBytes(parameters, weights);
  const scale = totalBytes === null ? 1 : totalBytes / computed.total;
  return { total: computed.total * scale, denseRead: computed.denseRead * scale, experts: computed.experts * scale };
}

function computeBytes({ total, embedding, lookedUp, isTied, experts }: ParameterCounts, { bits, compresses }: WeightFormat): WeightBytes {
  const bytesOf = (parameters: number, isCompressed: boolean): number => (parameters * (isCompressed ? bits : NATIVE_BITS)) / 8;
  // A dense model has no experts to compress, so its layers are.
  const onlyExperts = compresses === 'experts' && experts > 0;
  const embeddings = isTied ? embedding : 2 * embedding;
  const embeddingBytes = bytesOf(embedding, compresses === 'all');
  const layersBytes = bytesOf(Math.max(0, total - embeddings - lookedUp - experts), !onlyExperts);
  const lookedUpBytes = bytesOf(lookedUp, compresses === 'all');
  const expertBytes = bytesOf(experts, true);
  // The output head is read whole; of an input embedding that is a matrix of its own, one row is.
  return {
    total: layersBytes + expertBytes + lookedUpBytes + embeddingBytes * (isTied ? 1 : 2),
    denseRead: layersBytes + embeddingBytes,
    experts: expertBytes,
  };
}
