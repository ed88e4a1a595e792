import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toBfloat16 } from '#engine/vllm/safetensors';
import { buildTinyModel, type TinyModelOptions } from '#engine/vllm/tiny-model';

const weightsOf = (options?: TinyModelOptions) => buildTinyModel(options).get('model.safetensors') as Uint8Array;
const jsonOf = (name: string) => JSON.parse(buildTinyModel().get(name) as string) as Record<string, unknown>;
const digestOf = (file: Uint8Array): string => createHash('sha256').update(file).digest('hex');

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Reads the header as the format has it. */
function headerOf(file: Uint8Array): { tensors: Map<string, Entry>; dataBytes: number } {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const { __metadata__: _, ...tensors } = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) as Record<string, Entry>;
  return { tensors: new Map(Object.entries(tensors)), dataBytes: file.length - 8 - length };
}

describe('the tiny Qwen3', () => {
  it('has the same weights for the same seed on every machine, and others for another', () => {
    expect(digestOf(weightsOf())).toBe('dab66314823d88aa3e6c1b0887a57651e4b045fc5232eb550051f901493c6822');
    expect(digestOf(weightsOf({ seed: 2 }))).not.toBe(digestOf(weightsOf()));
  });

  it('is a safetensors file without gaps, each tensor as large as its shape', () => {
    const { tensors, dataBytes } = headerOf(weightsOf({ layers: 3 }));
    let endBytes = 0;
    for (const { dtype, shape, data_offsets: offsets } of tensors.values()) {
      expect([dtype, ...offsets]).toEqual(['BF16', endBytes, endBytes + 2 * shape.reduce((size, one) => size * one, 1)]);
      [, endBytes] = offsets;
    }
    expect(endBytes).toBe(dataBytes);
    expect(tensors.has('model.layers.2.mlp.down_proj.weight')).toBe(true);
    expect(tensors.has('model.layers.3.mlp.down_proj.weight')).toBe(false);
  });

  it('has a tokenizer with a token for every byte, and as many tokens as weights for them', () => {
    const { model, added_tokens: marks } = jsonOf('tokenizer.json') as { model: { vocab: Record<string, number> }; added_tokens: object[] };
    expect(Object.values(model.vocab).toSorted((left, right) => left - right)).toEqual(Array.from({ length: 256 }, (_, byte) => byte));
    expect(model.vocab).toMatchObject({ a: 97, Ġ: 32, Ċ: 10, Ń: 173 });
    expect(headerOf(weightsOf()).tensors.get('lm_head.weight')?.shape[0]).toBe(256 + marks.length);
    expect(jsonOf('config.json')['vocab_size']).toBe(256 + marks.length);
  });
});

describe('toBfloat16', () => {
  it.each([
    [0, 0x0000],
    [1, 0x3f80],
    [-2, 0xc000],
    [0.1, 0x3dcd],
    [1 + 2 ** -8, 0x3f80],
    [1 + 3 * 2 ** -8, 0x3f82],
  ])('writes %s, ties to even', (value, bits) => expect(toBfloat16(value)).toBe(bits));
});
