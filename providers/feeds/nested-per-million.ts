/** Family C: a specification per model, with prices in USD per million tokens beside the same in a token of the provider's own. */
import type { FeedReading } from '#schema/listed-model';
import type { PriceFeed } from './feed.ts';
import { capabilitiesOf, readFacts } from './read-facts.ts';
import { at, readList, type Item } from './read-list.ts';
import { PER_MILLION, readPrices, withoutZeros, type PricePaths } from './read-prices.ts';

const PRICES: PricePaths = {
  prompt: ['model_spec.pricing.input.usd'],
  completion: ['model_spec.pricing.output.usd'],
  cacheRead: ['model_spec.pricing.cache_input.usd'],
  cacheWrite: ['model_spec.pricing.cache_write.usd'],
};
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

/** Reads a list of nested specifications. Prices that rise with the context count at their first step. */
export function readNestedPerMillion(document: unknown, feed: PriceFeed): FeedReading {
  return readList(document, (item, complain) => {
    const isFree = feed.free === true ? true : null;
    const prices = withoutZeros(readPrices(item, PRICES, PER_MILLION, complain), isFree);
    if (at(item, 'model_spec.pricing.extended') !== undefined) complain('its price has steps; the first is taken');
    const inputs = flagged(item, INPUT_FLAGS);
    const capabilities = capabilitiesOf({ inputs, outputs: [], features: flagged(item, FEATURE_FLAGS) });
    return { ...prices, isFree, ...readFacts(item, FACTS), inputModalities: ['text', ...inputs], capabilities };
  });
}

function flagged(item: Item, flags: Readonly<Record<string, string>>): string[] {
  return Object.entries(flags).flatMap(([flag, word]) => (at(item, `model_spec.capabilities.${flag}`) === true ? [word] : []));
}
