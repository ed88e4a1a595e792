/** Decides what a request used: what the upstream reported where that can be true, else our own count. */
import type { SupplyKind } from '#schema/catalog';
import type { Usage } from '#schema/receipt';
import type { Tally } from './tally.ts';

/** Tokens of slack in the plausibility check: role and end markers that are billed and never seen. */
const UNSEEN_TOKENS = 16;
/** A prompt may have this many times the tokens that we estimate (rare scripts, large images), beside what a chat template adds. */
const PROMPT_FACTOR_MAX = 8;
const TEMPLATE_TOKENS = 1024;

/**
 * Settles the usage of one answer. A stream without usage is counted, never free (M4); an answer cut short is counted where the report is
 * missing or older than what was delivered (M5); a miner cannot have generated more visible tokens than it delivered characters,
 * nor have read a prompt many times as long as the one that was sent (M14).
 */
export function settleUsage(tally: Tally, promptTokensEstimate: number, supply: SupplyKind, whole: boolean): Usage {
  const countedReasoning = Math.ceil(tally.reasoningTokens);
  const counted: Usage = {
    source: 'counted',
    promptTokens: tally.deliveredChars === 0 && !whole ? 0 : promptTokensEstimate,
    completionTokens: Math.ceil(tally.contentTokens) + countedReasoning,
    reasoningTokens: countedReasoning,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
  };
  const { reported } = tally;
  if (reported === null) return counted;
  if (isInflatedPrompt(reported, promptTokensEstimate, supply)) return counted;
  if (isImplausible(reported, tally, supply)) return { ...counted, promptTokens: reported.promptTokens || counted.promptTokens };
  if (!whole && reported.completionTokens < counted.completionTokens) {
    return { ...reported, source: 'counted', completionTokens: counted.completionTokens };
  }
  return reported;
}

function isInflatedPrompt({ promptTokens }: Usage, estimate: number, supply: SupplyKind): boolean {
  return supply === 'subnet' && promptTokens > PROMPT_FACTOR_MAX * estimate + TEMPLATE_TOKENS;
}

function isImplausible(reported: Usage, tally: Tally, supply: SupplyKind): boolean {
  if (tally.deliveredChars > 0 && (reported.completionTokens === 0 || reported.promptTokens === 0)) return true;
  // Others may bill reasoning that they do not show; anonymous supply has no such standing.
  return supply === 'subnet' && reported.completionTokens > tally.deliveredChars + UNSEEN_TOKENS;
}
