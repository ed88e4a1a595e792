/** Writes safetensors, the file format of Hugging Face's weights: length of the header, header in JSON, tensors. Little endian; huggingface/safetensors README. */

/** A named tensor, kept in bfloat16. `shape` runs from the slowest dimension to the fastest. */
export interface Tensor {
  name: string;
  shape: readonly number[];
  values: Float32Array;
}

/** The header is filled with spaces up to a multiple of this. */
const ALIGNMENT_BYTES = 8;
const BFLOAT16_BYTES = 2;

/** Builds the whole file. The same input gives the same bytes on every platform. */
export function encodeSafetensors(tensors: readonly Tensor[]): Uint8Array {
  const header: Record<string, object> = { __metadata__: { format: 'pt' } };
  let sizeBytes = 0;
  for (const { name, shape, values } of tensors) {
    const endBytes = sizeBytes + values.length * BFLOAT16_BYTES;
    header[name] = { dtype: 'BF16', shape, data_offsets: [sizeBytes, endBytes] };
    sizeBytes = endBytes;
  }
  const text = JSON.stringify(header);
  const head = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / ALIGNMENT_BYTES) * ALIGNMENT_BYTES));
  const file = new Uint8Array(8 + head.length + sizeBytes);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(head.length), true);
  file.set(head, 8);
  let at = 8 + head.length;
  for (const { values } of tensors)
    for (const value of values) {
      view.setUint16(at, toBfloat16(value), true);
      at += BFLOAT16_BYTES;
    }
  return file;
}

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** Rounds a finite number to the nearest bfloat16, ties to even, and gives its bits. */
export function toBfloat16(value: number): number {
  float[0] = value;
  const bits = floatBits[0] ?? 0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}
