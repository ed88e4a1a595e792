/** Family H: one list over several providers, each with its own price per million tokens. Its ids are those of a model hub, not the providers' own. */
import type { FeedReading } from '#schema/listed-model';
import type { PriceFeed } from './feed.ts';
import { readFacts } from './read-facts.ts';
import { at, isItem, readList, type Item } from './read-list.ts';
import { PER_MILLION, readPrices, withoutZeros, type PricePaths } from './read-prices.ts';

const PRICES: PricePaths = { prompt: ['pricing.input'], completion: ['pricing.output'] };
const FACTS = { context: ['context_length'], maxOutput: [], quantization: [] };

/** Reads what one provider offers there, where that is live. */
export function readHubRouter(document: unknown, feed: PriceFeed): FeedReading {
  return readList(document, (item, complain) => {
    const offer = offerOf(item, feed.provider);
    if (offer === null) return null;
    const isFree = feed.free === true ? true : null;
    const prices = withoutZeros(readPrices(offer, PRICES, PER_MILLION, { complain }), isFree);
    return {
      ...prices,
      isFree,
      ...readFacts({ ...offer, id: item.id, architecture: item.architecture, supported_features: featuresOf(offer) }, FACTS),
    };
  });
}

function offerOf({ providers }: Item, provider: string | undefined): Item | null {
  const offers = Array.isArray(providers) ? providers.filter(isItem) : [];
  return offers.find((offer) => offer.provider === provider && at(offer, 'status') === 'live') ?? null;
}

function featuresOf(offer: Item): string[] {
  return [
    ...(offer.supports_tools === true ? ['tools'] : []),
    ...(offer.supports_structured_output === true ? ['structured_outputs'] : []),
  ];
}
