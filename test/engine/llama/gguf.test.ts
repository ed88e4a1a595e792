import { describe, expect, it } from 'vitest';
import { encodeGguf, toHalf } from '#engine/llama/gguf';

describe('toHalf', () => {
  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [0.1, 0x2e66],
    [65_504, 0x7bff],
    [6.103515625e-5, 0x0400],
  ])('writes %s as IEEE 754 has it', (value, bits) => {
    expect(toHalf(value)).toBe(bits);
  });

  it('rounds what lies in the middle to the even neighbour', () => {
    expect([toHalf(2049), toHalf(2051)]).toEqual([toHalf(2048), toHalf(2052)]);
  });

  it('writes what is below the smallest normal half as a zero of its sign', () => {
    expect([toHalf(6e-5), toHalf(-6e-5)]).toEqual([0x0000, 0x8000]);
  });

  it('refuses what would be infinite', () => {
    expect(() => toHalf(65_520)).toThrow(RangeError);
  });
});

describe('encodeGguf', () => {
  const tensor = (name: string, values: number[]) => ({
    name,
    dimensions: [values.length],
    type: 'f32' as const,
    values: Float32Array.from(values),
  });

  it('begins with the magic word, version 3 and the counts', () => {
    const file = encodeGguf([['general.architecture', { string: 'llama' }]], [tensor('a', [1])]);
    const view = new DataView(file.buffer, file.byteOffset);
    expect(new TextDecoder().decode(file.subarray(0, 4))).toBe('GGUF');
    expect(view.getUint32(4, true)).toBe(3);
    expect(view.getBigUint64(8, true)).toBe(1n);
    // The alignment is an entry of its own.
    expect(view.getBigUint64(16, true)).toBe(2n);
  });

  it('starts every tensor at a multiple of 32 bytes, as its table says', () => {
    const file = encodeGguf([], [tensor('first', [1, 2, 3]), tensor('second', [4])]);
    const view = new DataView(file.buffer, file.byteOffset);
    expect(file.length % 32).toBe(0);
    expect(view.getFloat32(file.length - 64, true)).toBe(1);
    expect(view.getFloat32(file.length - 32, true)).toBe(4);
  });
});
