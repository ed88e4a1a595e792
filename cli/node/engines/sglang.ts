/** SGLang: `/get_server_info` with its flags, `/v1/loads` with its load. */
import { largestOf, readSamples, sumOf } from '#src/nodes/prometheus';
import { jsonAt, objectAt, textAt, toFields, toList, toSize, toText, type Answers } from './answers.ts';
import { toKvCodec, toQuantization } from './codecs.ts';
import type { EngineAdapter } from './engine.ts';
import { listedModels, readModels } from './listed-models.ts';
import { toLoad } from './load.ts';

export const sglang: EngineAdapter = {
  name: 'sglang',
  title: 'SGLang',
  asks: ['/get_server_info', '/get_model_info', '/v1/models', '/v1/loads', '/metrics'],
  read(answers) {
    const info = objectAt(answers, '/get_server_info');
    const samples = readSamples(textAt(answers, '/metrics') ?? '');
    const isOurs =
      (info !== null && ('schedule_policy' in info || 'max_total_num_tokens' in info || 'mem_fraction_static' in info)) ||
      samples.some(({ name }) => name.startsWith('sglang:')) ||
      listedModels(answers)?.some((entry) => entry.owned_by === 'sglang');
    if (isOurs !== true) return null;
    const state = toList(info?.internal_states)[0] ?? null;
    const poolTokens = toSize(info?.max_total_num_tokens) ?? toSize(state?.max_total_num_tokens);
    const maxSequences = toSize(state?.effective_max_running_requests_per_dp) ?? toSize(info?.max_running_requests);
    const kvCache = toKvCodec(toText(info?.kv_cache_dtype));
    const weights = toText(info?.quantization);
    const models = readModels(answers, (entry) => ({
      kvCache,
      capacity: { poolTokens, maxSequences },
      quantization: toQuantization(weights, toText(entry.id), toText(entry.root), toText(info?.dtype)),
    }));
    return { version: toText(info?.version, 60), models };
  },
  load: { asks: ['/v1/loads', '/metrics'], read: readLoad },
  fullStatuses: [503],
};

/** `/v1/loads` lists one entry for each data-parallel rank, below `loads` or by itself. */
function readLoad(answers: Answers) {
  const answer = jsonAt(answers, '/v1/loads');
  const ranks = toList(Array.isArray(answer) ? answer : toFields(answer)?.loads);
  const total = (...names: string[]): number | null => {
    const counts = ranks.map((rank) => names.map((name) => rank[name]).find((value) => typeof value === 'number'));
    return counts.length === 0 || counts.includes(undefined) ? null : counts.reduce<number>((sum, count) => sum + (count as number), 0);
  };
  const usages = ranks.map(({ token_usage: usage }) => usage).filter((usage) => typeof usage === 'number');
  const kvUsage = usages.length === 0 ? null : Math.max(...usages);
  const counted = { running: total('num_running_reqs', 'num_reqs'), waiting: total('num_waiting_reqs', 'num_queue_reqs'), kvUsage };
  if (counted.running !== null) return toLoad(counted);
  const samples = readSamples(textAt(answers, '/metrics') ?? '');
  return toLoad({
    running: sumOf(samples, 'sglang:num_running_reqs'),
    waiting: sumOf(samples, 'sglang:num_queue_reqs'),
    kvUsage: largestOf(samples, 'sglang:token_usage'),
  });
}
