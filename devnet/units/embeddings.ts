/** Embeddings without a model: texts that share words get vectors that point the same way. */
import { complain, readChoice, readNumber, readUnitModel } from '../body.ts';
import { readPrompts } from '../prompts.ts';
import { createRandom, hashText } from '../random.ts';
import { toJsonPayload, type UnitParser } from './unit.ts';

const INPUTS_MAX = 2048;
const DIMENSIONS_MIN = 32;
const DIMENSIONS_MAX = 2560;
/** Words of a text that count: bounds the work of a request. */
const WORDS_MAX = 32;

/** Serves `POST /v1/embeddings` as OpenAI does. */
export const embeddings: UnitParser = (fields, card) => {
  const model = readUnitModel(fields, card, 'embeddings');
  const inputs = readPrompts(fields, 'input', INPUTS_MAX);
  const encoding = readChoice(fields, 'encoding_format', ['float', 'base64'], 'float');
  const bounds = { min: DIMENSIONS_MIN, max: DIMENSIONS_MAX, whole: true };
  const dimensions = readNumber(fields, 'dimensions', bounds, DIMENSIONS_MAX);
  const tooLong = inputs.findIndex((input) => input.tokens > (model.context ?? Infinity));
  if (tooLong >= 0) {
    complain(
      'input',
      `This model's maximum context length is ${model.context} tokens, input ${tooLong} is longer.`,
      'context_length_exceeded',
    );
  }
  return {
    usage: { promptTokens: inputs.reduce((sum, { tokens }) => sum + tokens, 0), units: 0 },
    steps: 0,
    render: (label, usage) =>
      toJsonPayload(label, {
        id: `embd-${label.id}`,
        object: 'list',
        model: model.upstreamModel,
        data: inputs.map(({ text }, index) => {
          const vector = embed(text, dimensions);
          return { object: 'embedding', index, embedding: encoding === 'base64' ? toBase64(vector) : [...vector] };
        }),
        ...(usage === null ? {} : { usage: { prompt_tokens: usage.promptTokens, total_tokens: usage.promptTokens } }),
      }),
  };
};

/** Sums a vector of chance for each word and scales the sum to length 1. Fewer dimensions are a prefix, as Matryoshka models have it. */
function embed(text: string, dimensions: number): Float32Array {
  const words = new Set((text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text]).slice(0, WORDS_MAX));
  const sum = new Float64Array(dimensions);
  for (const word of words) {
    const random = createRandom(hashText(word));
    for (let at = 0; at < dimensions; at += 1) sum[at] = (sum[at] ?? 0) + random() * 2 - 1;
  }
  const length = Math.hypot(...sum);
  return Float32Array.from(sum, (value) => value / length);
}

/** Writes a vector as OpenAI does: little-endian floats of 32 bits. */
function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, index) => bytes.writeFloatLE(value, index * 4));
  return bytes.toString('base64');
}
