/** What engines store caches in beside TurboQuant: half floats, 8-bit floats, and llama.cpp's blocks. Each function rounds a vector to the format. */

const BLOCK = 32;
/** E4M3: 4 exponent bits, 3 mantissa bits, largest finite value 448 (OCP FP8). */
const E4M3_MAX = 448;
const E4M3_MIN_EXPONENT = -6;
const E4M3_MANTISSA_BITS = 3;

/** Rounds to bfloat16: the upper half of a single, to nearest even. */
export function toBf16(vector: ArrayLike<number>): Float64Array {
  const single = Float32Array.from(vector);
  const bits = new Uint32Array(single.buffer);
  for (const [place, word] of bits.entries()) bits[place] = ((word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000) >>> 0;
  return Float64Array.from(single);
}

/** Rounds to fp8 E4M3 without a scale, as engines store keys and values by default. */
export function toFp8(vector: ArrayLike<number>): Float64Array {
  return Float64Array.from(vector, (value) => {
    const size = Math.min(Math.abs(value), E4M3_MAX);
    if (size === 0) return 0;
    const exponent = Math.max(E4M3_MIN_EXPONENT, Math.floor(Math.log2(size)));
    const step = 2 ** (exponent - E4M3_MANTISSA_BITS);
    return Math.sign(value) * Math.min(E4M3_MAX, roundToEven(size / step) * step);
  });
}

/** Rounds to llama.cpp's q8_0: blocks of 32 with one half-precision scale and an octet each. */
export function toQ8(vector: ArrayLike<number>): Float64Array {
  return inBlocks(vector, (block) => {
    const scale = Math.max(...block.map(Math.abs)) / 127;
    const inverse = scale === 0 ? 0 : 1 / scale;
    return block.map((value) => Math.round(value * inverse) * Math.f16round(scale));
  });
}

/** Rounds to llama.cpp's q4_0: blocks of 32, the value of largest size at −8 of 16 even steps. */
export function toQ4(vector: ArrayLike<number>): Float64Array {
  return inBlocks(vector, (block) => {
    const largest = block.reduce((found, value) => (Math.abs(value) > Math.abs(found) ? value : found), 0);
    if (largest === 0) return block;
    const scale = largest / -8;
    const inverse = 1 / scale;
    return block.map((value) => (Math.min(15, Math.floor(value * inverse + 8.5)) - 8) * Math.f16round(scale));
  });
}

function inBlocks(vector: ArrayLike<number>, round: (block: number[]) => number[]): Float64Array {
  const values = Array.from(vector);
  if (values.length % BLOCK !== 0) throw new RangeError(`expected a multiple of ${BLOCK} values, got ${values.length}`);
  const blocks = Array.from({ length: values.length / BLOCK }, (_, place) => values.slice(place * BLOCK, (place + 1) * BLOCK));
  return Float64Array.from(blocks.flatMap(round));
}

function roundToEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}
