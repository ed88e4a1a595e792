/** SGLang: `/get_server_info` with its flags, `/v1/loads` with its load. */
import { readGauges } from '#src/nodes/engine-gauges';
import { readSamples } from '#src/nodes/prometheus';
import { LOADS_PATH, readLoads } from '#src/nodes/sglang-loads';
import { jsonAt, objectAt, textAt, toList, toSize, toText, type Answers } from './answers.ts';
import { toKvCodec, toQuantization } from './codecs.ts';
import type { EngineAdapter } from './engine.ts';
import { listedModels, readModels } from './listed-models.ts';
import { toLoad } from './load.ts';

export const sglang: EngineAdapter = {
  name: 'sglang',
  title: 'SGLang',
  asks: ['/get_server_info', '/get_model_info', '/v1/models', LOADS_PATH, '/metrics'],
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
  load: { asks: [LOADS_PATH, '/metrics'], read: readLoad },
  fullStatuses: [503],
};

/** Its load stands in `/v1/loads`; older builds tell it in their metrics, where those are on. */
function readLoad(answers: Answers) {
  return toLoad(readLoads(jsonAt(answers, LOADS_PATH)) ?? readGauges(readSamples(textAt(answers, '/metrics') ?? ''), 'sglang'));
}
