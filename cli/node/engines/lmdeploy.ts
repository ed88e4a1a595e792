/** LMDeploy: known by its list of models, or by its metrics where they are on. It lets requests wait without a word. */
import { readGauges } from '#src/nodes/loads/engine-gauges';
import { readSamples } from '#src/nodes/loads/prometheus';
import { textAt, type Answers } from './answers.ts';
import type { EngineAdapter } from './engine.ts';
import { listedModels, readModels } from './listed-models.ts';
import { toLoad } from './load.ts';

export const lmdeploy: EngineAdapter = {
  name: 'lmdeploy',
  title: 'LMDeploy',
  asks: ['/v1/models', '/metrics'],
  read(answers) {
    const samples = readSamples(textAt(answers, '/metrics') ?? '');
    const isOurs =
      samples.some(({ name }) => name.startsWith('lmdeploy:')) || listedModels(answers)?.some((entry) => entry.owned_by === 'lmdeploy');
    return isOurs === true ? { version: null, models: readModels(answers) } : null;
  },
  load: { asks: ['/metrics'], read: readLoad },
  fullStatuses: [],
};

function readLoad(answers: Answers) {
  const samples = readSamples(textAt(answers, '/metrics') ?? '');
  return toLoad(readGauges(samples, 'lmdeploy'));
}
