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

/** Reads prices whose unit `power` says. What is negative, absurd or no number is unknown, with a complaint. */
export function readPrices(item: Item, paths: PricePaths, power: number, complain: Complain): ListedPrices {
  const read = (places: readonly string[] = [], as = power): ReadAmount => {
    for (const path of places) {
      const found = toInteger(at(item, path), as);
      if (found.kind === 'refused') complain(`\`${path}\` ${found.why}`);
      if (found.kind !== 'absent') return found;
    }
    return { kind: 'absent' };
  };
  const amountOf = (found: ReadAmount): number | null => (found.kind === 'amount' ? found.amount : null);
  const [cacheRead, cacheWrite] = [read(paths.cacheRead), read(paths.cacheWrite)];
  return {
    promptPicoUsdPerToken: amountOf(read(paths.prompt)),
    completionPicoUsdPerToken: amountOf(read(paths.completion)),
    cacheReadPicoUsdPerToken: amountOf(cacheRead),
    cacheWritePicoUsdPerToken: amountOf(cacheWrite),
    requestNanoUsd: amountOf(read(paths.request, EACH)),
    unit: null,
    ...unreadableOf(cacheRead.kind === 'refused', cacheWrite.kind === 'refused'),
  };
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
