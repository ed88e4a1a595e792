/**
 * Family G, OpenRouter's typed list (schema version 2.x): what goes in and what comes out are objects, each with price entries
 * `{type, unit, cost_usd}`; prices of a whole request stand at the root.
 */
import type { FeedReading, ListedPrices } from '#schema/listed-model';
import type { PricedUnit } from '#schema/manifest';
import { toInteger, type ReadAmount } from './decimal.ts';
import { lessDiscount } from './discount.ts';
import type { PriceFeed } from './feed.ts';
import { aliasesOf, capabilitiesOf, nameOf, quantizationOf, tokensOf, type ListedFacts } from './read-facts.ts';
import { at, isItem, readList, type Complain, type Item } from './read-list.ts';
import { PER_TOKEN, unreadableOf, withoutZeros } from './read-prices.ts';

/** USD to pico-USD for one of a unit, and to nano-USD for a request. */
const PICO = 12;
const NANO = 9;
const ENTRIES_MAX = 100;

/** What is billed besides tokens: where its price stands, by the kind of output. */
const UNIT_PRICES: readonly { output: string; unit: PricedUnit; side: 'input' | 'output' | 'root'; on?: string }[] = [
  { output: 'image', unit: 'image', side: 'output', on: 'image' },
  { output: 'speech', unit: 'character', side: 'input', on: 'text' },
  { output: 'transcription', unit: 'second', side: 'input', on: 'audio' },
  { output: 'rerank', unit: 'search', side: 'root' },
];

/** Reads OpenRouter's typed list. Models that say that they are not ready are left out. */
export function readOpenRouterV2(document: unknown, feed: Pick<PriceFeed, 'free'>): FeedReading {
  return readList(document, (item, complain) => {
    if (item.is_ready === false) return null;
    const sides = { input: entriesOf(item.input_modalities), output: entriesOf(item.output_modalities) };
    if (!String(item.schema_version).startsWith('2.') || sides.input.length === 0 || sides.output.length === 0)
      complain('is not written in version 2 of the format');
    const isFree = feed.free === true || item.is_free === true ? true : null;
    const prices = lessDiscount(pricesOf(item, sides, complain), item.discount_to_user, complain);
    return { ...withoutZeros(prices, isFree), isFree, ...factsOf(item, sides) };
  });
}

interface Sides {
  input: readonly Item[];
  output: readonly Item[];
}

function pricesOf(item: Item, { input, output }: Sides, complain: Complain): ListedPrices {
  const textIn = pricingOf(input, 'text');
  const textOut = pricingOf(output, 'text');
  const find = (entries: readonly Item[], type: string, unit: string, power: number): number | null =>
    dearest(ofType(entries, type, unit), { type, power, complain });
  const isRefused = (type: string): boolean =>
    ofType(textIn, type, 'token')
      .flatMap(costsOf)
      .some((cost) => readCost(cost, PER_TOKEN).kind === 'refused');
  // What is thought is billed with what is said.
  const answered = ofType(textOut, 'completion', 'token');
  const thought = answered.length === 0 ? [] : ofType(textOut, 'internal_reasoning', 'token');
  const completion = dearest([...answered, ...thought], { type: 'completion', power: PER_TOKEN, complain });
  return {
    promptPicoUsdPerToken: find(textIn, 'prompt', 'token', PER_TOKEN),
    // What answers with numbers or rankings bills nothing for them.
    completionPicoUsdPerToken: completion ?? (answered.length === 0 && answersUnbilled(output) ? 0 : null),
    cacheReadPicoUsdPerToken: find(textIn, 'cached_prompt', 'token', PER_TOKEN),
    cacheWritePicoUsdPerToken: find(textIn, 'cache_write', 'token', PER_TOKEN),
    requestNanoUsd: find(entriesOf(item.pricing), 'request', 'request', NANO),
    unit: unitPriceOf(item, { input, output }, complain),
    ...unreadableOf(isRefused('cached_prompt'), isRefused('cache_write')),
  };
}

function answersUnbilled(output: readonly Item[]): boolean {
  return output.length > 0 && output.every(({ type }) => type === 'embeddings' || type === 'rerank');
}

function unitPriceOf(item: Item, sides: Sides, complain: Complain): ListedPrices['unit'] {
  for (const { output, unit, side, on } of UNIT_PRICES) {
    if (!sides.output.some(({ type }) => type === output)) continue;
    const entries = side === 'root' || on === undefined ? entriesOf(item.pricing) : pricingOf(sides[side], on);
    const picoUsd = dearest(
      entries.filter((entry) => entry.unit === unit),
      { type: unit, power: PICO, complain },
    );
    if (picoUsd !== null) return { unit, picoUsd };
  }
  return null;
}

/** Several costs of one kind are steps or times of the day: the dearest counts, so that nothing is ever sold below cost. */
function dearest(entries: readonly Item[], { type, power, complain }: { type: string; power: number; complain: Complain }): number | null {
  const costs = entries.flatMap(costsOf);
  if (costs.length > 1 || entries.some(({ utc_start: start }) => start != null))
    complain(`the price \`${type}\` has steps or times; the dearest is taken`);
  const amounts = costs.map((cost) => readCost(cost, power));
  const refused = amounts.find((amount) => amount.kind === 'refused');
  if (refused !== undefined) {
    complain(`the price \`${type}\` ${refused.why}`);
    return null;
  }
  const stated = amounts.flatMap((amount) => (amount.kind === 'amount' ? [amount.amount] : []));
  return stated.length === 0 ? null : Math.max(...stated);
}

/** What an entry costs: what it states, and what it states under other conditions, where each must state something. */
function costsOf({ cost_usd: cost, overrides }: Item): unknown[] {
  if (overrides == null) return [cost];
  if (!Array.isArray(overrides) || overrides.length > ENTRIES_MAX) return [cost, UNREADABLE];
  return [cost, ...overrides.map((override) => at(override, 'cost_usd') ?? UNREADABLE)];
}

const UNREADABLE = 'a step without a price';

function readCost(cost: unknown, power: number): ReadAmount {
  return cost === UNREADABLE ? { kind: 'refused', why: 'has a step that states no price' } : toInteger(cost, power);
}

function ofType(entries: readonly Item[], type: string, unit: string): Item[] {
  return entries.filter((entry) => entry.type === type && entry.unit === unit);
}

function factsOf(item: Item, { input, output }: Sides): ListedFacts {
  const text = input.find(({ type }) => type === 'text');
  const answer = output.find(({ type }) => type === 'text');
  const types = (side: readonly Item[]): string[] => side.map(({ type }) => type).filter((type) => typeof type === 'string');
  const parameters = at(answer, 'supported_parameters');
  const features = isItem(parameters) ? Object.keys(parameters).slice(0, ENTRIES_MAX) : [];
  return {
    name: nameOf(item.name),
    aliases: aliasesOf(at(item, 'openrouter.slug'), item.hugging_face_id, item.id),
    context: lengthOf(at(text, 'supported_inputs.max_context_length')),
    maxOutput: lengthOf(at(answer, 'max_length')),
    quantization: quantizationOf(item.quantization),
    inputModalities: types(input),
    outputModalities: types(output),
    capabilities: capabilitiesOf({ inputs: types(input), outputs: types(output), features }),
  };
}

/** Reads `{ value, unit: "token" }` or a bare number. */
function lengthOf(length: unknown): number | null {
  if (!isItem(length)) return tokensOf(length);
  return length.unit === undefined || length.unit === 'token' ? tokensOf(length.value) : null;
}

function pricingOf(side: readonly Item[], type: string): Item[] {
  return side.filter((entry) => entry.type === type).flatMap((entry) => entriesOf(entry.pricing));
}

function entriesOf(value: unknown): Item[] {
  return Array.isArray(value) ? value.slice(0, ENTRIES_MAX).filter(isItem) : [];
}
