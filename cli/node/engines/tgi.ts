/** Text Generation Inference: `/info` with its limits; version 3 tells neither its pool nor a type. It answers 429 when it is full. */
import { readGauges } from '#src/nodes/loads/engine-gauges';
import { readSamples } from '#src/nodes/loads/prometheus';
import { objectAt, textAt, toSize, toText, type Answers } from './answers.ts';
import { toKvCodec, toQuantization } from './codecs.ts';
import { modelNamed, type EngineAdapter } from './engine.ts';
import { toLoad } from './load.ts';

export const tgi: EngineAdapter = {
  name: 'tgi',
  title: 'TGI',
  asks: ['/info', '/metrics'],
  read(answers) {
    const info = objectAt(answers, '/info');
    const id = toText(info?.model_id);
    if (info === null || id === null || !('max_total_tokens' in info)) return null;
    const model = modelNamed(id, {
      context: toSize(info.max_total_tokens),
      quantization: toQuantization(toText(info.quantize), id, toText(info.model_dtype)),
      kvCache: toKvCodec(toText(info.kv_cache_dtype) ?? toText(info.model_dtype)),
      capacity: { poolTokens: toSize(info.max_batch_total_tokens), maxSequences: toSize(info.max_concurrent_requests) },
    });
    return { version: toText(info.version, 60), models: [model] };
  },
  load: { asks: ['/metrics'], read: readLoad },
  fullStatuses: [429],
};

function readLoad(answers: Answers) {
  const samples = readSamples(textAt(answers, '/metrics') ?? '');
  return toLoad(readGauges(samples, 'tgi'));
}
