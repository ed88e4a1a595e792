/** What families leave out of their `config.json` because it is always so with them, and which of them cannot be sized. */
import type { ConfigFields } from './config-fields.ts';
import { CapacityProblem } from './problem.ts';

/** Their output head is the input embedding unless they say otherwise. */
const TIED = /^(gemma|cohere|(gpt2|gpt_bigcode|bloom|falcon|opt|mpt|starcoder2)$)/;

/** Networks of two matrices; all younger families gate theirs with a third. */
const UNGATED =
  /^(gpt2|gpt_bigcode|gpt_neox|gpt_neox_japanese|gptj|codegen|bloom|falcon|opt|mpt|phi|starcoder2|nemotron|nemotron_h|apertus)$/;

/** Networks four times as wide as the model, and no word about it. */
const FOURFOLD = /^(gpt2|gpt_bigcode|gpt_neox_japanese|gptj|codegen|bloom|falcon|mpt)$/;

/** Models that read a whole text at once and keep nothing of it. */
const ENCODERS = /(^|[-_a-z])(bert|roberta|electra|deberta(-v2)?)($|-(?!decoder))|^(camembert|mpnet|ernie|xmod|rembert|roformer)$/;

/** Models of nothing but states. */
const STATES_ONLY = /^(mamba2?|falcon_mamba|rwkv|xlstm)$/;

/** Models whose layers take turns with one block of weights. */
const SHARED_BLOCKS = /^zamba/;

/** Sizes of state spaces, which stand in configs of models that mix them with attention. */
const STATE_SPACE_FIELDS = ['mamba_d_state', 'mamba_d_ssm', 'mamba_n_heads', 'mamba_num_heads', 'ssm_state_size'];

/** Defaults that Gemma 3's configs leave out. */
export const GEMMA3 = { queryHeads: 8, kvHeads: 4, headDim: 256, windowTokens: 4096, pattern: 6 };

/** Tells whether a config may leave out what is usual for Gemma 3. */
export function hasGemma3Defaults({ modelType }: ConfigFields): boolean {
  return /^gemma3(_text)?$/.test(modelType);
}

/** Tells whether input and output share one embedding. */
export function hasTiedEmbeddings(config: ConfigFields): boolean {
  return config.flag('tie_word_embeddings') ?? TIED.test(config.modelType);
}

/** Counts the matrices of a network. */
export function networkMatrices(config: ConfigFields): 2 | 3 {
  const activation = config.text('hidden_act') ?? config.text('mlp_hidden_act') ?? '';
  if (config.modelType === 'bitnet') return 3;
  return UNGATED.test(config.modelType) || /^(relu2|gelu_new|gelu_fast)$/.test(activation) ? 2 : 3;
}

/** Gives the width of a network that its config leaves out; null where the family has no such rule. */
export function impliedNetworkSize({ modelType }: ConfigFields, hidden: number): number | null {
  return FOURFOLD.test(modelType) ? 4 * hidden : null;
}

/** Refuses models that keep no cache from token to token. Throws CapacityProblem. */
export function refuseCacheless(config: ConfigFields): void {
  const { modelType } = config;
  if (ENCODERS.test(modelType))
    throw new CapacityProblem(`models of type '${modelType}' read a text at once: they have no KV cache to size`);
  if (STATES_ONLY.test(modelType))
    throw new CapacityProblem(`models of type '${modelType}' keep a state of fixed size: they have no KV cache to size`);
  if (config.flag('is_encoder_decoder') === true)
    throw new CapacityProblem('encoder-decoder models are not sized: their cache grows with the input and with the answer');
}

/** Refuses to count weights that several layers share. Throws CapacityProblem. */
export function refuseSharedBlocks({ modelType }: ConfigFields): void {
  if (SHARED_BLOCKS.test(modelType)) throw new CapacityProblem(`layers of type '${modelType}' share weights`);
}

/** Refuses mixtures of attention and state spaces that do not list their layers: taking all for attention would be far off. Throws CapacityProblem. */
export function refuseUnlistedStates(config: ConfigFields): void {
  const field = STATE_SPACE_FIELDS.find((name) => config.size(name) !== null);
  if (field === undefined) return;
  throw new CapacityProblem(`config.json: '${field}' tells of state-space layers, but 'layer_types' is not there to say which those are`);
}
