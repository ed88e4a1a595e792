/** What an operator may ask at most. Pure. */
import type { AskedPrice } from '#schema/held-price';
import { PRICED_UNITS, type PricedUnit } from '#schema/manifest';
import { REQUEST_NANO_USD_MAX, TOKEN_PRICE_MAX } from './compare-price.ts';
import { sayUsdPerMillion } from './say-price.ts';

/** The dearest that a model costs here at endpoints that no operator has registered, amount by amount; 0 where nobody states one. */
export interface DearestKnown {
  /** The dearest token of any model. */
  anyPicoUsdPerToken: number;
  promptPicoUsdPerToken: number;
  completionPicoUsdPerToken: number;
  requestNanoUsd: number;
  unitPicoUsd: number;
}

/** What is wrong with one amount; `field` as the manifest calls it. */
export interface Excess {
  field: string;
  sentence: string;
}

/** How many times the dearest known price an operator may ask. */
const DEAREST_FACTOR = 20;
/** Writing to a cache costs up to twice what prompts do wherever it is priced. */
const CACHE_WRITE_MAX = 4;
/** A hundredth of a USD for each request, where nobody else asks anything for one. */
const REQUEST_ALONE_NANO_USD_MAX = 1e7;
/** What one unit costs at most where the model's price is not known, in pico-USD: 1 USD a picture, 0.10 a search, 0.01 a second, 1,000 a million characters. */
const UNIT_PICO_USD_MAX: Readonly<Record<PricedUnit, number>> = { image: 1e12, search: 1e11, second: 1e10, character: 1e9 };

/** Lists what of an asked price is above every bound. */
export function excessOf({ price, unit }: Pick<AskedPrice, 'price' | 'unit'>, dearest: DearestKnown): Excess[] {
  const { promptPicoUsdPerToken: prompt, completionPicoUsdPerToken: completion, cacheReadPicoUsdPerToken: cacheRead } = price;
  const cacheWrite = price.cacheWritePicoUsdPerToken ?? prompt;
  const knownCompletion = Math.max(dearest.promptPicoUsdPerToken, dearest.completionPicoUsdPerToken);
  const any = dearest.anyPicoUsdPerToken;
  return [
    ...tokensAbove('prompt', prompt, { known: dearest.promptPicoUsdPerToken, any }),
    ...tokensAbove('completion', completion, { known: knownCompletion, any }),
    ...(cacheRead !== undefined && cacheRead > prompt
      ? [{ field: 'cache_read', sentence: `cached tokens cost no more than others: at most ${sayTokens(prompt)}` }]
      : []),
    ...(cacheWrite > prompt * CACHE_WRITE_MAX
      ? [
          {
            field: 'cache_write',
            sentence: `writing to the cache costs no more than ${CACHE_WRITE_MAX} times what prompts do: at most ${sayTokens(prompt * CACHE_WRITE_MAX)}`,
          },
        ]
      : []),
    ...above('request', price.requestNanoUsd, {
      known: dearest.requestNanoUsd,
      alone: REQUEST_ALONE_NANO_USD_MAX,
      most: REQUEST_NANO_USD_MAX,
      say: (nanoUsd) => `${nanoUsd / 1e9} USD`,
    }),
    ...(unit === null ? [] : unitAbove(unit, price.unitPicoUsd ?? 0, dearest.unitPicoUsd)),
  ];
}

/** A model that nobody else serves costs no more than any other does. */
function tokensAbove(field: string, asked: number, { known, any }: { known: number; any: number }): Excess[] {
  return above(field, asked, {
    known,
    alone: any === 0 ? TOKEN_PRICE_MAX : any,
    aloneIs: any === 0 ? '' : ', as the dearest model here',
    most: TOKEN_PRICE_MAX,
    say: sayTokens,
  });
}

function sayTokens(picoUsdPerToken: number): string {
  return `${sayUsdPerMillion(picoUsdPerToken)} USD per million tokens`;
}

function unitAbove(unit: PricedUnit, asked: number, known: number): Excess[] {
  const most = UNIT_PICO_USD_MAX[unit];
  const say = (picoUsd: number): string => `${(picoUsd * PRICED_UNITS[unit]) / 1e12} USD`;
  return above(unit, asked, { known, alone: most, most, say });
}

/** Compares with the dearest known amount; with `alone` where none is known; with `most` in any case. */
function above(
  field: string,
  asked: number,
  { known, alone, aloneIs = '', most, say }: { known: number; alone: number; aloneIs?: string; most: number; say(amount: number): string },
): Excess[] {
  const bound = known === 0 ? alone : Math.min(most, known * DEAREST_FACTOR);
  if (asked <= bound) return [];
  const times = bound === most ? '' : `, ${DEAREST_FACTOR} times the dearest that the model is known to cost here`;
  return [{ field, sentence: `${say(asked)} is too much: at most ${say(bound)}${known === 0 ? aloneIs : times}` }];
}
