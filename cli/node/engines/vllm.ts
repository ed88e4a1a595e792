/** vLLM: `/version`, and metrics with the whole cache configuration in labels. */
import { largestOf, readSamples, sumOf } from '#src/nodes/prometheus';
import { objectAt, textAt, toSize, toText, type Answers } from './answers.ts';
import { toKvCodec } from './codecs.ts';
import type { EngineAdapter } from './engine.ts';
import { listedModels, readModels } from './listed-models.ts';
import { toLoad } from './load.ts';

export const vllm: EngineAdapter = {
  name: 'vllm',
  title: 'vLLM',
  asks: ['/version', '/v1/models', '/metrics'],
  read(answers) {
    const samples = readSamples(textAt(answers, '/metrics') ?? '');
    const isOurs =
      samples.some(({ name }) => name.startsWith('vllm:')) || listedModels(answers)?.some((entry) => entry.owned_by === 'vllm');
    if (isOurs !== true) return null;
    const cache = samples.find(({ name }) => name === 'vllm:cache_config_info')?.labels;
    const poolTokens = toSize(cache?.get('kv_cache_size_tokens')) ?? blocksInTokens(cache);
    // How many sequences run at once (`--max-num-seqs`) is on no surface; `kv_cache_max_concurrency` is about full contexts.
    const more = { kvCache: toKvCodec(cache?.get('cache_dtype') ?? null), capacity: { poolTokens, maxSequences: null } };
    return { version: toText(objectAt(answers, '/version')?.version, 60), models: readModels(answers, () => more) };
  },
  load: { asks: ['/metrics'], read: readLoad },
  fullStatuses: [503],
};

function blocksInTokens(cache: ReadonlyMap<string, string> | undefined): number | null {
  const blocks = toSize(cache?.get('num_gpu_blocks'));
  const blockTokens = toSize(cache?.get('block_size'));
  return blocks === null || blockTokens === null ? null : blocks * blockTokens;
}

function readLoad(answers: Answers) {
  const samples = readSamples(textAt(answers, '/metrics') ?? '');
  return toLoad({
    running: sumOf(samples, 'vllm:num_requests_running'),
    waiting: sumOf(samples, 'vllm:num_requests_waiting'),
    kvUsage: largestOf(samples, 'vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'),
  });
}
