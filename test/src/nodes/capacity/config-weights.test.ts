/** In which format weights are, as `quantization_config` says it in the words of many tools. */
import { describe, expect, it } from 'vitest';
import { readModelConfig } from '#src/nodes/capacity/read-config';
import { findWeightFormat } from '#src/nodes/capacity/weight-formats';

const SMALL = { model_type: 'llama', hidden_size: 1024, num_attention_heads: 8, num_hidden_layers: 12 };

function formatOf(fields: object): string {
  return readModelConfig({ ...SMALL, ...fields }, 'test').nativeWeights;
}

describe('weights', () => {
  it.each([
    [{ quant_method: 'awq', bits: 4 }, 'int4'],
    [{ quant_method: 'gptq', bits: 8 }, 'int8'],
    [{ quant_method: 'compressed-tensors', format: 'float-quantized', config_groups: { group_0: { weights: { num_bits: 8 } } } }, 'fp8'],
    [{ quant_method: 'compressed-tensors', format: 'pack-quantized', config_groups: { group_0: { weights: { num_bits: 4 } } } }, 'int4'],
    [{ quant_method: 'compressed-tensors', format: 'nvfp4-pack-quantized' }, 'nvfp4'],
    [{ quant_method: 'modelopt', quant_algo: 'FP8' }, 'fp8'],
    [{ quant_method: 'compressed-tensors', format: 'int-quantized', config_groups: { group_0: { weights: { num_bits: 8 } } } }, 'int8'],
    [{ quant_method: 'compressed-tensors', format: 'mxfp4-pack-quantized' }, 'mxfp4'],
    [{ quant_method: 'fbgemm_fp8', activation_scale_ub: 1200 }, 'fp8'],
    [{ quant_method: 'modelopt', quant_algo: 'W4A8_AWQ' }, 'int4'],
    [{ producer: { name: 'modelopt' }, quantization: { quant_algo: 'NVFP4' } }, 'nvfp4'],
    [{ quant_method: 'auto-round', bits: 4 }, 'int4'],
    [{ quant_method: 'awq', w_bit: 4 }, 'int4'],
    [{ quant_method: 'hqq', quant_config: { weight_quant_params: { nbits: 4 } } }, 'int4'],
    [{ quant_method: 'quanto', weights: 'float8' }, 'fp8'],
    [{ quant_method: 'quark', global_quant_config: { weight: { dtype: 'fp8_e4m3' } } }, 'fp8'],
    [{ quant_method: 'quark', global_quant_config: { weight: { dtype: 'fp4' } } }, 'mxfp4'],
    [{ quant_method: 'torchao', quant_type: { default: { _type: 'Int4WeightOnlyConfig' } } }, 'int4'],
    [{ quant_method: 'bitsandbytes', load_in_4bit: true }, 'int4'],
    [{ quant_method: 'bitsandbytes', load_in_4bit: false, load_in_8bit: true }, 'int8'],
  ])('quantized as %j are %s', (quantization, format) => {
    expect(formatOf({ quantization_config: quantization })).toBe(format);
  });

  it.each([
    [{ torch_dtype: 'bfloat16' }, 'bf16'],
    [{ dtype: 'float16' }, 'fp16'],
    [{ torch_dtype: 'float32' }, 'fp16'],
    [{}, 'bf16'],
  ])('published as %j are served in 16 bits', (fields, format) => {
    expect(formatOf(fields)).toBe(format);
  });

  it('of a model that also sees may be described outside of its language model', () => {
    expect(readModelConfig({ text_config: SMALL, quantization_config: { quant_method: 'fp8' } }, 'test').nativeWeights).toBe('fp8');
    expect(readModelConfig({ text_config: SMALL, compression_config: { format: 'float-quantized' } }, 'test').nativeWeights).toBe('fp8');
  });
});

describe('a quantization that nobody here knows', () => {
  it.each([
    [{ quant_method: 'vptq' }, "unknown weight format 'vptq'"],
    [{ quant_method: 'gptq', bits: 3 }, "unknown weight format 'int3'"],
  ])('is not taken for bf16: %j', (quantization, message) => {
    expect(() => findWeightFormat(formatOf({ quantization_config: quantization }))).toThrow(message);
  });
});
