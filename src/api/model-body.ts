/** Models in OpenRouter's words (openapi, `Model`), with our own facts beside them. */
import type { Capability, Model, ModelEntry, Offer } from '#schema/catalog';
import { sumOfPrices, toPricing, toUnitPrice } from './pricing-body.ts';

/** Parameters of endpoints that generate text. */
const TEXT_PARAMETERS = ['max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'stop', 'frequency_penalty', 'presence_penalty'];

/** OpenRouter's parameter names by our capability. */
const PARAMETERS: Partial<Record<Capability, readonly string[]>> = {
  chat: TEXT_PARAMETERS,
  completion: TEXT_PARAMETERS,
  tools: ['tools', 'tool_choice', 'parallel_tool_calls'],
  json_object: ['response_format'],
  json_schema: ['response_format', 'structured_outputs'],
  logprobs: ['logprobs', 'top_logprobs'],
  seed: ['seed'],
  reasoning: ['reasoning', 'include_reasoning', 'reasoning_effort'],
};

/** What Anthropic's API has no words for. */
const PENALTIES: ReadonlySet<string> = new Set(['frequency_penalty', 'presence_penalty']);

/** OpenRouter's word for a modality where it differs from the catalogue's. */
const MODALITY_WORDS: Readonly<Record<string, string>> = { pdf: 'file' };

/** Lists the request parameters that offers support together, in OpenRouter's names. */
export function supportedParameters(offers: readonly Offer[]): string[] {
  return [...new Set(offers.flatMap(parametersOf))];
}

function parametersOf({ operations, capabilities }: Offer): string[] {
  const parameters = [...operations, ...capabilities].flatMap((name) => PARAMETERS[name] ?? []);
  return capabilities.has('messages') ? parameters.filter((name) => !PENALTIES.has(name)) : parameters;
}

/** Describes what goes into a model and what comes out. */
export function toArchitecture({ inputModalities, outputModalities }: Model) {
  const inputs = [...new Set(inputModalities.map((kind) => MODALITY_WORDS[kind] ?? kind))];
  return {
    modality: `${inputs.join('+')}->${outputModalities.join('+')}`,
    input_modalities: inputs,
    output_modalities: outputModalities,
    tokenizer: 'Other',
    instruct_type: null,
  };
}

/** Finds the cheapest offer; unpriced ones come last. */
function cheapest(offers: readonly Offer[]): Offer | undefined {
  const sum = ({ price }: Offer) => (price ? sumOfPrices(price) : Infinity);
  return offers.reduce<Offer | undefined>((best, offer) => (best === undefined || sum(offer) < sum(best) ? offer : best), undefined);
}

/** Describes a model by the offers that the asker may use. Priced as its cheapest offer, sized as its largest. */
export function toModelBody({ model, offers }: ModelEntry) {
  const contexts = offers.map((offer) => offer.context);
  const outputs = offers.flatMap(({ maxOutput }) => (maxOutput === null ? [] : [maxOutput]));
  const context = contexts.length > 0 ? Math.max(...contexts) : model.context;
  const pricedAs = cheapest(offers);
  return {
    id: model.id,
    object: 'model',
    owned_by: model.id.split('/')[0] ?? model.id,
    canonical_slug: model.id,
    name: model.name,
    created: model.createdAtS,
    context_length: context,
    architecture: toArchitecture(model),
    pricing: toPricing(pricedAs),
    top_provider: { context_length: context, max_completion_tokens: outputs.length > 0 ? Math.max(...outputs) : null, is_moderated: false },
    per_request_limits: null,
    supported_parameters: supportedParameters(offers),
    default_parameters: null,
    supported_voices: null,
    links: { details: `/api/v1/models/${model.id}/endpoints` },
    headrace: {
      supply: [...new Set(offers.map((offer) => offer.supply))],
      operations: [...new Set(offers.flatMap((offer) => [...offer.operations]))],
      endpoints: offers.length,
      unit_price: pricedAs ? toUnitPrice(pricedAs) : null,
    },
  };
}
