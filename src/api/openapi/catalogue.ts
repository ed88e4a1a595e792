/** Models, endpoints and providers. */
import { endpointList, modelEndpoints, providerList } from '#schema/answers/endpoints';
import { model, modelCount, modelData, modelList } from '#schema/answers/models';
import { embeddingModelsQuery, modelsQuery } from '../models-query.ts';
import type { Description } from './description.ts';

const open = { tag: 'Catalogue', key: 'optional' } as const;

export const listModels: Description = {
  ...open,
  id: 'listModels',
  summary: 'List models',
  text: 'Text models unless `output_modalities` says otherwise; `all` lists every model. A model is listed when an endpoint of it can be called.',
  query: modelsQuery,
  example: { supported_parameters: 'tools', sort: 'pricing-low-to-high', limit: '5' },
  answer: modelList,
};

export const countModels: Description = {
  ...open,
  id: 'countModels',
  summary: 'Count models',
  query: modelsQuery,
  answer: modelCount,
};

export const listUserModels: Description = {
  id: 'listUserModels',
  tag: 'Catalogue',
  summary: 'List the models that a key can use',
  text: 'Of all models those that the key and the policies in force leave some endpoint for.',
  key: 'inference',
  query: modelsQuery,
  answer: modelList,
};

export const listEmbeddingModels: Description = {
  ...open,
  id: 'listEmbeddingModels',
  summary: 'List models that embed',
  query: embeddingModelsQuery,
  answer: modelList,
};

export const retrieveModel: Description = {
  ...open,
  id: 'retrieveModel',
  summary: 'Describe a model, as OpenAI’s clients ask',
  text: 'By id or alias.',
  answer: model,
};

export const getModel: Description = {
  ...open,
  id: 'getModel',
  summary: 'Describe a model, as OpenRouter’s clients ask',
  text: 'By id or alias.',
  answer: modelData,
};

export const listModelEndpoints: Description = {
  ...open,
  id: 'listModelEndpoints',
  summary: 'List the endpoints of a model',
  text: 'Who serves it, on which terms, and how they have done lately. `headrace` holds supply, privacy tier and who vouches for it, jurisdiction and KV codec.',
  path: '/models/{author}/{slug}/endpoints',
  answer: modelEndpoints,
};

export const listZdrEndpoints: Description = {
  ...open,
  id: 'listZdrEndpoints',
  summary: 'List endpoints that retain nothing',
  text: 'Those that can be called and whose claims reach `zero_retention`.',
  answer: endpointList,
};

export const listProviders: Description = { ...open, id: 'listProviders', summary: 'List providers', answer: providerList };
