import { describe, expect, it } from 'vitest';
import { codecOf, readMetrics } from '#src/nodes/probe/metrics';

describe('what engines tell of their load', () => {
  it.each([
    [
      'vLLM',
      'vllm:num_requests_running{model_name="m"} 2\nvllm:num_requests_waiting{model_name="m"} 5\nvllm:gpu_cache_usage_perc 0.5',
      { running: 2, waiting: 5, kvUsage: 0.5 },
    ],
    [
      'SGLang',
      'sglang:num_running_reqs{tp_rank="0"} 4.0\nsglang:num_queue_reqs 1.0\nsglang:token_usage 0.1',
      { running: 4, waiting: 1, kvUsage: 0.1 },
    ],
    ['llama-server', 'llamacpp:requests_processing 1\nllamacpp:requests_deferred 3', { running: 1, waiting: 3, kvUsage: null }],
    ['TGI', 'tgi_batch_current_size 7\ntgi_queue_size 0', { running: 7, waiting: 0, kvUsage: null }],
  ])('reads %s', (_, text, load) => expect(readMetrics(text).load).toEqual(load));

  it('adds up what several workers of one engine tell', () => {
    const text =
      'vllm:num_requests_running{engine="0"} 2\nvllm:num_requests_running{engine="1"} 3\nvllm:kv_cache_usage_perc{engine="0"} 0.2\nvllm:kv_cache_usage_perc{engine="1"} 0.9';
    expect(readMetrics(text).load).toEqual({ running: 5, waiting: 0, kvUsage: 0.9 });
  });

  it('takes nothing that cannot be', () => {
    expect(readMetrics('vllm:num_requests_running NaN').load).toBeNull();
    expect(readMetrics('vllm:num_requests_running -4').load).toBeNull();
    expect(readMetrics('vllm:num_requests_running 1e300\nvllm:kv_cache_usage_perc 40').load).toEqual({
      running: 1e9,
      waiting: 0,
      kvUsage: null,
    });
    expect(readMetrics('<html>vllm:num_requests_running 3</html>').load).toBeNull();
  });

  it('knows the pool by its tokens, by its blocks or by its pages', () => {
    expect(readMetrics('vllm:cache_config_info{kv_cache_size_tokens="78400",num_gpu_blocks="9",block_size="16"} 1').poolTokens).toBe(
      78_400,
    );
    expect(readMetrics('vllm:cache_config_info{num_gpu_blocks="100",kv_cache_size_tokens="None",block_size="16"} 1').poolTokens).toBe(
      1_600,
    );
    expect(readMetrics('sglang:cache_config_info{page_size="64",num_pages="10"} 1').poolTokens).toBe(640);
    expect(readMetrics('vllm:cache_config_info{num_gpu_blocks="-1",block_size="16"} 1').poolTokens).toBeNull();
  });
});

describe('the codec that an engine runs', () => {
  it.each([
    ['fp8', 'bf16', 'fp8'],
    ['fp8_e5m2', 'fp8', 'fp8'],
    ['bfloat16', 'fp8', 'bf16'],
    ['turboquant_4bit_nc', 'turboquant_4bit_nc', 'turboquant_4bit_nc'],
    ['something_new', 'fp8', 'unknown'],
  ] as const)('is %s under its own name', (told, declared, codec) => expect(codecOf(told, declared)).toBe(codec));

  it('is the plain one under `auto`, where a compressed one that must be asked for was declared', () => {
    expect(codecOf('auto', 'turboquant_k8v4')).toBe('bf16');
    expect(codecOf('auto', 'bf16')).toBeNull();
    // A checkpoint may bring it along.
    expect(codecOf('auto', 'fp8')).toBeNull();
    expect(codecOf(null, 'fp8')).toBeNull();
  });
});
