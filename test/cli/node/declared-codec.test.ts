import { describe, expect, it } from 'vitest';
import { readDeclaredCodec, withDeclaredCodec } from '#cli/node/declared-codec';
import { modelNamed } from '#cli/node/engines/engine';

describe('the KV codec that an operator names', () => {
  it.each([
    ['q8_0', 'q8_0'],
    ['Q8_0/Q4_0', 'q8_0/q4_0'],
    ['f16', 'fp16'],
    ['q4_0/q4_0', 'q4_0'],
    ['turboquant-4bit-nc', 'turboquant_4bit_nc'],
    ['auto', 'bf16'],
  ])('%s is %s, in the words of engines', (text, codec) => expect(readDeclaredCodec(text)).toBe(codec));

  it.each([
    ['q4_0/q8_0', 'q4_0'],
    ['q8_0/q5_1', 'q5_1'],
    ['f16/q8_0', 'q8_0'],
    ['turbo3/f16', 'turbo3'],
  ])('of the pair %s counts the coarser side, %s', (text, codec) => expect(readDeclaredCodec(text)).toBe(codec));

  it.each([
    ['gold', /--kv-cache: unknown KV codec 'gold'/],
    ['turboquant', /did you mean 'turboquant_4bit_nc'/],
    ['q8_0/gold', /unknown llama\.cpp cache type 'gold'/],
    ['f32', /no class for f32; known are bf16/],
    ['unknown', /unknown KV codec/],
  ])('%s is refused in words', (text, words) => expect(() => readDeclaredCodec(text)).toThrow(words));

  it('counts where the engine does not tell, and nowhere else', () => {
    expect(readDeclaredCodec(undefined)).toBeNull();
    const silent = modelNamed('a');
    expect(withDeclaredCodec(silent, null)).toBe(silent);
    expect(withDeclaredCodec(silent, 'q8_0')).toMatchObject({ kvCache: 'q8_0', isCodecDeclared: true });
    const telling = modelNamed('a', { kvCache: 'fp8' });
    expect(withDeclaredCodec(telling, 'q8_0')).toBe(telling);
  });
});
