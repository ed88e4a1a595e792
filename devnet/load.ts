/** What a vLLM node tells about its load: Prometheus text, and the ORCA header for those who ask. */
import type { IncomingMessage } from 'node:http';
import { BLOCK_TOKENS } from './capacity.ts';
import type { Endpoint } from './endpoint.ts';

/** Computes the share of the KV cache that is held, in [0, 1]. */
function cacheUsage({ slots }: Endpoint): number {
  return Number.isFinite(slots.poolTokens) ? slots.heldTokens() / slots.poolTokens : 0;
}

/** Builds the `endpoint-load-metrics` header in the format that the request names, or none. */
export function loadHeaders(endpoint: Endpoint, request: IncomingMessage): Record<string, string> {
  const format = request.headers['endpoint-load-metrics-format'];
  if (endpoint.card.node === null) return {};
  const figures = { kv_cache_usage_perc: cacheUsage(endpoint), num_requests_waiting: endpoint.slots.waitingSequences() };
  if (format === 'JSON') return { 'endpoint-load-metrics': `JSON ${JSON.stringify({ named_metrics: figures })}` };
  if (format !== 'TEXT') return {};
  const pairs = Object.entries(figures).map(([name, value]) => `named_metrics.${name}=${value}`);
  return { 'endpoint-load-metrics': `TEXT ${pairs.join(', ')}` };
}

/** Renders `/metrics` under vLLM's names. Gauges are the simulated state at this moment; durations are simulated seconds. */
export function renderMetrics(endpoint: Endpoint): string {
  const { card, counters, slots, finished, rejections } = endpoint;
  const { node } = card;
  if (node === null) return '';
  const labels = `model_name="${card.models[0]?.upstreamModel}",engine="0"`;
  const sample = (kind: 'gauge' | 'counter', name: string, value: number): string[] => [
    `# TYPE vllm:${name} ${kind}`,
    `vllm:${name}{${labels}} ${value}`,
  ];
  const family = (name: string, label: string, values: ReadonlyMap<string, number>): string[] => [
    `# TYPE vllm:${name} counter`,
    ...[...values].map(([key, value]) => `vllm:${name}{${labels},${label}="${key}"} ${value}`),
  ];
  const configuration = {
    block_size: BLOCK_TOKENS,
    cache_dtype: node.cacheDtype,
    enable_prefix_caching: 'True',
    gpu_memory_utilization: node.memoryUtilization,
    kv_cache_max_concurrency: (slots.poolTokens / node.maxModelLen).toFixed(2),
    kv_cache_size_tokens: slots.poolTokens,
    num_gpu_blocks: slots.poolTokens / BLOCK_TOKENS,
    engine: 0,
  };
  const configurationLabels = Object.entries(configuration).map(([name, value]) => `${name}="${value}"`);
  return [
    ...sample('gauge', 'num_requests_running', slots.runningSequences()),
    ...sample('gauge', 'num_requests_waiting', slots.waitingSequences()),
    ...sample('gauge', 'kv_cache_usage_perc', cacheUsage(endpoint)),
    ...sample('counter', 'prompt_tokens_total', counters.promptTokens),
    ...sample('counter', 'generation_tokens_total', counters.completionTokens),
    ...sample('counter', 'prefix_cache_queries_total', counters.promptTokens),
    ...sample('counter', 'prefix_cache_hits_total', counters.cachedTokens),
    ...sample('counter', 'num_preemptions_total', 0),
    ...family('request_success_total', 'finished_reason', finished),
    ...family('admission_rejections_total', 'reason', rejections),
    ...endpoint.ttft.render('vllm:time_to_first_token_seconds', labels),
    ...endpoint.tpot.render('vllm:time_per_output_token_seconds', labels),
    '# TYPE vllm:cache_config_info gauge',
    `vllm:cache_config_info{${configurationLabels.join(',')}} 1`,
    '',
  ].join('\n');
}
