/** Decides what a request used: what the upstream reported where that can be true, else our own count. */
import type { Usage } from '#schema/receipt';
import { isAnonymous, type Supplier } from './supplier.ts';
import type { Segment } from './tally.ts';

/** Tokens of slack in the plausibility check: role and end markers that are billed and never seen. */
const UNSEEN_TOKENS = 16;
/** A prompt may have this many times the tokens that we estimate (rare scripts, large images), beside what a chat template adds. */
const PROMPT_FACTOR_MAX = 8;
const TEMPLATE_TOKENS = 1024;
/** Our estimate may be this many times too high; a report below that, of what has been delivered up to now, counts something else. */
const ESTIMATE_FACTOR_MAX = 2;

/**
 * Settles the usage of one answer, or of one upstream's part of it. A stream without usage is counted, never free (M4); an answer cut short is counted where the report is
 * missing or older than what was delivered (M5), and a report that came with the last of it holds; a miner cannot have generated more visible tokens than it delivered characters,
 * nor have read a prompt many times as long as the one that was sent, nor have written to a cache, which is dearer, unless it was asked to (M14).
 */
export function settleUsage(
  delivered: Segment,
  promptTokensEstimate: number,
  supplier: Supplier,
  whole: boolean,
  asksCacheWrites: () => boolean = () => false,
): Usage {
  const countedReasoning = Math.ceil(delivered.reasoningTokens);
  const counted: Usage = {
    source: 'counted',
    promptTokens: delivered.deliveredChars === 0 && !whole ? 0 : promptTokensEstimate,
    completionTokens: Math.ceil(delivered.contentTokens) + countedReasoning,
    reasoningTokens: countedReasoning,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
  };
  const reported = delivered.reported && believedOf(delivered.reported, supplier, asksCacheWrites);
  if (reported === null) return counted;
  if (isInflatedPrompt(reported, promptTokensEstimate, supplier)) return counted;
  if (isImplausible(reported, delivered, supplier)) return { ...counted, promptTokens: reported.promptTokens || counted.promptTokens };
  if (!whole && leavesOut(reported, delivered, counted))
    return { ...reported, source: 'counted', completionTokens: counted.completionTokens };
  return reported;
}

/** Takes off what nobody has asked for: it stays in the prompt, as tokens like any other. */
function believedOf(reported: Usage, supplier: Supplier, asksCacheWrites: () => boolean): Usage {
  if (reported.cacheWriteTokens === 0 || !isAnonymous(supplier) || asksCacheWrites()) return reported;
  return { ...reported, cacheWriteTokens: 0 };
}

/** Tells whether a report in the middle of an answer says less than what has been delivered. */
function leavesOut({ completionTokens }: Usage, { reportedAtChars, deliveredChars }: Segment, counted: Usage): boolean {
  const isUpToDate = reportedAtChars === deliveredChars;
  return completionTokens * (isUpToDate ? ESTIMATE_FACTOR_MAX : 1) < counted.completionTokens;
}

function isInflatedPrompt({ promptTokens }: Usage, estimate: number, supplier: Supplier): boolean {
  return isAnonymous(supplier) && promptTokens > PROMPT_FACTOR_MAX * estimate + TEMPLATE_TOKENS;
}

function isImplausible(reported: Usage, delivered: Segment, supplier: Supplier): boolean {
  if (delivered.deliveredChars > 0 && (reported.completionTokens === 0 || reported.promptTokens === 0)) return true;
  // Others may bill reasoning that they do not show; anonymous supply has no such standing.
  return isAnonymous(supplier) && reported.completionTokens > delivered.deliveredChars + UNSEEN_TOKENS;
}
