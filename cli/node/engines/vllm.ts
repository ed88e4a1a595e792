/** vLLM: `/version`, and metrics with the whole cache configuration in labels. */
import { readGauges } from '#src/nodes/loads/engine-gauges';
import { readSamples } from '#src/nodes/loads/prometheus';
import { objectAt, textAt, toSize, toText, type Answers } from './answers.ts';
import { toKvCodec } from './codecs.ts';
import type { EngineAdapter, EngineLoad } from './engine.ts';
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

function readLoad(answers: Answers): EngineLoad | 'asleep' | null {
  const samples = readSamples(textAt(answers, '/metrics') ?? '');
  // With its weights out of the card (`/sleep`) it goes on to answer everything but requests.
  if (samples.some(({ name, labels, value }) => name === 'vllm:engine_sleep_state' && labels.get('sleep_state') === 'awake' && value === 0))
    return 'asleep';
  return toLoad(readGauges(samples, 'vllm'));
}
