/** Judges a price that an operator asks: it may fall at once, and rises no further than a list's would. Pure; docs/prices.md explains the bounds. */
import type { AskedPrice, PriceVerdict } from '#schema/held-price';
import type { PricedUnit } from '#schema/manifest';
import type { Price } from '#schema/money';
import { excessOf, type DearestKnown } from './asked-bounds.ts';
import { isSamePrice, raises } from './compare-price.ts';

/** A price that one of the operator's endpoints has asked for the model. */
export interface AskedBefore {
  endpointId: string;
  validFromMs: number;
  price: Price;
  /** What the endpoint bills besides tokens; null where nothing. */
  unit: PricedUnit | null;
  /** Whether a manager has written or accepted it. */
  isManagers: boolean;
}

/** What an asked price is looked at beside. */
export interface AskedBeside {
  /** What the operator has asked for the model, by whichever endpoint, in any order. */
  before: readonly AskedBefore[];
  /** What it, and any model, costs at most elsewhere. */
  dearest: DearestKnown;
  /** The price of the endpoint that was held last; null where none ever was. */
  held: { price: Price; seenAtMs: number; decision: 'accepted' | 'rejected' | null } | null;
  /** How many prices its operator has given the endpoint since yesterday. */
  changesToday: number;
  /** When a manager last rejected what the operator asked for the model, by whichever endpoint; absent where never. */
  rejectedAtMs?: number;
}

/** How many prices an operator may give one endpoint in a day. */
const CHANGES_A_DAY_MAX = 20;
/** After a rejection its operator asks nothing more about the model for so long. */
const REJECTED_FOR_MS = 24 * 3_600_000;
/** A price is settled that has held for so long, as for lists. */
const SETTLED_MS = 7 * 24 * 3_600_000;

/**
 * Judges a price. What it is compared with is what the endpoint charges, what it charged a week ago, and what the operator's other endpoints of the
 * model did: another id, another node and coming again make no difference.
 */
export function judgeAsked(asked: AskedPrice, beside: AskedBeside, nowMs: number): PriceVerdict {
  const { endpointId, price, unit } = asked;
  // A price of pictures says nothing about one of characters.
  const before = beside.before.filter((one) => one.unit === unit).sort((one, other) => one.validFromMs - other.validFromMs);
  const own = before.filter((one) => one.endpointId === endpointId);
  const current = own.at(-1)?.price ?? null;
  if (current !== null && isSamePrice(price, current)) return { kind: 'charged' };
  if (beside.changesToday >= CHANGES_A_DAY_MAX) return { kind: 'spent', perDay: CHANGES_A_DAY_MAX };
  if (current !== null && isNoDearer(price, current)) return { kind: 'charged' };

  const settled = settledOf(own, nowMs) ?? own[0]?.price ?? null;
  const usual = usualOf(before, nowMs);
  const excess = excessOf(asked, beside.dearest);
  const lastGood = current ?? usual;
  if (lastGood === null) return excess[0] === undefined ? { kind: 'charged' } : { kind: 'refused', ...excess[0] };
  const reasons = [
    ...excess.map(({ field, sentence }) => `${field}: ${sentence}`),
    ...firstOf(raises(lastGood, price), sinceAWeek(settled, price), sinceAWeek(usual, price)),
  ];
  if (reasons.length === 0) return { kind: 'charged' };
  const { held } = beside;
  // Repeating it makes it no truer: an answer that was given stands, and a question that is open stays open.
  const isTold = held !== null && held.decision !== 'accepted' && isSamePrice(held.price, price);
  const quietUntilMs = (beside.rejectedAtMs ?? -Infinity) + REJECTED_FOR_MS;
  if (!isTold && nowMs < quietUntilMs) return { kind: 'rejected', untilMs: quietUntilMs };
  return {
    kind: 'held',
    charged: lastGood,
    reason: reasons.join('; '),
    seenAtMs: isTold ? null : Math.max(nowMs, (held?.seenAtMs ?? -1) + 1),
  };
}

/** Tells whether nothing of a price is above another. */
function isNoDearer(price: Price, than: Price): boolean {
  const before = amountsOf(than);
  return amountsOf(price).every((amount, place) => amount <= (before[place] ?? 0));
}

/** Without a price of their own, cached tokens cost what others do. */
function amountsOf(price: Price): number[] {
  const { promptPicoUsdPerToken: prompt, completionPicoUsdPerToken: completion, requestNanoUsd, unitPicoUsd = 0 } = price;
  const { cacheReadPicoUsdPerToken: cacheRead = prompt, cacheWritePicoUsdPerToken: cacheWrite = prompt } = price;
  return [prompt, completion, cacheRead, cacheWrite, requestNanoUsd, unitPicoUsd];
}

/** The price that an endpoint charged a week ago, or that a manager has written or accepted since; null where all are younger. Oldest first. */
function settledOf(before: readonly AskedBefore[], nowMs: number): Price | null {
  return before.findLast(({ isManagers, validFromMs }) => isManagers || validFromMs <= nowMs - SETTLED_MS)?.price ?? null;
}

/** The dearest settled price of an operator's endpoints, or else the first that it ever asked: new endpoints settle nothing. Oldest first. */
function usualOf(before: readonly AskedBefore[], nowMs: number): Price | null {
  const endpoints = Map.groupBy(before, ({ endpointId }) => endpointId);
  const settled = [...endpoints.values()].flatMap((rows) => settledOf(rows, nowMs) ?? []);
  const weigh = ({ promptPicoUsdPerToken: prompt, completionPicoUsdPerToken: completion, unitPicoUsd = 0 }: Price) =>
    prompt + completion + unitPicoUsd;
  return settled.toSorted((one, other) => weigh(other) - weigh(one))[0] ?? before[0]?.price ?? null;
}

function sinceAWeek(settled: Price | null, price: Price): string[] {
  return settled === null ? [] : raises(settled, price).map((raised) => `within a week ${raised}`);
}

/** The first list that says anything. */
function firstOf(...lists: readonly string[][]): string[] {
  return lists.find((list) => list.length > 0) ?? [];
}
