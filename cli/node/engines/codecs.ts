/** Engines' own words for cache codecs and weights, in ours. */
import { KV_CODECS, QUANTIZATIONS, type KvCodec, type Quantization } from '#schema/catalog';

const KV_WORDS: Readonly<Record<string, KvCodec>> = {
  // "As the model", which is 16 bits wide in practice; a model with its own cache scale says so in its name.
  auto: 'bf16',
  bfloat16: 'bf16',
  float16: 'fp16',
  half: 'fp16',
  f16: 'fp16',
  fp8_e4m3: 'fp8',
  fp8_e5m2: 'fp8',
  fp8_inc: 'fp8',
  q8: 'q8_0',
  q4: 'q4_0',
  // ExLlama's own words: bits of keys and of values.
  '8,8': 'q8_0',
  '8,4': 'q8_0/q4_0',
  '4,4': 'q4_0',
};

/** Reads a codec; `unknown` for a word that we do not know. */
export function toKvCodec(word: string | null): KvCodec {
  const said = word?.toLowerCase().replace(/^torch\.|\s/g, '') ?? '';
  return KV_CODECS.find((codec) => codec === said) ?? KV_WORDS[said] ?? 'unknown';
}

/** Marks in file and model names, the most telling first. */
const WEIGHT_MARKS: readonly [mark: RegExp, quantization: Quantization][] = [
  [/mxfp4/, 'mxfp4'],
  [/nvfp4/, 'nvfp4'],
  [/mxfp8/, 'mxfp8'],
  [/(fp8|f8_e4m3|w8a8-fp8)/, 'fp8'],
  [/(int4|awq|w4a16|4bit|4-bit|iq4|q4_|4\.\d*bpw|bnb-4)/, 'int4'],
  [/(int8|w8a8|w8a16|8bit|8-bit|q8_)/, 'int8'],
  [/gptq/, 'int4'],
  [/\bq6_/, 'fp6'],
  [/(bf16|bfloat16)/, 'bf16'],
  [/(fp16|float16|\bf16\b)/, 'fp16'],
  [/(fp32|float32|\bf32\b)/, 'fp32'],
];

/** Reads the precision of weights from a name, such as `Qwen/Qwen3-8B-FP8` or `Q4_K_M`; `unknown` where none stands in it. */
export function toQuantization(...names: readonly (string | null)[]): Quantization {
  for (const name of names) {
    const said = name?.toLowerCase() ?? '';
    const exact = QUANTIZATIONS.find((quantization) => quantization === said);
    const marked = exact ?? WEIGHT_MARKS.find(([mark]) => mark.test(said))?.[1];
    if (marked !== undefined) return marked;
  }
  return 'unknown';
}
