import { describe, expect, it } from 'vitest';
import { KV_CODECS } from '#schema/catalog';
import { CODEC_MEASUREMENTS, HEAVY_KV_CODECS, qualityOf } from '#schema/codec-quality';
import { findCodec } from '#src/nodes/capacity/kv-codecs';

describe('quality classes', () => {
  it('put every codec of three bits or fewer among the heavy ones', () => {
    expect([...HEAVY_KV_CODECS].toSorted()).toEqual(['lmdeploy_42', 'turbo2', 'turbo3', 'turboquant_3bit_nc', 'turboquant_k3v4_nc']);
  });

  it.each([
    ['bf16', 'lossless'],
    ['fp8', 'near_lossless'],
    ['q8_0/q4_0', 'near_lossless'],
    ['turboquant_4bit_nc', 'light'],
    ['unknown', 'unknown'],
  ] as const)('%s is %s', (codec, quality) => {
    expect(qualityOf(codec)).toBe(quality);
  });

  it('order codecs as they were measured: no light one loses more reasoning than a heavy one', () => {
    const lossOf = (quality: string): number[] =>
      CODEC_MEASUREMENTS.filter(({ codec, benchmark }) => benchmark === 'reasoning, mean' && qualityOf(codec) === quality).map(
        ({ bf16, score }) => (bf16 - score) / bf16,
      );
    expect(Math.max(...lossOf('light'), ...lossOf('near_lossless'))).toBeLessThan(0.05);
    expect(Math.max(...lossOf('heavy'))).toBeGreaterThan(0.15);
    expect(CODEC_MEASUREMENTS.every(({ score }) => Number.isFinite(score))).toBe(true);
  });

  it('the capacity model knows every codec of the catalogue', () => {
    for (const codec of KV_CODECS) if (codec !== 'unknown') expect(findCodec(codec).name).toBe(codec);
  });
});
