import type { UnitCodec } from '#providers/provider';
import { isJsonObject } from '#providers/wire/json-object';
import { listInputs, type EmbeddingInput } from '#schema/units/embeddings';
import { decodeJson, readTokens } from './decode-units.ts';
import { encodeJson } from './encode-units.ts';
import { readVector, type Vector, type VectorEncoding } from './vector.ts';

interface Expected {
  count: number;
  encoding: VectorEncoding;
  /** Undefined where the model's own number will do. */
  dimensions: number | undefined;
}

/** OpenAI's embeddings. The answer has one finite vector for every input, in order, in the encoding and dimensions asked for. */
export const embeddings: UnitCodec = {
  encodeRequest: (asked, target) => encodeJson('/embeddings', asked, target),
  decodeReply: (answer, target, { fields }) =>
    decodeJson(answer, target, (body) => {
      const vectors = readVectors(body['data'], {
        count: listInputs(fields['input'] as EmbeddingInput).length,
        encoding: fields['encoding_format'] === 'base64' ? 'base64' : 'float',
        dimensions: fields['dimensions'] as number | undefined,
      });
      if (typeof vectors === 'string') return vectors;
      const data = vectors.map(({ embedding }, index) => ({ object: 'embedding', index, embedding }));
      return { json: { data }, usage: readTokens(body['usage']) };
    }),
};

function readVectors(data: unknown, { count, encoding, dimensions }: Expected): Vector[] | string {
  if (!Array.isArray(data) || data.length !== count) return 'not one vector for every input';
  const vectors: Vector[] = [];
  for (const [position, item] of data.entries()) {
    if (!isJsonObject(item)) return 'a vector is not an object';
    const vector = readVector(item['embedding'], encoding);
    if (vector === null) return 'a vector is empty or not finite';
    if (vector.dimensions !== (dimensions ?? vectors[0]?.dimensions ?? vector.dimensions))
      return 'a vector has the wrong number of dimensions';
    const index = item['index'] ?? position;
    if (!isPlace(index, count) || vectors[index] !== undefined) return 'a vector has the wrong index';
    vectors[index] = vector;
  }
  return vectors;
}

function isPlace(index: unknown, count: number): index is number {
  return Number.isInteger(index) && (index as number) >= 0 && (index as number) < count;
}
