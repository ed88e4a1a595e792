/** Lists whose price fields have names of their own, on the card: numbers or strings in one unit for all of them. */
import type { FeedReading } from '#schema/listed-model';
import type { PriceFeed } from './feed.ts';
import { readFacts } from './read-facts.ts';
import { readList } from './read-list.ts';
import { readPrices, withoutZeros, type PricePaths } from './read-prices.ts';

/** Reads a list whose unit `power` says, as `read-prices.ts` names powers. The card's paths go before the family's. */
export function readNamedFields(document: unknown, feed: PriceFeed, family: { power: number; prices: PricePaths }): FeedReading {
  const paths = { ...family.prices, ...feed.prices } as PricePaths;
  const facts = {
    context: feed.context ?? ['context_length'],
    maxOutput: feed.maxOutput ?? ['max_output_length', 'max_completion_tokens'],
    quantization: ['quantization'],
  };
  return readList(document, (item, complain) => {
    const isFree = feed.free === true ? true : null;
    return { ...withoutZeros(readPrices(item, paths, family.power, { complain }), isFree), isFree, ...readFacts(item, facts) };
  });
}
