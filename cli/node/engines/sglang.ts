/** SGLang: `/server_info` with its flags (`/get_server_info` in older builds, deprecated now), `/v1/loads` with its load. */
import { readGauges } from '#src/nodes/loads/engine-gauges';
import { readSamples } from '#src/nodes/loads/prometheus';
import { LOADS_PATH, readLoads } from '#src/nodes/loads/sglang-loads';
import { jsonAt, objectAt, textAt, toList, toSize, toText, type Answers, type Fields } from './answers.ts';
import { toKvCodec, toQuantization } from './codecs.ts';
import type { EngineAdapter, EngineModel } from './engine.ts';
import { listedModels, readModels } from './listed-models.ts';
import { toLoad } from './load.ts';

export const sglang: EngineAdapter = {
  name: 'sglang',
  title: 'SGLang',
  asks: ['/server_info', '/get_server_info', '/v1/models', LOADS_PATH, '/metrics'],
  read(answers) {
    const info = objectAt(answers, '/server_info') ?? objectAt(answers, '/get_server_info');
    const samples = readSamples(textAt(answers, '/metrics') ?? '');
    const isOurs =
      (info !== null && ('schedule_policy' in info || 'max_total_num_tokens' in info || 'mem_fraction_static' in info)) ||
      samples.some(({ name }) => name.startsWith('sglang:')) ||
      listedModels(answers)?.some((entry) => entry.owned_by === 'sglang');
    if (isOurs !== true) return null;
    // Every data-parallel rank has a pool and a batch of its own; what the server says at the top is one rank's.
    const ranks = toList(info?.internal_states);
    const state = ranks[0] ?? null;
    const rankTokens = toSize(info?.max_total_num_tokens) ?? toSize(state?.max_total_num_tokens);
    const rankSequences = toSize(state?.effective_max_running_requests_per_dp);
    const poolTokens = readLoads(jsonAt(answers, LOADS_PATH))?.poolTokens ?? rankTokens;
    const maxSequences = rankSequences === null ? toSize(info?.max_running_requests) : rankSequences * ranks.length;
    const kvCache = toKvCodec(toText(info?.kv_cache_dtype));
    const weights = toText(info?.quantization);
    const can = info === null ? {} : readFlags(info);
    const models = readModels(answers, (entry) => ({
      kvCache,
      capacity: { poolTokens, maxSequences },
      quantization: toQuantization(weights, toText(entry.id), toText(entry.root), toText(info?.dtype)),
      can,
    }));
    return { version: toText(info?.version, 60), models };
  },
  load: { asks: [LOADS_PATH, '/metrics'], read: readLoad },
  fullStatuses: [503],
};

/** Reads what its flags switch on: without a parser tools are text, and without determinism a seed changes nothing. */
function readFlags({ tool_call_parser: parser, enable_deterministic_inference: isDeterministic }: Fields): NonNullable<EngineModel['can']> {
  return {
    ...(parser !== undefined && { tools: parser !== null }),
    ...(typeof isDeterministic === 'boolean' && { seed: isDeterministic }),
  };
}

/** Its load stands in `/v1/loads`; older builds tell it in their metrics, where those are on. */
function readLoad(answers: Answers) {
  return toLoad(readLoads(jsonAt(answers, LOADS_PATH)) ?? readGauges(readSamples(textAt(answers, '/metrics') ?? ''), 'sglang'));
}
