/** What a KV codec costs in quality: a class for routing, and what was measured, for whoever decides about a policy. */
import { KV_CODECS, type KvCodec } from './catalog.ts';

/** Classes of KV codecs, best first. Heavy ones stay out of reasoning and long prompts unless a policy names them. */
export const CODEC_CLASSES = ['lossless', 'near_lossless', 'light', 'heavy', 'unknown'] as const;
export type CodecClass = (typeof CODEC_CLASSES)[number];

/** The worse side decides where keys and values are stored differently; keys weigh more, so 4-bit values with 8-bit keys lose next to nothing. */
const CLASSES: Readonly<Record<KvCodec, CodecClass>> = {
  bf16: 'lossless',
  fp16: 'lossless',
  fp8: 'near_lossless',
  fp8_ds_mla: 'near_lossless',
  fp8_per_token_head: 'near_lossless',
  int8_per_token_head: 'near_lossless',
  q8_0: 'near_lossless',
  'q8_0/q4_0': 'near_lossless',
  'q8_0/turbo4': 'near_lossless',
  turboquant_k8v4: 'near_lossless',
  q5_1: 'light',
  q5_0: 'light',
  q4_1: 'light',
  q4_0: 'light',
  iq4_nl: 'light',
  nvfp4: 'light',
  int4_per_token_head: 'light',
  turbo4: 'light',
  'q8_0/turbo3': 'light',
  turboquant_4bit_nc: 'light',
  turboquant_k3v4_nc: 'heavy',
  turboquant_3bit_nc: 'heavy',
  turbo3: 'heavy',
  turbo2: 'heavy',
  lmdeploy_42: 'heavy',
  unknown: 'unknown',
};

/** Tells the quality class of a codec. */
export function qualityOf(codec: KvCodec): CodecClass {
  return CLASSES[codec];
}

/** Codecs that are out of reasoning and long prompts unless a policy names them. */
export const HEAVY_KV_CODECS: ReadonlySet<KvCodec> = new Set(KV_CODECS.filter((codec) => qualityOf(codec) === 'heavy'));

/** One published comparison with a bf16 cache: points gained or lost out of a hundred. */
export interface CodecMeasurement {
  codec: KvCodec;
  model: string;
  benchmark: string;
  bf16: number;
  score: number;
}

type Row = [model: string, benchmark: string, bf16: number, fp8: number, k8v4: number, bits4: number, k3v4: number, bits3: number];

/** The comparison of vLLM's presets on H100s that its blog published in May 2026. */
const ROWS: readonly Row[] = [
  ['Qwen3-30B-A3B-Thinking', 'reasoning, mean', 79.3, 77.9, 77.6, 76.2, 67.5, 65.7],
  ['Qwen3-30B-A3B-Thinking', 'AIME25', 86.3, 84.7, 83, 81.3, 68.3, 62.3],
  ['Qwen3-30B-A3B-Thinking', 'LiveCodeBench', 65.4, 64.5, 62.8, 60.6, 45.7, 46.3],
  ['MiniMax-M2.7', 'reasoning, mean', 82.6, 82.4, 82.4, 81.2, 79.8, 78.4],
  ['Llama-3.3-70B', 'MRCR at 64k', 52.7, 52.1, 54, 52.6, 48.6, 50.3],
  ['Qwen3-30B-A3B', 'MRCR at 256k', 45.8, 43.1, 43, 42.3, 33.5, 31.2],
];

const MEASURED_CODECS: readonly KvCodec[] = ['fp8', 'turboquant_k8v4', 'turboquant_4bit_nc', 'turboquant_k3v4_nc', 'turboquant_3bit_nc'];

/** Everything that was measured, codec by codec. */
export const CODEC_MEASUREMENTS: readonly CodecMeasurement[] = ROWS.flatMap(([model, benchmark, bf16, ...scores]) =>
  MEASURED_CODECS.map((codec, index) => ({ codec, model, benchmark, bf16, score: scores[index] ?? Number.NaN })),
);
