/** Decides what a unit operation used: what the upstream reported where that can be true, else what was asked for. */
import { NOTHING_USED, type Usage } from '#schema/receipt';
import type { UnitSize } from '#schema/skin';
import type { UnitReply } from '#schema/unit';
import { isAnonymous, type Supplier } from './supplier.ts';

/** A prompt may have this many times the tokens that we estimate, as in chat. */
const PROMPT_FACTOR_MAX = 8;
const PROMPT_SLACK_TOKENS = 64;

/**
 * Settles the usage of one answer. Nobody is billed for more units than the request can have asked for, nor by anonymous supply for more answer
 * tokens than the characters of the text that came, nor for a cache that nobody asked it to write to (M14).
 */
export function settleUnits(said: UnitReply, size: UnitSize, supplier: Supplier): Usage {
  const units = size.unitsMax === 0 ? {} : { units: Math.min(said.units ?? size.unitsExpected ?? size.unitsMax, size.unitsMax) };
  if (said.usage === null || isImplausible(said.usage, size, supplier))
    return { ...NOTHING_USED, promptTokens: size.promptTokens, ...units };
  return { ...(isAnonymous(supplier) ? shownOf(said.usage, said) : said.usage), ...units };
}

/** Keeps of a report what shows in the answer. */
function shownOf(usage: Usage, { text, json }: UnitReply): Usage {
  const said = text ?? json?.['text'];
  const completionTokens = Math.min(usage.completionTokens, typeof said === 'string' ? said.length : 0);
  return { ...usage, completionTokens, reasoningTokens: Math.min(usage.reasoningTokens, completionTokens), cacheWriteTokens: 0 };
}

function isImplausible({ promptTokens }: Usage, size: UnitSize, supplier: Supplier): boolean {
  if (promptTokens === 0 && size.promptTokens > 0) return true;
  return isAnonymous(supplier) && promptTokens > PROMPT_FACTOR_MAX * size.promptTokens + PROMPT_SLACK_TOKENS;
}
