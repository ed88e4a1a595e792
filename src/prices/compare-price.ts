/** Compares the price that is charged with the one that a list states. Pure; docs/prices.md explains the bounds. */
import type { ListedModel, ListedPrices } from '#schema/listed-model';
import { toUsd, type Price } from '#schema/money';
import { sayFactor, sayUsdPerMillion } from './say-price.ts';

/** A price that rises or falls by more than this at once is looked at by a person. */
const JUMP_MAX = 3;
/** Discounts on cached tokens of 90 % and more are usual, and come and go; what cached tokens cost may fall this far. */
const CACHE_FALL_MAX = 50;
/** A first price may be this far from what the model costs elsewhere: speed tiers and bargains are. */
const UNUSUAL_MAX = 10;
/** 1,000 USD per million tokens: no model costs that. */
export const TOKEN_PRICE_MAX = 1e9;
/** A tenth of a USD for each request. */
export const REQUEST_NANO_USD_MAX = 1e8;
/** What the manifest takes at most: a million USD per million tokens, a thousand for each request, a hundred for one unit. Beyond is no price. */
const CHARGED_MAX = 1e12;
const UNIT_CHARGED_MAX = 1e14;

/** What a list says of one price. */
export type Comparison =
  | { kind: 'unlisted' }
  | { kind: 'same' }
  /** It may hold from now on. */
  | { kind: 'change'; price: Price }
  /** A person decides; the reason is a clause for them. */
  | { kind: 'held'; price: Price; reason: string };

/** What kinds of prices a list states at all: one that never speaks of the cache says nothing by leaving it out. */
export interface ListScope {
  statesCacheRead: boolean;
  statesCacheWrite: boolean;
}

/** Finds out which prices a list states. */
export function scopeOf(models: readonly ListedPrices[]): ListScope {
  return {
    statesCacheRead: models.some((model) => model.cacheReadPicoUsdPerToken !== null),
    statesCacheWrite: models.some((model) => model.cacheWritePicoUsdPerToken !== null),
  };
}

/** What a price is looked at beside, apart from the one that is charged. */
export interface PriceSurroundings {
  /** What the model's prompts cost elsewhere, in pico-USD a token; null where nobody knows. */
  usualPrompt?: number | null;
  /** The price that held a week ago, or that was written or accepted by people since; null where there is none. */
  settled?: Price | null;
}

/**
 * Compares the known price (null: none) with a listed one. A list that states no whole price, or none that could be charged, changes nothing.
 * What has crept far from the settled price in small steps is held as a jump is.
 */
export function comparePrice(
  known: Price | null,
  listed: ListedModel,
  scope: ListScope,
  { usualPrompt = null, settled = null }: PriceSurroundings = {},
): Comparison {
  const price = toPrice(known, listed, scope);
  if (price === null || !isChargeable(price)) return { kind: 'unlisted' };
  if (known !== null && isSamePrice(known, price)) return { kind: 'same' };
  const steps = known === null ? oddities(price, listed, usualPrompt) : jumps(known, price);
  const reasons = [...absurdities(price), ...(steps.length > 0 || settled === null ? steps : drifts(settled, price))];
  return reasons.length === 0 ? { kind: 'change', price } : { kind: 'held', price, reason: reasons.join('; ') };
}

/** Tells whether two prices charge the same. */
export function isSamePrice(one: Price, other: Price): boolean {
  return (
    one.promptPicoUsdPerToken === other.promptPicoUsdPerToken &&
    one.completionPicoUsdPerToken === other.completionPicoUsdPerToken &&
    one.cacheReadPicoUsdPerToken === other.cacheReadPicoUsdPerToken &&
    one.cacheWritePicoUsdPerToken === other.cacheWritePicoUsdPerToken &&
    one.requestNanoUsd === other.requestNanoUsd &&
    one.unitPicoUsd === other.unitPicoUsd
  );
}

/** Completes what is listed: prices of the cache and of a request stay as they are where the list never speaks of them. */
function toPrice(known: Price | null, listed: ListedPrices, scope: ListScope): Price | null {
  const byUnit = listed.unit !== null;
  const prompt = listed.promptPicoUsdPerToken ?? (byUnit ? 0 : null);
  const completion = listed.completionPicoUsdPerToken ?? (byUnit ? 0 : null);
  if (prompt === null || completion === null) return null;
  const endsRead = scope.statesCacheRead && listed.unreadable?.includes('cacheRead') !== true;
  const endsWrite = scope.statesCacheWrite && listed.unreadable?.includes('cacheWrite') !== true;
  const cacheRead = listed.cacheReadPicoUsdPerToken ?? (endsRead ? undefined : known?.cacheReadPicoUsdPerToken);
  const cacheWrite = listed.cacheWritePicoUsdPerToken ?? (endsWrite ? undefined : known?.cacheWritePicoUsdPerToken);
  return {
    promptPicoUsdPerToken: prompt,
    completionPicoUsdPerToken: completion,
    ...(cacheRead !== undefined && { cacheReadPicoUsdPerToken: cacheRead }),
    ...(cacheWrite !== undefined && { cacheWritePicoUsdPerToken: cacheWrite }),
    requestNanoUsd: listed.requestNanoUsd ?? known?.requestNanoUsd ?? 0,
    ...(listed.unit !== null && { unitPicoUsd: listed.unit.picoUsd }),
  };
}

function isChargeable({ unitPicoUsd = 0, ...price }: Price): boolean {
  return unitPicoUsd <= UNIT_CHARGED_MAX && Object.values(price).every((amount) => (amount ?? 0) <= CHARGED_MAX);
}

/** What no price should be, whatever it was before. */
function absurdities(price: Price): string[] {
  const { promptPicoUsdPerToken: prompt, completionPicoUsdPerToken: completion, cacheReadPicoUsdPerToken: cacheRead } = price;
  const dear = [prompt, completion, price.cacheWritePicoUsdPerToken ?? 0].filter((amount) => amount > TOKEN_PRICE_MAX);
  return [
    ...dear.slice(0, 1).map((amount) => `${sayUsdPerMillion(amount)} USD per million tokens is more than any model costs`),
    ...(prompt === 0 && completion === 0 && price.unitPicoUsd === undefined ? ['it would be free'] : []),
    ...(prompt === 0 && completion > 0 ? ['its prompts would be free'] : []),
    ...(cacheRead !== undefined && cacheRead > prompt ? ['cached tokens would cost more than others'] : []),
    ...(cacheRead === 0 && prompt > 0 ? ['cached tokens would be free'] : []),
    ...(price.requestNanoUsd > REQUEST_NANO_USD_MAX ? [`${toUsd(price.requestNanoUsd)} USD for each request`] : []),
  ];
}

/** A first price that no chat has, or that is far from what the model costs elsewhere. */
function oddities(
  { promptPicoUsdPerToken: prompt, completionPicoUsdPerToken: completion }: Price,
  listed: ListedModel,
  usual: number | null,
): string[] {
  const isFar = usual !== null && prompt !== 0 && (prompt > usual * UNUSUAL_MAX || prompt * UNUSUAL_MAX < usual);
  if (isFar)
    return [
      `its prompts cost ${sayUsdPerMillion(prompt)} USD per million tokens, and ${sayUsdPerMillion(usual)} elsewhere${sayFactor(usual, prompt)}`,
    ];
  const answersForNothing = prompt > 0 && completion === 0 && listed.capabilities.includes('chat');
  return answersForNothing ? ['its answers would be free'] : [];
}

/** What has changed within a week by more than prices do, though no step of it was a jump. */
function drifts(settled: Price, price: Price): string[] {
  return jumps(settled, price).map((jumped) => `within a week ${jumped}`);
}

/** Says which amounts of a price rise by more than prices do; however far others fall. */
export function raises(known: Price, price: Price): string[] {
  return jumps(known, price, { fall: Infinity, cacheFall: Infinity });
}

/** What changes by more than prices do. */
function jumps(known: Price, price: Price, { fall, cacheFall } = { fall: JUMP_MAX, cacheFall: CACHE_FALL_MAX }): string[] {
  return [
    ...jump('the prompt price', known.promptPicoUsdPerToken, price.promptPicoUsdPerToken, fall),
    ...jump('the completion price', known.completionPicoUsdPerToken, price.completionPicoUsdPerToken, fall),
    ...cacheJump('the price of cached tokens', 'cacheReadPicoUsdPerToken', { known, price, fall: cacheFall }),
    ...cacheJump('the price of writing to the cache', 'cacheWritePicoUsdPerToken', { known, price, fall: cacheFall }),
    ...(isJump(known.requestNanoUsd, price.requestNanoUsd, fall)
      ? [`the price of a request goes from ${toUsd(known.requestNanoUsd)} to ${toUsd(price.requestNanoUsd)} USD`]
      : []),
    ...(isJump(known.unitPicoUsd ?? 0, price.unitPicoUsd ?? 0, fall)
      ? [`the price of one unit goes from ${(known.unitPicoUsd ?? 0) / 1e12} to ${(price.unitPicoUsd ?? 0) / 1e12} USD`]
      : []),
  ];
}

/** Without a price of their own, cached tokens cost what others do. */
function cacheJump(
  what: string,
  field: 'cacheReadPicoUsdPerToken' | 'cacheWritePicoUsdPerToken',
  { known, price, fall }: { known: Price; price: Price; fall: number },
): string[] {
  if (known[field] === undefined && price[field] === undefined) return [];
  return jump(what, known[field] ?? known.promptPicoUsdPerToken, price[field] ?? price.promptPicoUsdPerToken, fall);
}

function jump(what: string, from: number, to: number, fallMax: number): string[] {
  if (!isJump(from, to, fallMax)) return [];
  return [`${what} goes from ${sayUsdPerMillion(from)} to ${sayUsdPerMillion(to)} USD per million tokens${sayFactor(from, to)}`];
}

/** From nothing and to nothing is further than any factor. */
function isJump(from: number, to: number, fallMax: number): boolean {
  return to > from * JUMP_MAX || to * fallMax < from;
}
