/** Anything else that speaks OpenAI's API: what `/v1/models` says, and no more. */
import type { EngineAdapter } from './engine.ts';
import { listedModels, readModels } from './listed-models.ts';

export const openai: EngineAdapter = {
  name: 'openai',
  title: 'an OpenAI-compatible server',
  asks: ['/v1/models'],
  read: (answers) => (listedModels(answers) === null ? null : { version: null, models: readModels(answers) }),
  load: null,
  fullStatuses: [429, 503],
};
