/**
 * A Qwen3 of 0.3 million random weights that says small letters and spaces, as a folder that vLLM serves: real attention, a real KV cache, no
 * sense at all. Where a grammar rules, it says what the grammar lets it, and strings end soon.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createGaussian } from '#engine/llama/gaussian';
import { encodeSafetensors, type Tensor } from './safetensors.ts';
import { buildTokenizer, buildTokenizerConfig, TOKENS } from './tokenizer.ts';

export interface TinyModelOptions {
  /** Default 1. */
  seed?: number;
  /** Tokens that it is said to be trained for. Default 4096. */
  context?: number;
  /** Default 2. With TurboQuant's presets vLLM keeps the first and the last two in 16 bits. */
  layers?: number;
}

const HEADS = 2;
const KV_HEADS = 1;
/** Vectors of a head: every attention backend takes 64. */
const HEAD_DIMENSIONS = 64;
const WIDTH = HEADS * HEAD_DIMENSIONS;
const HIDDEN = 192;

/**
 * Channel 0 of the hidden state is the same for every token, and no layer reads or writes it: a row of the output matrix carries a bias there,
 * against every token that is not spoken, and a smaller one against the ends of answers and strings.
 */
const BIAS_CHANNEL = 0;
const BIAS_INPUT = 4;
const UNSPOKEN_BIAS = -8;
const END_BIAS = -1;
const ENDS: ReadonlySet<number> = new Set([TOKENS.endOfTurn, ...new TextEncoder().encode('"')]);
const SPOKEN: ReadonlySet<number> = new Set(new TextEncoder().encode('abcdefghijklmnopqrstuvwxyz. '));
/** Deviations of the weights, times the root of their fan-in. */
const GAIN = { embedding: 6, layer: 1, output: 2 };

/** Writes the model into a folder, which is made where it is not there. */
export function writeTinyModel(folder: string, options: TinyModelOptions = {}): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of buildTinyModel(options)) writeFileSync(path.join(folder, name), content);
}

/** Builds the files of the folder by their names. Equal options give equal bytes on every machine. */
export function buildTinyModel({ seed = 1, context = 4096, layers = 2 }: TinyModelOptions = {}): Map<string, string | Uint8Array> {
  const json = (value: object): string => JSON.stringify(value, null, 2);
  return new Map<string, string | Uint8Array>([
    ['config.json', json(configOf(context, layers))],
    ['generation_config.json', json({ eos_token_id: [TOKENS.endOfTurn, TOKENS.endOfText], pad_token_id: TOKENS.endOfText })],
    ['tokenizer.json', json(buildTokenizer())],
    ['tokenizer_config.json', json(buildTokenizerConfig(context))],
    ['model.safetensors', encodeSafetensors(tensorsOf(createGaussian(seed), layers))],
  ]);
}

function configOf(context: number, layers: number): object {
  return {
    architectures: ['Qwen3ForCausalLM'],
    model_type: 'qwen3',
    dtype: 'bfloat16',
    hidden_size: WIDTH,
    intermediate_size: HIDDEN,
    num_hidden_layers: layers,
    num_attention_heads: HEADS,
    num_key_value_heads: KV_HEADS,
    head_dim: HEAD_DIMENSIONS,
    hidden_act: 'silu',
    max_position_embeddings: context,
    rms_norm_eps: 1e-6,
    rope_theta: 10_000,
    attention_bias: false,
    tie_word_embeddings: false,
    use_cache: true,
    vocab_size: TOKENS.count,
    bos_token_id: null,
    eos_token_id: TOKENS.endOfTurn,
  };
}

function tensorsOf(gaussian: () => number, layers: number): Tensor[] {
  const matrix = (name: string, outputs: number, inputs: number, gain = GAIN.layer): Tensor => ({
    name,
    shape: [outputs, inputs],
    values: Float32Array.from({ length: outputs * inputs }, () => (gain * gaussian()) / Math.sqrt(inputs)),
  });
  const reading = (name: string, outputs: number): Tensor => {
    const tensor = matrix(name, outputs, WIDTH);
    for (let row = 0; row < outputs; row++) tensor.values[row * WIDTH + BIAS_CHANNEL] = 0;
    return tensor;
  };
  const writing = (name: string, inputs: number): Tensor => {
    const tensor = matrix(name, WIDTH, inputs);
    tensor.values.fill(0, BIAS_CHANNEL * inputs, (BIAS_CHANNEL + 1) * inputs);
    return tensor;
  };
  const norm = (name: string, size = WIDTH): Tensor => ({ name, shape: [size], values: new Float32Array(size).fill(1) });
  const layer = (place: number): Tensor[] => {
    const named = (part: string): string => `model.layers.${place}.${part}.weight`;
    return [
      norm(named('input_layernorm')),
      reading(named('self_attn.q_proj'), HEADS * HEAD_DIMENSIONS),
      reading(named('self_attn.k_proj'), KV_HEADS * HEAD_DIMENSIONS),
      reading(named('self_attn.v_proj'), KV_HEADS * HEAD_DIMENSIONS),
      writing(named('self_attn.o_proj'), HEADS * HEAD_DIMENSIONS),
      norm(named('self_attn.q_norm'), HEAD_DIMENSIONS),
      norm(named('self_attn.k_norm'), HEAD_DIMENSIONS),
      norm(named('post_attention_layernorm')),
      reading(named('mlp.gate_proj'), HIDDEN),
      reading(named('mlp.up_proj'), HIDDEN),
      writing(named('mlp.down_proj'), HIDDEN),
    ];
  };
  const embedding = matrix('model.embed_tokens.weight', TOKENS.count, WIDTH, GAIN.embedding);
  const output = matrix('lm_head.weight', TOKENS.count, WIDTH, GAIN.output);
  for (let token = 0; token < TOKENS.count; token++) {
    embedding.values[token * WIDTH + BIAS_CHANNEL] = BIAS_INPUT;
    output.values[token * WIDTH + BIAS_CHANNEL] = biasOf(token);
  }
  return [embedding, ...Array.from({ length: layers }, (_, place) => layer(place)).flat(), norm('model.norm.weight'), output];
}

function biasOf(token: number): number {
  if (ENDS.has(token)) return END_BIAS;
  return SPOKEN.has(token) ? 0 : UNSPOKEN_BIAS;
}
