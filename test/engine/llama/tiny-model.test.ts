import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { buildTinyModel } from '#engine/llama/tiny-model';

const digestOf = (file: Uint8Array): string => createHash('sha256').update(file).digest('hex');

describe('the tiny model', () => {
  it('is the same file for the same seed on every machine', () => {
    const file = buildTinyModel({ seed: 1 });
    expect(file.length).toBe(635_392);
    expect(digestOf(file)).toBe('3f96a2480896b4c428f090f95a85f7c629028f44db09122d1bfb90318bd51875');
  });

  it('is another one for another seed', () => {
    expect(digestOf(buildTinyModel({ seed: 2 }))).not.toBe(digestOf(buildTinyModel({ seed: 1 })));
  });

  it('grows with its layers and heads, and refuses heads that cannot be shared out', () => {
    const small = buildTinyModel().length;
    expect(buildTinyModel({ layers: 4 }).length).toBeGreaterThan(small);
    expect(buildTinyModel({ heads: 4, kvHeads: 2 }).length).toBeGreaterThan(small);
    expect(() => buildTinyModel({ heads: 3, kvHeads: 2 })).toThrow(RangeError);
  });
});
