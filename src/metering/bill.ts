/** What the customer pays for an answer, whoever made which part of it. */
import { costNanoUsd, type Price } from '#schema/money';
import type { Usage } from '#schema/receipt';

/** What one upstream used for its part of an answer; null prices cannot be charged. */
export interface Part {
  price: Price | null;
  usage: Usage;
}

/** What an answer used in all, and what it costs. Amounts in nano-USD. */
export interface Bill {
  usage: Usage;
  totalNanoUsd: number;
  /** The prompt's share of it. */
  promptNanoUsd: number;
}

/**
 * Bills the parts of one answer, in order. The prompt is paid once, to the first that read it and said something; of the others only what they
 * said. That they had to read what was there already is the house's trouble (DESIGN §5.6), as is what they charge for being asked at all.
 */
export function billOf(parts: readonly Part[]): Bill {
  const reader = Math.max(
    0,
    parts.findIndex(({ usage }) => usage.promptTokens > 0),
  );
  const bill: Bill = { usage: { ...NOTHING_YET }, totalNanoUsd: 0, promptNanoUsd: 0 };
  for (const [place, { price, usage }] of parts.entries()) {
    const billed = place === reader ? usage : { ...usage, promptTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
    bill.usage = sum(bill.usage, billed);
    if (price === null) continue;
    const terms = place === reader ? price : { ...price, requestNanoUsd: 0 };
    bill.totalNanoUsd += costNanoUsd(terms, billed);
    bill.promptNanoUsd += costNanoUsd({ ...price, requestNanoUsd: 0 }, { ...billed, completionTokens: 0, units: 0 });
  }
  return bill;
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
