/** The model lists, each as its kind of supplier writes them. */
import type { EndpointCard, ModelCard } from './card.ts';

// A fixed date: the lists do not change while the devnet runs.
const CREATED_AT_S = 1_767_225_600;

function toListing(card: EndpointCard, model: ModelCard): Record<string, unknown> {
  const shared = { id: model.upstreamModel, object: 'model', created: CREATED_AT_S };
  if (card.node !== null) {
    return { ...shared, owned_by: 'vllm', root: model.upstreamModel, parent: null, max_model_len: model.context, permission: [] };
  }
  const limits = { owned_by: card.id, context_length: model.context };
  const output = model.operation === 'chat' ? { max_output_length: model.maxOutput } : {};
  if (card.supply !== 'subnet') return { ...shared, ...limits, ...output };
  return { ...shared, ...limits, ...output, root: model.upstreamModel, pricing: toPricing(model) };
}

/** Chutes' way: USD per million tokens, as numbers. */
function toPricing(model: ModelCard): Record<string, number> {
  if (model.operation !== 'chat') return model.price;
  const { prompt, completion, cacheRead = prompt } = model.price;
  return { prompt, completion, input_cache_read: cacheRead };
}

/** Lists the models of an endpoint in the shape of its dialect. */
export function listModels(card: EndpointCard): Record<string, unknown> {
  const devnet = { simulated: true, endpoint: card.id };
  if (card.dialect === 'openai-chat') return { object: 'list', data: card.models.map((model) => toListing(card, model)), devnet };
  const createdAt = new Date(CREATED_AT_S * 1000).toISOString();
  const data = card.models.map(({ id, upstreamModel }) => ({ type: 'model', id: upstreamModel, display_name: id, created_at: createdAt }));
  return { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, devnet };
}
