/** Reads the prices of one listed model from named fields in one unit. */
import type { ListedPrices } from '#schema/listed-model';
import { toInteger, type ReadAmount } from './decimal.ts';
import { at, type Complain, type Item } from './read-list.ts';

/** Where prices stand; paths, the first that holds something counts. Absent: the list has no such price. */
export interface PricePaths {
  prompt: readonly string[];
  completion: readonly string[];
  cacheRead?: readonly string[];
  cacheWrite?: readonly string[];
  /** USD for each request. */
  request?: readonly string[];
  /** Where dearer steps of a price stand, and dearer kinds of the same tokens; all of them count. */
  dearer?: { readonly [Field in 'prompt' | 'completion' | 'cacheRead' | 'cacheWrite']?: readonly string[] };
}

/** Powers of ten that turn what a list states into pico-USD a token. */
export const PER_TOKEN = 12;
export const PER_MILLION = 6;
/** Ten-thousandths of a USD per million tokens. */
export const TEN_THOUSANDTHS_PER_MILLION = 2;
/** USD to nano-USD. */
const EACH = 9;

/** What a list says that states no price. */
export const NO_PRICES: ListedPrices = {
  promptPicoUsdPerToken: null,
  completionPicoUsdPerToken: null,
  cacheReadPicoUsdPerToken: null,
  cacheWritePicoUsdPerToken: null,
  requestNanoUsd: null,
  unit: null,
};

/**
 * Reads prices whose unit `power` says; `steps` hold the same prices under other conditions. Of several amounts the dearest counts, so that nothing
 * is ever sold below cost. What is negative, absurd or no number makes its price unknown, with a complaint.
 */
export function readPrices(
  item: Item,
  paths: PricePaths,
  power: number,
  { complain, steps = [] }: { complain: Complain; steps?: readonly Item[] },
): ListedPrices {
  const readAt = (place: Item, path: string, as: number): ReadAmount => {
    const found = toInteger(at(place, path), as);
    if (found.kind === 'refused') complain(`\`${path}\` ${found.why}`);
    return found;
  };
  const readFirst = (place: Item, places: readonly string[], as: number): ReadAmount => {
    for (const path of places) {
      const found = readAt(place, path, as);
      if (found.kind !== 'absent') return found;
    }
    return ABSENT;
  };
  const read = (field: keyof NonNullable<PricePaths['dearer']> | 'request', as = power): ReadAmount => {
    const places = paths[field] ?? [];
    const base = readFirst(item, places, as);
    const dearer = field === 'request' ? [] : (paths.dearer?.[field] ?? []);
    return dearestOf(base, [
      ...steps.map((step) => readFirst(step, places, as)),
      ...[item, ...steps].flatMap((place) => dearer.map((path) => readAt(place, path, as))),
    ]);
  };
  const [cacheRead, cacheWrite] = [read('cacheRead'), read('cacheWrite')];
  return {
    promptPicoUsdPerToken: amountOf(read('prompt')),
    completionPicoUsdPerToken: amountOf(read('completion')),
    cacheReadPicoUsdPerToken: amountOf(cacheRead),
    cacheWritePicoUsdPerToken: amountOf(cacheWrite),
    requestNanoUsd: amountOf(read('request', EACH)),
    unit: null,
    ...unreadableOf(cacheRead.kind === 'refused', cacheWrite.kind === 'refused'),
  };
}

const ABSENT: ReadAmount = { kind: 'absent' };

function amountOf(found: ReadAmount): number | null {
  return found.kind === 'amount' ? found.amount : null;
}

/** A price that is stated nowhere but in a step is not stated; one of which a step cannot be read cannot be read. */
function dearestOf(base: ReadAmount, others: readonly ReadAmount[]): ReadAmount {
  if (base.kind !== 'amount') return base;
  const amounts = others.flatMap((other) => (other.kind === 'amount' ? [other.amount] : []));
  return others.find(({ kind }) => kind === 'refused') ?? { kind: 'amount', amount: Math.max(base.amount, ...amounts) };
}

/** Says which prices of the cache stand there and cannot be read. */
export function unreadableOf(isReadRefused: boolean, isWriteRefused: boolean): Pick<ListedPrices, 'unreadable'> {
  if (!isReadRefused && !isWriteRefused) return {};
  return { unreadable: [...(isReadRefused ? (['cacheRead'] as const) : []), ...(isWriteRefused ? (['cacheWrite'] as const) : [])] };
}

/** Zero for prompt and completion means free, unknown or not published: without a word that it is free, it is unknown. */
export function withoutZeros<Prices extends ListedPrices>(prices: Prices, isFree: boolean | null): Prices {
  const isZero = prices.promptPicoUsdPerToken === 0 && prices.completionPicoUsdPerToken === 0;
  return isZero && isFree !== true && prices.unit === null ? { ...prices, ...NO_PRICES } : prices;
}
