/** The AI SDK's two ways to a house, with the models that tests ask for. */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { createOpenRouter } from '@openrouter/ai-sdk-provider';
import type { House } from './house.ts';

/** Opens OpenRouter's own provider. */
export function openRouterProvider({ url, key }: House, apiKey = key) {
  const provider = createOpenRouter({ apiKey, baseURL: `${url}/api/v1`, compatibility: 'strict' });
  return {
    chat: (model: string) => provider.chat(model),
    embedding: (model: string) => provider.textEmbeddingModel(model),
    image: (model: string) => provider.imageModel(model),
  };
}

/** Opens the provider for whatever speaks OpenAI's API. */
export function compatibleProvider({ url, key }: House, apiKey = key) {
  const provider = createOpenAICompatible({
    name: 'headrace',
    apiKey,
    baseURL: `${url}/v1`,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  return {
    chat: (model: string) => provider.chatModel(model),
    completion: (model: string) => provider.completionModel(model),
    embedding: (model: string) => provider.embeddingModel(model),
    image: (model: string) => provider.imageModel(model),
  };
}
