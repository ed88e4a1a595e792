import { describe, expect, it } from 'vitest';
import { toKvCodec, toQuantization } from '#cli/node/engines/codecs';

describe('engines’ words become ours', () => {
  it.each([
    ['turboquant_3bit_nc', 'turboquant_3bit_nc'],
    ['fp8_e5m2', 'fp8'],
    ['auto', 'bf16'],
    ['float16', 'fp16'],
    ['Q4', 'q4_0'],
    ['8, 8', 'q8_0'],
    ['6,6', 'unknown'],
    ['torch.bfloat16', 'bf16'],
    ['perfect_codec', 'unknown'],
    [null, 'unknown'],
  ])('cache %s is %s', (word, codec) => expect(toKvCodec(word)).toBe(codec));

  it.each([
    ['Qwen/Qwen3-8B-FP8', 'fp8'],
    ['Qwen3-8B-Q4_K_M.gguf', 'int4'],
    ['gemma-3-12b-it-Q8_0', 'int8'],
    ['x-Q6_K', 'fp6'],
    ['hugging-quants/Llama-AWQ-INT4', 'int4'],
    ['openai/gpt-oss-20b-MXFP4', 'mxfp4'],
    ['Qwen3-8B-GPTQ-Int8', 'int8'],
    ['Qwen/Qwen3-8B', 'unknown'],
  ])('weights of %s are %s', (name, quantization) => expect(toQuantization(name)).toBe(quantization));

  it('what an engine says of its weights comes before what a name says', () => expect(toQuantization('fp8', 'Qwen3-8B-AWQ')).toBe('fp8'));
});
