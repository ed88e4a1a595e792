import { describe, expect, it } from 'vitest';
import { quirksOf } from '#providers/registry';
import { LOAD_FORMAT_HEADER, readNodeLoad } from '#providers/wire/node-load';
import { requestHeaders } from '#providers/wire/request-headers';

const read = (value: string) => readNodeLoad(new Headers({ 'endpoint-load-metrics': value }));
const json = (metrics: unknown) => read(`JSON ${JSON.stringify({ named_metrics: metrics })}`);

describe('the load at the head of an answer', () => {
  it('is read from JSON, as vLLM writes it', () => {
    expect(read('JSON {"named_metrics":{"kv_cache_usage_perc":0.4,"num_requests_waiting":2.0}}')).toEqual({
      running: 0,
      waiting: 2,
      kvUsage: 0.4,
    });
    expect(json({ num_requests_running: 7, num_requests_waiting: 0, kv_cache_usage_perc: 1 })).toEqual({
      running: 7,
      waiting: 0,
      kvUsage: 1,
    });
  });

  it('is read from TEXT, and from the names of TensorRT-LLM', () => {
    expect(read('TEXT named_metrics.kv_cache_usage_perc=0.4, named_metrics.num_requests_waiting=3')).toEqual({
      running: 0,
      waiting: 3,
      kvUsage: 0.4,
    });
    expect(json({ kv_cache_utilization: 0.25 })).toEqual({ running: 0, waiting: 0, kvUsage: 0.25 });
  });

  it('keeps what makes sense and leaves out what cannot be', () => {
    expect(json({ kv_cache_usage_perc: 40, num_requests_waiting: 1 })).toEqual({ running: 0, waiting: 1, kvUsage: null });
    expect(json({ kv_cache_usage_perc: 0.5, num_requests_waiting: -1 })).toEqual({ running: 0, waiting: 0, kvUsage: 0.5 });
    expect(json({ kv_cache_usage_perc: 0.5, num_requests_running: 1e300 })).toEqual({ running: 0, waiting: 0, kvUsage: 0.5 });
    expect(json({ num_requests_waiting: 2.9 })).toMatchObject({ waiting: 2 });
  });

  it.each([
    ['nothing', ''],
    ['no format', '{"named_metrics":{"kv_cache_usage_perc":0.4}}'],
    ['a binary report', 'BIN AAAA'],
    ['broken JSON', 'JSON {"named_metrics":{'],
    ['JSON of another shape', 'JSON [1]'],
    ['null', 'JSON null'],
    ['metrics that are none', 'JSON {"named_metrics":"x"}'],
    ['numbers as text', 'JSON {"named_metrics":{"kv_cache_usage_perc":"0.4"}}'],
    ['nothing but absurd numbers', 'JSON {"named_metrics":{"kv_cache_usage_perc":-1,"num_requests_waiting":1e9}}'],
    ['words in text', 'TEXT named_metrics.kv_cache_usage_perc=full'],
    ['an empty number in text', 'TEXT named_metrics.num_requests_waiting='],
    ['a header that is too long', `JSON {"named_metrics":{"x":"${'y'.repeat(3_000)}","kv_cache_usage_perc":0.4}}`],
  ])('says nothing where it holds %s', (_, value) => {
    expect(read(value)).toBeNull();
  });

  it('is unknown where there is no header', () => {
    expect(readNodeLoad(new Headers())).toBeNull();
  });
});

describe('the wish to hear of it', () => {
  const target = { url: 'https://a.example', upstreamModel: 'm', auth: 'bearer', headers: {}, key: null, maxOutput: null } as const;
  const asked = (engine: string | null) =>
    requestHeaders({ ...target, quirks: quirksOf('selfhosted', engine) }, true, null)[LOAD_FORMAT_HEADER];

  it('goes to engines that are known to understand it, and to no other', () => {
    expect(asked('vllm')).toBe('JSON');
    for (const engine of ['sglang', 'llama-cpp', 'ollama', null]) expect(asked(engine)).toBeUndefined();
    expect(requestHeaders({ ...target, quirks: quirksOf('openrouter') }, true, null)).not.toHaveProperty(LOAD_FORMAT_HEADER);
  });
});
