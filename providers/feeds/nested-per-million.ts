/** Family C: a specification per model, with prices in USD per million tokens beside the same in a token of the provider's own. */
import type { FeedReading } from '#schema/listed-model';
import type { PriceFeed } from './feed.ts';
import { capabilitiesOf, readFacts } from './read-facts.ts';
import { at, readList, type Item } from './read-list.ts';
import { NO_PRICES, PER_MILLION, readPrices, withoutZeros, type PricePaths } from './read-prices.ts';

const PRICES: PricePaths = {
  prompt: ['model_spec.pricing.input.usd'],
  completion: ['model_spec.pricing.output.usd'],
  cacheRead: ['model_spec.pricing.cache_input.usd'],
  cacheWrite: ['model_spec.pricing.cache_write.usd'],
  dearer: {
    prompt: ['model_spec.pricing.extended.input.usd'],
    completion: ['model_spec.pricing.extended.output.usd'],
    cacheRead: ['model_spec.pricing.extended.cache_input.usd'],
    cacheWrite: ['model_spec.pricing.extended.cache_write.usd'],
  },
};
/** What a step says that says anything of prices. */
const STEPPED = ['input.usd', 'output.usd'];
const FACTS = {
  context: ['model_spec.availableContextTokens'],
  maxOutput: ['model_spec.maxCompletionTokens'],
  quantization: ['model_spec.capabilities.quantization'],
};
/** Its flags, as the words that other lists use. */
const INPUT_FLAGS = { supportsVision: 'image', supportsAudioInput: 'audio', supportsVideoInput: 'video' };
const FEATURE_FLAGS = {
  supportsFunctionCalling: 'tools',
  supportsResponseSchema: 'structured_outputs',
  supportsLogProbs: 'logprobs',
  supportsReasoning: 'reasoning',
};

/** Reads a list of nested specifications. Prices that rise with the context count at their dearest step. */
export function readNestedPerMillion(document: unknown, feed: PriceFeed): FeedReading {
  return readList(document, (item, complain) => {
    const isFree = feed.free === true ? true : null;
    const extended = at(item, 'model_spec.pricing.extended');
    const isKnown = extended === undefined || STEPPED.some((path) => at(extended, path) !== undefined);
    if (extended !== undefined)
      complain(isKnown ? 'its price has steps; the dearest is taken' : 'its price has steps that are not stated: none is taken');
    const prices = isKnown ? withoutZeros(readPrices(item, PRICES, PER_MILLION, { complain }), isFree) : NO_PRICES;
    const inputs = flagged(item, INPUT_FLAGS);
    const capabilities = capabilitiesOf({ inputs, outputs: [], features: flagged(item, FEATURE_FLAGS) });
    return { ...prices, isFree, ...readFacts(item, FACTS), inputModalities: ['text', ...inputs], capabilities };
  });
}

function flagged(item: Item, flags: Readonly<Record<string, string>>): string[] {
  return Object.entries(flags).flatMap(([flag, word]) => (at(item, `model_spec.capabilities.${flag}`) === true ? [word] : []));
}
