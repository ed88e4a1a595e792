import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attentionError } from '#bench/turboquant/attention';
import { toBf16, toFp8, toQ4, toQ8 } from '#bench/turboquant/block-formats';
import { packBits, unpackBits } from '#bench/turboquant/pack';
import { parseFlags } from '#bench/turboquant/flags';
import { toPlot } from '#bench/turboquant/plot';
import { isSound, toTable } from '#bench/turboquant/report';
import { study } from '#bench/turboquant/study';

describe('packed indices', () => {
  it('come out as they went in, at every width and length, in as few octets as there are bits for', () => {
    const indices = fc
      .integer({ min: 1, max: 8 })
      .chain((bits) => fc.tuple(fc.constant(bits), fc.array(fc.integer({ min: 0, max: 2 ** bits - 1 }), { maxLength: 70 })));
    fc.assert(
      fc.property(indices, ([bits, places]) => {
        const packed = packBits(places, bits);
        expect(packed.length).toBe(Math.ceil((places.length * bits) / 8));
        expect(Array.from(unpackBits(packed, bits, places.length))).toEqual(places);
      }),
      { numRuns: 300 },
    );
  });
});

describe('formats of engines', () => {
  it('round to bf16 to nearest even', () => {
    expect(Array.from(toBf16([1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, -3.140625]))).toEqual([1, 1, 1 + 2 ** -6, -3.140625]);
  });

  it('round to E4M3 with its largest value, its subnormals and ties to even', () => {
    expect(Array.from(toFp8([448, 1e6, -500, 1.0625, 1.1875, 2 ** -9, 2 ** -10, 0]))).toEqual([448, 448, -448, 1, 1.25, 2 ** -9, 0, 0]);
  });

  it('keep the largest value of a block in q8_0 and q4_0', () => {
    const block = Array.from({ length: 64 }, (_, place) => Math.sin(place) * (place < 32 ? 1 : 100));
    for (const [round, steps] of [
      [toQ8, 127],
      [toQ4, 8],
    ] as const) {
      const rounded = round(block);
      for (const [place, value] of block.entries()) {
        const largest = Math.max(...block.slice(place < 32 ? 0 : 32, place < 32 ? 32 : 64).map(Math.abs));
        expect(Math.abs((rounded[place] as number) - value)).toBeLessThanOrEqual((largest / steps) * 1.01);
      }
    }
    expect(() => toQ4(new Float64Array(33))).toThrow(/multiple of 32/);
    expect(Array.from(toQ4(new Float64Array(32)))).toEqual(Array.from(new Float64Array(32)));
  });

  it('change nothing of attention where nothing is rounded', () => {
    expect(attentionError((vector) => vector, { dimension: 32, contextTokens: 16, queries: 3, seed: 1 })).toBe(0);
  });
});

describe('the study', () => {
  const settings = { dimension: 64, vectors: 50, seed: 3 };
  const result = study(settings);

  it('is sound, says that it is synthetic, and is the same for the same seed', () => {
    expect(isSound(result)).toBe(true);
    expect(result.synthetic).toBe(true);
    expect(study(settings)).toEqual(result);
  });

  it('finds rotation to help q4_0, and more bits to help ours', () => {
    const error = (name: string): number => result.formats.find((format) => format.name === name)?.error ?? Number.NaN;
    expect(error('q4_0, rotated')).toBeLessThan(error('q4_0'));
    expect(error('rotated Lloyd–Max, 4 bits')).toBeLessThan(error('rotated Lloyd–Max, 3 bits'));
    expect(error('rotated Lloyd–Max, 3 bits')).toBeLessThan(error('rotated Lloyd–Max, 2 bits'));
  });

  it('is unsound where the codec leaves the bounds', () => {
    const [first, ...others] = result.distortion;
    expect(isSound({ ...result, distortion: [{ ...first!, random: 0.2 }, ...others] })).toBe(false);
  });

  it('is printed and drawn without holes', () => {
    expect(toTable(result)).not.toMatch(/NaN|undefined/);
    const plot = toPlot(result);
    expect(plot).not.toMatch(/NaN|undefined/);
    expect(plot.match(/class="ours" cx/g)).toHaveLength(result.distortion.length + 1);
  });

  it.each([
    [['--dimension', '100'], /--dimension must be one of 32, 64, 128, 256, 512, got "100"/],
    [['--vectors', 'many'], /--vectors must be a whole number from 50 to 100000/],
    [['--bogus'], /Unknown option '--bogus'/],
  ])('refuses %j', (argv, words) => {
    expect(() => parseFlags(argv)).toThrow(words);
  });
});
