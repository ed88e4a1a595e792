/** The contract of `POST /embeddings`: OpenAI's, with OpenRouter's inputs as content parts. */
import { z } from 'zod';
import { boundedList } from './bounded-list.ts';
import { routedFields } from './routed-fields.ts';

/** OpenAI's limit of inputs at once. */
const INPUTS_MAX = 2048;
const PARTS_MAX = 100;
const DIMENSIONS_MAX = 65_536;

const text = z.string().min(1, 'expected text that is not empty');
const tokens = tokenList('expected a list of tokens that is not empty');
/** Stands for all kinds of input when none fits. */
const ANY_INPUT = `expected text, tokens, or at most ${INPUTS_MAX} of either, none of them empty`;
const contentInput = z.looseObject({ content: boundedList(z.looseObject({ type: z.string(), text: z.string().optional() }), PARTS_MAX) });

/** One check for all tokens: there may be a million of them. */
function tokenList(error: string) {
  return z.custom<number[]>(isTokenList, error).meta({ type: 'array', items: { type: 'integer', minimum: 0 }, minItems: 1 });
}

function isTokenList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((token) => Number.isInteger(token) && token >= 0);
}

export const embeddingsRequest = z
  .looseObject({
    ...routedFields,
    input: z.union([
      text,
      tokenList(ANY_INPUT),
      boundedList(text, INPUTS_MAX),
      boundedList(tokens, INPUTS_MAX),
      boundedList(contentInput, INPUTS_MAX),
    ]),
    encoding_format: z.enum(['float', 'base64']).nullish(),
    dimensions: z.int().positive().max(DIMENSIONS_MAX).nullish(),
    input_type: z.string().max(100).nullish(),
  })
  .meta({ id: 'EmbeddingsRequest' });
export type EmbeddingsRequest = z.infer<typeof embeddingsRequest>;

/** What is sent upstream as `input`: one text or token list, or several. */
export type EmbeddingInput = string | string[] | number[] | number[][];

/** Lists the inputs one by one: as many as there will be vectors. */
export function listInputs(input: EmbeddingInput): readonly (string | readonly number[])[] {
  if (typeof input === 'string') return [input];
  return isTokens(input) ? [input] : input;
}

function isTokens(input: string[] | number[] | number[][]): input is number[] {
  return typeof input[0] === 'number';
}
