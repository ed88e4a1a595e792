import { describe, expect, it } from 'vitest';
import { recognise } from '#cli/node/engines/detect';
import { modelNamed } from '#cli/node/engines/engine';
import { ollama } from '#cli/node/engines/ollama';
import { answersOf } from './fixture-server.ts';

const NOTHING = { poolTokens: null, maxSequences: null };

describe('an engine is recognised by what it says of itself', () => {
  it.each([
    ['vllm', 'vllm', '0.20.2'],
    ['vllm-older', 'vllm', '0.9.2'],
    ['vllm-0.32', 'vllm', '0.32.0'],
    ['sglang', 'sglang', '0.5.4'],
    ['sglang-metrics', 'sglang', null],
    ['sglang-0.5', 'sglang', '0.5.23'],
    ['llama-server', 'llama-cpp', 'b7211-0a1b2c3d'],
    ['llama-server-slots', 'llama-cpp', 'b7000'],
    ['llama-server-default', 'llama-cpp', 'b11669-Debian'],
    ['llama-server-router', 'llama-cpp', 'b11669-Debian'],
    ['ollama', 'ollama', '0.13.1'],
    ['ollama-loaded', 'ollama', '0.17.4'],
    ['tgi', 'tgi', '3.3.6'],
    ['tgi-2', 'tgi', '2.0.4'],
    ['lmdeploy', 'lmdeploy', null],
    ['tabbyapi', 'tabbyapi', null],
    ['openai', 'openai', null],
  ])('%s is %s %s', (fixture, engine, version) => {
    const found = recognise(answersOf(fixture));
    expect([found?.adapter.name, found?.version]).toEqual([engine, version]);
  });

  it('is nobody while it answers with errors only', () => expect(recognise(answersOf('llama-server-loading'))).toBeNull());
});

describe('models, contexts, codecs and room are what the engine says', () => {
  it.each([
    ['vllm', 'Qwen/Qwen3-8B-FP8', 32_768, 'fp8', 'turboquant_4bit_nc', { poolTokens: 220_048, maxSequences: null }],
    ['vllm-0.32', 'qwen/qwen3-8b', 2_048, 'unknown', 'bf16', { poolTokens: 2_097_152, maxSequences: null }],
    ['llama-server-router', 'tiny-a', 1_024, 'fp16', 'q8_0/q4_0', { poolTokens: 2_048, maxSequences: 2 }],
    ['ollama', 'qwen3:8b', 8_192, 'int4', 'unknown', NOTHING],
    ['tgi', 'mistralai/Mistral-Small-24B-Instruct-2501', 8_192, 'unknown', 'unknown', { poolTokens: null, maxSequences: 128 }],
    ['tgi-2', 'mistralai/Mistral-Small-24B-Instruct-2501', 8_192, 'fp16', 'fp16', { poolTokens: 98_304, maxSequences: 128 }],
    ['lmdeploy', 'internlm/internlm3-8b-instruct-awq', null, 'int4', 'unknown', NOTHING],
    ['openai', 'some-model', 16_384, 'unknown', 'unknown', NOTHING],
  ] as const)('%s serves %s', (fixture, upstreamModel, context, quantization, kvCache, capacity) => {
    expect(recognise(answersOf(fixture))?.models[0]).toEqual({ upstreamModel, context, quantization, kvCache, capacity, isLoaded: true });
  });

  it('every data-parallel rank of SGLang has a pool and a batch of its own', () => {
    const capacity = { poolTokens: 2 * 131_072, maxSequences: 2 * 64 };
    const facts = { context: 40_960, quantization: 'fp8', kvCache: 'fp8', capacity, can: {} } as const;
    expect(recognise(answersOf('sglang'))?.models).toEqual([modelNamed('Qwen/Qwen3-8B', facts)]);
  });

  it('SGLang tells which of its capabilities are switched on', () => {
    const capacity = { poolTokens: 16_384, maxSequences: 8 };
    const facts = { context: 4_096, kvCache: 'bf16', capacity, can: { tools: false, seed: false } } as const;
    expect(recognise(answersOf('sglang-0.5'))?.models).toEqual([modelNamed('/models/tiny', facts)]);
  });

  it('TabbyAPI tells all of it, and whether its model sees', () => {
    expect(recognise(answersOf('tabbyapi'))?.models).toEqual([
      modelNamed('Qwen3-32B-exl3-4.0bpw', {
        context: 32_768,
        quantization: 'int4',
        kvCache: 'q8_0/q4_0',
        capacity: { poolTokens: 65_536, maxSequences: 16 },
        can: { vision: false },
      }),
    ]);
  });

  it('a server of embeddings, whose `/info` is nearly that of TGI, is no TGI', () => {
    const text = JSON.stringify({
      model_id: 'BAAI/bge-m3',
      max_concurrent_requests: 512,
      max_input_length: 8_192,
      max_batch_tokens: 16_384,
    });
    expect(recognise(new Map([['/info', { status: 200, contentType: 'application/json', text }]]))).toBeNull();
  });

  it('an older vLLM counts blocks, and "auto" is the model’s own 16 bits', () => {
    const [model, adapter] = recognise(answersOf('vllm-older'))?.models ?? [];
    expect(model).toMatchObject({ kvCache: 'bf16', quantization: 'int4', capacity: { poolTokens: 2_804 * 16 } });
    expect(adapter).toMatchObject({ upstreamModel: 'my-lora', context: null });
  });

  it.each([
    ['llama-server-default', 4_096, 4],
    ['llama-server-busy', 2_048, 2],
    ['llama-server', 8_192, 2],
  ])('%s does not tell whether its slots share one cache, so one slot’s context is the least that fits', (fixture, context, slots) => {
    const [model] = recognise(answersOf(fixture))?.models ?? [];
    expect(model).toMatchObject({ context, capacity: { poolTokens: context, maxSequences: slots }, poolSource: 'least' });
  });

  it.each([
    ['one slot', { total_slots: 1 }, 4_096],
    ['slots that say that they share nothing', { total_slots: 4, kv_unified: false }, 16_384],
    ['slots that say that they share', { total_slots: 4, kv_unified: true }, 4_096],
  ])('of a llama-server with %s the pool is known', (_, props, poolTokens) => {
    const text = JSON.stringify({ ...props, default_generation_settings: { n_ctx: 4_096 } });
    const answers = new Map([...answersOf('llama-server-default'), ['/props', { status: 200, contentType: 'application/json', text }]]);
    const [model] = recognise(answers)?.models ?? [];
    expect([model?.capacity.poolTokens, model?.poolSource]).toEqual([poolTokens, undefined]);
  });

  it('of a router of llama-servers a model that is not loaded has no context yet, whatever it was trained for', () => {
    const models = recognise(answersOf('llama-server-router'))?.models;
    expect(models?.map(({ upstreamModel, context, isLoaded }) => [upstreamModel, context, isLoaded])).toEqual([
      ['tiny-a', 1_024, true],
      ['tiny-b-Q8_0', null, false],
    ]);
    expect(models?.[1]).toMatchObject({ quantization: 'int8', kvCache: 'q8_0/q4_0', capacity: { poolTokens: null, maxSequences: 2 } });
  });

  it('Ollama’s models on disk are told from those in memory', () => {
    const models = recognise(answersOf('ollama'))?.models.map(({ upstreamModel, isLoaded, quantization }) => [
      upstreamModel,
      isLoaded,
      quantization,
    ]);
    expect(models).toEqual([
      ['qwen3:8b', true, 'int4'],
      ['gpt-oss:20b', false, 'mxfp4'],
    ]);
  });

  it('Ollama says of each model what it is made for, and what its Modelfile sets', () => {
    const answers = answersOf('ollama-loaded');
    const [shown, other] = ollama.asksThen?.(answers) ?? [];
    expect([shown, other]).toEqual(['/api/show {"model":"tiny-other:latest"}', '/api/show {"model":"tiny-llama:latest"}']);
    const models = recognise(answers)?.models;
    expect(models?.[0]).toMatchObject({ upstreamModel: 'tiny-other:latest', context: 1_024, can: { tools: false, vision: false } });
    expect(models?.[1]).toMatchObject({ upstreamModel: 'tiny-llama:latest', context: 2_048 });
    const embedder = { status: 200, contentType: 'application/json', text: '{"capabilities":["embedding"]}' };
    expect(ollama.read(new Map([...answers, [shown ?? '', embedder]]))?.models.map(({ upstreamModel }) => upstreamModel)).toEqual([
      'tiny-llama:latest',
    ]);
  });
});

describe('load is what the engine counts', () => {
  it.each([
    ['vllm', { running: 3, waiting: 1, kvUsage: 0.4125 }],
    ['vllm-older', { running: 0, waiting: 0, kvUsage: 0 }],
    ['vllm-0.32', { running: 4, waiting: 2, kvUsage: 0.000_488_311_054_141_488_1 }],
    ['sglang', { running: 3, waiting: 1, kvUsage: 0.15 }],
    ['sglang-metrics', { running: 5, waiting: 2, kvUsage: 0.31 }],
    ['sglang-0.5', { running: 8, waiting: 2, kvUsage: 0.1174 }],
    ['llama-server', { running: 2, waiting: 3, kvUsage: null }],
    ['llama-server-slots', { running: 1, waiting: null, kvUsage: null }],
    ['llama-server-busy', { running: 2, waiting: 1, kvUsage: (714 + 714) / 2_048 }],
    ['llama-server-asleep', { running: 0, waiting: null, kvUsage: null }],
    ['tgi', { running: 12, waiting: 4, kvUsage: null }],
    ['lmdeploy', { running: 6, waiting: 0, kvUsage: 0.25 }],
  ])('%s says %j', (fixture, load) => {
    const answers = answersOf(fixture);
    expect(recognise(answers)?.adapter.load?.read(answers)).toEqual(load);
  });

  it.each(['ollama', 'tabbyapi', 'openai'])('%s counts nothing, so the node counts for itself', (fixture) => {
    expect(recognise(answersOf(fixture))?.adapter.load).toBeNull();
  });

  it('is unknown where the engine says nonsense', () => {
    const adapter = recognise(answersOf('vllm'))?.adapter;
    const saying = (text: string) => new Map([['/metrics', { status: 200, contentType: 'text/plain', text }]]);
    expect(adapter?.load?.read(saying('vllm:num_requests_running NaN'))).toBeNull();
    expect(adapter?.load?.read(saying('vllm:num_requests_running -3'))).toBeNull();
    expect(adapter?.load?.read(saying('<html>'))).toBeNull();
    expect(adapter?.load?.read(saying('vllm:num_requests_running 1\nvllm:kv_cache_usage_perc 41.2'))).toEqual({
      running: 1,
      waiting: null,
      kvUsage: null,
    });
  });

  it('of a llama-server is a share of what its operator says that it holds', () => {
    const answers = answersOf('llama-server-busy');
    expect(recognise(answers)?.adapter.load?.read(answers, 4_096)).toMatchObject({ kvUsage: (714 + 714) / 4_096 });
  });

  it('is none while vLLM sleeps', () => {
    const answers = answersOf('vllm-0.32');
    const text = answers.get('/metrics')?.text?.replace('sleep_state="awake"} 1.0', 'sleep_state="awake"} 0.0') ?? null;
    const asleep = new Map([['/metrics', { status: 200, contentType: 'text/plain', text }]]);
    expect(recognise(answers)?.adapter.load?.read(asleep)).toBe('asleep');
  });

  it('of a llama-server without metrics is what its slots say: who waits is not among that', () => {
    const answers = answersOf('llama-server-no-metrics');
    expect(recognise(answers)?.adapter.load?.read(answers)).toMatchObject({ running: 2, waiting: null });
  });

  it('is asked of the slots of a llama-server only while they run: the question would wake a sleeping one', () => {
    const then = (fixture: string) => {
      const answers = answersOf(fixture);
      return recognise(answers)?.adapter.load?.asksThen?.(answers);
    };
    expect(then('llama-server-busy')).toEqual(['/slots']);
    expect(then('llama-server-no-metrics')).toEqual(['/slots']);
    expect(then('llama-server-default')).toEqual(['/slots']);
    expect(then('llama-server-asleep')).toEqual([]);
    expect(then('llama-server-router')).toEqual([]);
  });
});
