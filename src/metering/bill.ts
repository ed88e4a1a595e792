/** What the customer pays for an answer, whoever made which part of it. */
import type { Attempt } from '#schema/attempt';
import { costNanoUsd, type Price } from '#schema/money';
import { NOTHING_USED, type Usage } from '#schema/receipt';

/** What one upstream used for its part of an answer; null prices cannot be charged. */
export interface Part {
  price: Price | null;
  usage: Usage;
  /** It was called with the team's own key: the upstream bills the team, so nothing is charged. Absent means no. */
  isByok?: boolean;
}

/** What an answer used in all, and what it costs. Amounts in nano-USD. */
export interface Bill {
  usage: Usage;
  totalNanoUsd: number;
  /** The prompt's share of it. */
  promptNanoUsd: number;
  /** Absent where the house's keys served. */
  byok?: ByokCost;
}

/** What a team's own keys were billed, at list price, and the prompts' share of it. Nano-USD. */
export interface ByokCost {
  totalNanoUsd: number;
  promptNanoUsd: number;
}

/**
 * Bills the parts of one answer, in order. The prompt is paid once, to the first that read it and said something; of the others only what they
 * said. That they had to read what was there already is the house's trouble (DESIGN §5.6), as is what they charge for being asked at all.
 * A team's own key is billed by its upstream for everything, also for prompts that came to nothing: `lostByokNanoUsd`.
 */
export function billOf(parts: readonly Part[], lostByokNanoUsd = 0): Bill {
  const reader = Math.max(
    0,
    parts.findIndex(({ usage }) => usage.promptTokens > 0),
  );
  const bill: Bill = { usage: { ...NOTHING_YET }, totalNanoUsd: 0, promptNanoUsd: 0 };
  if (lostByokNanoUsd > 0) bill.byok = { totalNanoUsd: lostByokNanoUsd, promptNanoUsd: lostByokNanoUsd };
  for (const [place, { price, usage, isByok }] of parts.entries()) {
    const billed = place === reader ? usage : { ...usage, promptTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
    bill.usage = sum(bill.usage, billed);
    if (isByok === true) bill.byok = addByok(bill.byok, price, usage);
    if (price === null || isByok === true) continue;
    const terms = place === reader ? price : { ...price, requestNanoUsd: 0 };
    bill.totalNanoUsd += costNanoUsd(terms, billed);
    bill.promptNanoUsd += promptNanoUsd(price, billed);
  }
  return bill;
}

/**
 * Sums what a team's own keys were billed for prompts that came to nothing, at list price: an upstream that was left for a faster one, or whose
 * client had gone, has read them all the same (M7).
 */
export function lostByokOf(trail: readonly Attempt[], priceOf: (endpointId: string) => Price | null): number {
  return trail.reduce((sum, { byok, endpointId, promptTokens }) => {
    const price = byok === true && promptTokens > 0 ? priceOf(endpointId) : null;
    return price === null ? sum : sum + promptNanoUsd(price, { ...NOTHING_USED, promptTokens });
  }, 0);
}

function addByok(sum: ByokCost | undefined, price: Price | null, usage: Usage): ByokCost {
  const before = sum ?? { totalNanoUsd: 0, promptNanoUsd: 0 };
  if (price === null) return before;
  return {
    totalNanoUsd: before.totalNanoUsd + costNanoUsd(price, usage),
    promptNanoUsd: before.promptNanoUsd + promptNanoUsd(price, usage),
  };
}

function promptNanoUsd(price: Price, usage: Usage): number {
  return costNanoUsd({ ...price, requestNanoUsd: 0 }, { ...usage, completionTokens: 0, units: 0 });
}

const NOTHING_YET: Usage = {
  source: 'reported',
  promptTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
};

/** A sum of which any part was counted by us is not reported. */
function sum(one: Usage, other: Usage): Usage {
  const units = one.units ?? other.units;
  return {
    source: one.source === 'counted' ? 'counted' : other.source,
    promptTokens: one.promptTokens + other.promptTokens,
    completionTokens: one.completionTokens + other.completionTokens,
    reasoningTokens: one.reasoningTokens + other.reasoningTokens,
    cacheReadTokens: one.cacheReadTokens + other.cacheReadTokens,
    cacheWriteTokens: one.cacheWriteTokens + other.cacheWriteTokens,
    ...(units !== undefined && { units: (one.units ?? 0) + (other.units ?? 0) }),
  };
}
