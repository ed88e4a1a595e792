/** Reads a model's shape from the `config.json` that it is published with. */
import { ofLayer } from './config-blocks.ts';
import { readExperts, type Experts } from './config-experts.ts';
import { openConfig, type ConfigFields } from './config-fields.ts';
import { readHeads, readLayers, readRopeDim } from './config-layers.ts';
import { readWeights } from './config-weights.ts';
import { countParameters } from './count-parameters.ts';
import { refuseCacheless } from './families.ts';
import { isLatent, type LayerShape, type ModelShape, type ParameterCounts } from './model-shape.ts';
import { CapacityProblem } from './problem.ts';

/** Reads a parsed `config.json`. Throws CapacityProblem naming the field that is missing or absurd; without the sizes that parameters are counted from, those are null. */
export function readModelConfig(json: unknown, name: string): ModelShape {
  const config = openConfig(json);
  refuseCacheless(config);
  const layers = readLayers(config);
  const { queryHeads, queryDim } = readQueries(config, layers);
  const experts = readExperts(config, layers);
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
    const { queryHeads, keyDim, valueDim } = readHeads(ofLayer(config, 0).config);
    return { queryHeads, queryDim: (keyDim + valueDim) / 2 };
  }
  const rope = readRopeDim(config);
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
