/**
 * A Llama of 0.3 million random weights that says small letters and spaces: real attention, a real KV cache, no sense at all.
 * Its tokens are bytes and the space, so that any text can be a prompt. Heads have 64 dimensions, the least that llama.cpp quantizes and rotates in the cache.
 */
import { createGaussian } from './gaussian.ts';
import { encodeGguf, type GgufTensor, type GgufValue } from './gguf.ts';

export interface TinyModelOptions {
  /** Default 1. */
  seed?: number;
  /** Default 2. */
  layers?: number;
  /** Query heads; each has 64 dimensions. Default 2. */
  heads?: number;
  /** Heads of keys and values; divides `heads`. Default 1. */
  kvHeads?: number;
  /** Tokens that it is said to be trained for. Default 2048. */
  context?: number;
}

const HEAD_DIMENSIONS = 64;
const FEED_FORWARD_PER_HEAD = 96;
const UNKNOWN = 0;
const BEGIN = 1;
const END = 2;
/** Token of byte b is b + 3. */
const FIRST_BYTE = 3;
/** This family of tokenizers writes a space as U+2581 before it looks for tokens, so the space is a token beside its byte. */
const SPACE = FIRST_BYTE + 256;
const VOCABULARY = SPACE + 1;
const TOKEN_KIND = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;

/** What it says: small letters, full stops and spaces. */
const SPOKEN = new Set([...new TextEncoder().encode('abcdefghijklmnopqrstuvwxyz.')].map((byte) => byte + FIRST_BYTE).concat(SPACE));

/**
 * Channel 0 of the hidden state is the same for every token, and no layer reads or writes it: a row of the output matrix carries a bias
 * there, against every token that is not spoken, and a smaller one against the end of the answer.
 */
const BIAS_CHANNEL = 0;
const BIAS_INPUT = 4;
const UNSPOKEN_BIAS = -8;
const END_BIAS = -1;
/** Deviations of the weights, times the root of their fan-in. Keys and queries are large so that attention picks tokens instead of averaging them; else the model would say one letter for ever. */
const GAIN = { embedding: 6, attention: 2, layer: 1, output: 2 };

const CHAT_TEMPLATE =
  "{{ bos_token }}{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";

/** Builds the GGUF file. Equal options give equal bytes. */
export function buildTinyModel({ seed = 1, layers = 2, heads = 2, kvHeads = 1, context = 2048 }: TinyModelOptions = {}): Uint8Array {
  if (heads % kvHeads !== 0) throw new RangeError('heads must be a multiple of kvHeads');
  const width = heads * HEAD_DIMENSIONS;
  const cacheWidth = kvHeads * HEAD_DIMENSIONS;
  const hidden = heads * FEED_FORWARD_PER_HEAD;
  const gaussian = createGaussian(seed);
  const matrix = (name: string, inputs: number, outputs: number, gain = GAIN.layer): GgufTensor => ({
    name: `${name}.weight`,
    dimensions: [inputs, outputs],
    type: 'f16',
    values: Float32Array.from({ length: inputs * outputs }, () => (gain * gaussian()) / Math.sqrt(inputs)),
  });
  const reading = (name: string, outputs: number, gain?: number): GgufTensor => {
    const tensor = matrix(name, width, outputs, gain);
    for (let row = 0; row < outputs; row += 1) tensor.values[row * width + BIAS_CHANNEL] = 0;
    return tensor;
  };
  const writing = (name: string, inputs: number): GgufTensor => {
    const tensor = matrix(name, inputs, width);
    tensor.values.fill(0, BIAS_CHANNEL * inputs, (BIAS_CHANNEL + 1) * inputs);
    return tensor;
  };
  // llama.cpp takes norms as 32-bit floats only.
  const norm = (name: string): GgufTensor => ({
    name: `${name}.weight`,
    dimensions: [width],
    type: 'f32',
    values: new Float32Array(width).fill(1),
  });
  const layer = (place: number): GgufTensor[] => [
    norm(`blk.${place}.attn_norm`),
    reading(`blk.${place}.attn_q`, width, GAIN.attention),
    reading(`blk.${place}.attn_k`, cacheWidth, GAIN.attention),
    reading(`blk.${place}.attn_v`, cacheWidth),
    writing(`blk.${place}.attn_output`, width),
    norm(`blk.${place}.ffn_norm`),
    reading(`blk.${place}.ffn_gate`, hidden),
    reading(`blk.${place}.ffn_up`, hidden),
    writing(`blk.${place}.ffn_down`, hidden),
  ];
  const embedding = matrix('token_embd', width, VOCABULARY, GAIN.embedding);
  const output = matrix('output', width, VOCABULARY, GAIN.output);
  for (let token = 0; token < VOCABULARY; token += 1) {
    embedding.values[token * width + BIAS_CHANNEL] = BIAS_INPUT;
    output.values[token * width + BIAS_CHANNEL] = biasOf(token);
  }
  return encodeGguf(metadataOf({ layers, heads, kvHeads, context, width, hidden }), [
    embedding,
    ...Array.from({ length: layers }, (_, place) => layer(place)).flat(),
    norm('output_norm'),
    output,
  ]);
}

function biasOf(token: number): number {
  if (token === END) return END_BIAS;
  return SPOKEN.has(token) ? 0 : UNSPOKEN_BIAS;
}

interface Shape {
  layers: number;
  heads: number;
  kvHeads: number;
  context: number;
  width: number;
  hidden: number;
}

function metadataOf({ layers, heads, kvHeads, context, width, hidden }: Shape): [string, GgufValue][] {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const kinds = [TOKEN_KIND.unknown, TOKEN_KIND.control, TOKEN_KIND.control, ...bytes.map(() => TOKEN_KIND.byte), TOKEN_KIND.normal];
  return [
    ['general.architecture', { string: 'llama' }],
    ['general.name', { string: 'tiny-llama' }],
    ['general.file_type', { u32: 1 }],
    ['llama.context_length', { u32: context }],
    ['llama.embedding_length', { u32: width }],
    ['llama.block_count', { u32: layers }],
    ['llama.feed_forward_length', { u32: hidden }],
    ['llama.attention.head_count', { u32: heads }],
    ['llama.attention.head_count_kv', { u32: kvHeads }],
    ['llama.attention.layer_norm_rms_epsilon', { f32: 1e-5 }],
    ['llama.rope.dimension_count', { u32: HEAD_DIMENSIONS }],
    ['llama.rope.freq_base', { f32: 10_000 }],
    ['llama.vocab_size', { u32: VOCABULARY }],
    ['tokenizer.ggml.model', { string: 'llama' }],
    ['tokenizer.ggml.pre', { string: 'default' }],
    ['tokenizer.ggml.tokens', { strings: ['<unk>', '<s>', '</s>', ...bytes, '\u2581'] }],
    ['tokenizer.ggml.scores', { f32s: Array.from({ length: VOCABULARY }, () => 0) }],
    ['tokenizer.ggml.token_type', { i32s: kinds }],
    ['tokenizer.ggml.bos_token_id', { u32: BEGIN }],
    ['tokenizer.ggml.eos_token_id', { u32: END }],
    ['tokenizer.ggml.unknown_token_id', { u32: UNKNOWN }],
    ['tokenizer.ggml.add_bos_token', { bool: true }],
    ['tokenizer.ggml.add_eos_token', { bool: false }],
    ['tokenizer.ggml.add_space_prefix', { bool: false }],
    ['tokenizer.chat_template', { string: CHAT_TEMPLATE }],
  ];
}
