/** Writes GGUF version 3, the file format of llama.cpp: header, metadata, tensor table, tensors. Little endian; ggml's docs/gguf.md. */

const MAGIC = 'GGUF';
const VERSION = 3;
/** Tensors and their data start at multiples of this. */
const ALIGNMENT_BYTES = 32;

const VALUE_TYPE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;
const TENSOR_TYPE = { f32: 0, f16: 1 } as const;

/** A value of the metadata with the type that it is stored as. */
export type GgufValue =
  | { u32: number }
  | { f32: number }
  | { bool: boolean }
  | { string: string }
  | { strings: readonly string[] }
  | { f32s: readonly number[] }
  | { i32s: readonly number[] };

/** A named tensor. `dimensions` run from the fastest to the slowest, as GGUF has them. */
export interface GgufTensor {
  name: string;
  dimensions: readonly number[];
  type: keyof typeof TENSOR_TYPE;
  values: Float32Array;
}

/** Builds the whole file. The same input gives the same bytes on every platform. */
export function encodeGguf(metadata: readonly (readonly [string, GgufValue])[], tensors: readonly GgufTensor[]): Uint8Array {
  const bodies = tensors.map(encodeTensor);
  const head = new ByteWriter();
  head.raw(new TextEncoder().encode(MAGIC));
  head.u32(VERSION);
  head.u64(tensors.length);
  head.u64(metadata.length + 1);
  writeEntry(head, 'general.alignment', { u32: ALIGNMENT_BYTES });
  for (const [key, value] of metadata) writeEntry(head, key, value);
  let offset = 0;
  for (const [place, tensor] of tensors.entries()) {
    head.text(tensor.name);
    head.u32(tensor.dimensions.length);
    for (const dimension of tensor.dimensions) head.u64(dimension);
    head.u32(TENSOR_TYPE[tensor.type]);
    head.u64(offset);
    offset += padded(bodies[place]?.length ?? 0);
  }
  const dataStart = padded(head.length);
  const file = new Uint8Array(dataStart + offset);
  file.set(head.bytes());
  let at = dataStart;
  for (const body of bodies) {
    file.set(body, at);
    at += padded(body.length);
  }
  return file;
}

function padded(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}

function writeEntry(out: ByteWriter, key: string, value: GgufValue): void {
  out.text(key);
  if ('u32' in value) {
    out.u32(VALUE_TYPE.u32);
    out.u32(value.u32);
  } else if ('f32' in value) {
    out.u32(VALUE_TYPE.f32);
    out.f32(value.f32);
  } else if ('bool' in value) {
    out.u32(VALUE_TYPE.bool);
    out.u8(Number(value.bool));
  } else if ('string' in value) {
    out.u32(VALUE_TYPE.string);
    out.text(value.string);
  } else if ('strings' in value) {
    writeArray(out, VALUE_TYPE.string, value.strings, (item) => out.text(item));
  } else if ('f32s' in value) {
    writeArray(out, VALUE_TYPE.f32, value.f32s, (item) => out.f32(item));
  } else {
    writeArray(out, VALUE_TYPE.i32, value.i32s, (item) => out.u32(item >>> 0));
  }
}

function writeArray<Item>(out: ByteWriter, itemType: number, items: readonly Item[], write: (item: Item) => void): void {
  out.u32(VALUE_TYPE.array);
  out.u32(itemType);
  out.u64(items.length);
  items.forEach(write);
}

function encodeTensor({ type, values }: GgufTensor): Uint8Array {
  const width = type === 'f32' ? 4 : 2;
  const bytes = new Uint8Array(values.length * width);
  const view = new DataView(bytes.buffer);
  values.forEach((value, place) => {
    if (type === 'f32') view.setFloat32(place * 4, value, true);
    else view.setUint16(place * 2, toHalf(value), true);
  });
  return bytes;
}

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** Rounds to the nearest IEEE half, ties to even, and gives its bits. What is smaller than the smallest normal half becomes zero. */
export function toHalf(value: number): number {
  float[0] = value;
  const bits = floatBits[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude < 0x3880_0000) return sign;
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  if (rounded >= 0x4780_0000) throw new RangeError(`${value} does not fit into a half`);
  return sign | ((rounded - 0x3800_0000) >>> 13);
}

/** Collects the parts of a file's head. */
class ByteWriter {
  readonly #parts: Uint8Array[] = [];
  length = 0;

  u8(value: number): void {
    this.raw(Uint8Array.of(value));
  }
  u32(value: number): void {
    this.#number(4, (view) => view.setUint32(0, value, true));
  }
  u64(value: number): void {
    this.#number(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }
  f32(value: number): void {
    this.#number(4, (view) => view.setFloat32(0, value, true));
  }
  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.u64(bytes.length);
    this.raw(bytes);
  }
  raw(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.length += bytes.length;
  }
  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts));
  }

  #number(width: number, write: (view: DataView) => void): void {
    const view = new DataView(new ArrayBuffer(width));
    write(view);
    this.raw(new Uint8Array(view.buffer));
  }
}
