/** Reads a model's shape from the `config.json` that it is published with. */
import { openConfig, type ConfigFields } from './config-fields.ts';
import { readHeads, readLayers } from './config-layers.ts';
import { countParameters, readExperts, type Experts } from './count-parameters.ts';
import { refuseEncoders } from './families.ts';
import { isLatent, type LayerShape, type ModelShape, type ParameterCounts } from './model-shape.ts';
import { CapacityProblem } from './problem.ts';

/** Reads a parsed `config.json`. Throws CapacityProblem naming the field that is missing or absurd; without the sizes that parameters are counted from, those are null. */
export function readModelConfig(json: unknown, name: string): ModelShape {
  const config = openConfig(json);
  refuseEncoders(config);
  const layers = readLayers(config);
  const { queryHeads, queryDim } = readQueries(config, layers);
  const experts = readExperts(config);
  const counted = tryCounting(config, layers, experts);
  return {
    name,
    layers,
    hiddenSize: config.size('hidden_size', 'n_embd', 'd_model') ?? queryHeads * queryDim,
    queryHeads,
    queryDim,
    ...counted,
    routing: experts === null ? null : { experts: experts.count, perToken: experts.perToken },
    contextMax: config.size('max_position_embeddings', 'n_positions', 'max_seq_len', 'seq_length'),
    nativeWeights: readWeights(config),
  };
}

/** Keys and queries of latent attention are longer than its values; what attention costs lies between. */
function readQueries(config: ConfigFields, layers: readonly LayerShape[]): { queryHeads: number; queryDim: number } {
  if (!isLatent({ layers } as ModelShape)) {
    const { queryHeads, keyDim, valueDim } = readHeads(config);
    return { queryHeads, queryDim: (keyDim + valueDim) / 2 };
  }
  const rope = config.need('qk_rope_head_dim');
  const plain = config.size('qk_nope_head_dim') ?? 128;
  return { queryHeads: config.need('num_attention_heads'), queryDim: (plain + rope + (config.size('v_head_dim') ?? plain)) / 2 };
}

/** The cache can be computed without the parameters, and somebody may know the size of the file. */
function tryCounting(
  config: ConfigFields,
  layers: readonly LayerShape[],
  experts: Experts | null,
): { parameters: ParameterCounts | null; uncounted?: string } {
  try {
    return { parameters: countParameters(config, layers, experts) };
  } catch (error) {
    if (error instanceof CapacityProblem) return { parameters: null, uncounted: error.message };
    throw error;
  }
}

/** Reads in which format the weights are published. */
function readWeights(config: ConfigFields): string {
  const quantization = config.part('quantization_config');
  const unquantized = config.text('torch_dtype') ?? config.text('dtype');
  // What is published in 32 bits is served in 16.
  const native = unquantized === 'float16' || unquantized === 'float32' ? 'fp16' : 'bf16';
  if (quantization === null) return native;
  const bits = quantization.size('bits') ?? groupBits(quantization);
  const method = quantization.text('quant_method') ?? '';
  const algorithm = (quantization.text('quant_algo') ?? quantization.text('format') ?? '').toLowerCase();
  if (method === 'mxfp4') return 'mxfp4';
  if (algorithm.includes('nvfp4')) return 'nvfp4';
  if (method === 'fp8' || algorithm.includes('fp8') || algorithm.includes('float-quantized')) return 'fp8';
  if (bits === 4 || method === 'awq' || quantization.flag('load_in_4bit') === true) return 'int4';
  return bits === 8 || quantization.flag('load_in_8bit') === true ? 'int8' : native;
}

/** Compressed tensors keep the bits in their first group. */
function groupBits(quantization: ConfigFields): number | null {
  return quantization.part('config_groups')?.part('group_0')?.part('weights')?.size('num_bits') ?? null;
}
