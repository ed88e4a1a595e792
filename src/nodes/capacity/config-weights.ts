/** Reads in which format a `config.json` says that its weights are published. */
import type { ConfigFields } from './config-fields.ts';

/** Floating formats by what tools call them; their bits alone would be taken for integers. */
const FLOATS: readonly [words: RegExp, format: string][] = [
  [/nvfp4|fouroversix/, 'nvfp4'],
  [/mxfp4|\bfp4/, 'mxfp4'],
  [/mxfp8/, 'mxfp8'],
  [/fp8|float8|float-quantized/, 'fp8'],
];
const INTEGERS: readonly [words: RegExp, format: string][] = [
  [/awq|int4|w4a|nf4/, 'int4'],
  [/int8|w8a8|eetq/, 'int8'],
];

/** Reads the format of the weights; that of an unknown quantization is its own name, for which there are no bits. */
export function readWeights(config: ConfigFields): string {
  const quantization = config.part('quantization_config') ?? config.part('compression_config');
  const unquantized = config.text('torch_dtype') ?? config.text('dtype');
  // What is published in 32 bits is served in 16.
  const native = unquantized === 'float16' || unquantized === 'float32' ? 'fp16' : 'bf16';
  if (quantization === null) return native;
  const words = wordsOf(quantization).join(' ').toLowerCase();
  const bits = readBits(quantization);
  const integer = bits === null ? formatIn(INTEGERS, words) : `int${bits}`;
  const method = quantization.text('quant_method') ?? '';
  return formatIn(FLOATS, words) ?? integer ?? (method === '' || method === 'bitsandbytes' ? native : method);
}

function formatIn(formats: typeof FLOATS, words: string): string | null {
  return formats.find(([pattern]) => pattern.test(words))?.[1] ?? null;
}

/** Lists what tools write about the kind: each has its own place for it. */
function wordsOf(quantization: ConfigFields): string[] {
  const chosen = quantization.part('quant_type')?.part('default');
  return [
    quantization.text('quant_method'),
    quantization.text('quant_algo'),
    quantization.part('quantization')?.text('quant_algo'),
    quantization.text('format'),
    quantization.text('weights'),
    quantization.text('forward_dtype'),
    quantization.text('quant_type'),
    chosen?.text('_type') ?? chosen?.text('default'),
    quantization.part('global_quant_config')?.part('weight')?.text('dtype'),
  ].filter((word) => typeof word === 'string');
}

function readBits(quantization: ConfigFields): number | null {
  if (quantization.flag('load_in_4bit') === true) return 4;
  if (quantization.flag('load_in_8bit') === true) return 8;
  const grouped = quantization.part('config_groups')?.part('group_0')?.part('weights')?.size('num_bits');
  const nested = quantization.part('quant_config')?.part('weight_quant_params')?.size('nbits');
  return quantization.size('bits', 'w_bit', 'nbits') ?? grouped ?? nested ?? null;
}
