/** Embedding vectors in their two encodings: numbers, or base64 of little-endian 32-bit floats. */
import { fromBase64, toBase64 } from '#schema/base64';

const FLOAT_BYTES = 4;

export type VectorEncoding = 'float' | 'base64';

export interface Vector {
  embedding: number[] | string;
  dimensions: number;
}

/** Reads one vector in whichever encoding it came, and gives it in the one asked for. Null when it is empty, broken or not finite. */
export function readVector(said: unknown, encoding: VectorEncoding): Vector | null {
  const numbers = typeof said === 'string' ? fromFloat32(said) : said;
  if (!isFiniteVector(numbers)) return null;
  const dimensions = numbers.length;
  if (encoding === 'float') return { embedding: numbers, dimensions };
  return { embedding: typeof said === 'string' ? said : toFloat32(numbers), dimensions };
}

/** Encodes numbers as base64, rounding each to 32 bits. */
export function toFloat32(numbers: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(numbers.length * FLOAT_BYTES));
  numbers.forEach((number, position) => view.setFloat32(position * FLOAT_BYTES, number, true));
  return toBase64(new Uint8Array(view.buffer));
}

/** Decodes base64 to the exact numbers in it; null when it is no whole number of floats. */
export function fromFloat32(text: string): number[] | null {
  const bytes = fromBase64(text);
  if (bytes === null || bytes.length % FLOAT_BYTES !== 0) return null;
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / FLOAT_BYTES }, (_, position) => view.getFloat32(position * FLOAT_BYTES, true));
}

function isFiniteVector(value: unknown): value is number[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((number) => typeof number === 'number' && Number.isFinite(Math.fround(number)))
  );
}
