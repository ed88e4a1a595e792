import type { ChatRequest } from '#schema/chat';

export type ReasoningEffort = NonNullable<ChatRequest['reasoning_effort']>;

/** What a caller asked of reasoning, from any of its three spellings. */
export interface ReasoningWish {
  /** False when it was switched off (`enabled: false` or effort `none`). */
  on: boolean;
  effort: ReasoningEffort | null;
  budgetTokens: number | null;
  exclude: boolean;
  /** How much of a summary to give, for makers that show no more than that. */
  summary: string | null;
}

/** Shares of the output limit that an effort stands for where vendors take a budget. OpenRouter, "reasoning tokens". */
const BUDGET_SHARES: Record<ReasoningEffort, number> = {
  max: 0.95,
  xhigh: 0.95,
  high: 0.8,
  medium: 0.5,
  low: 0.2,
  minimal: 0.1,
  none: 0,
};
const BUDGET_TOKENS_MIN = 1024;
const BUDGET_TOKENS_MAX = 128_000;

/** Reads `reasoning`, `reasoning_effort` and `include_reasoning`; null when the caller left reasoning to the model. */
export function readReasoningWish(request: ChatRequest): ReasoningWish | null {
  const { reasoning, reasoning_effort: effortField, include_reasoning: included } = request;
  const effort = reasoning?.effort ?? effortField ?? null;
  const budgetTokens = reasoning?.max_tokens ?? null;
  const exclude = reasoning?.exclude === true || included === false;
  const stated = effort !== null || budgetTokens !== null || typeof reasoning?.enabled === 'boolean';
  if (!stated && included !== true) return null;
  return { on: effort !== 'none' && reasoning?.enabled !== false, effort, budgetTokens, exclude, summary: reasoning?.summary ?? null };
}

/** Turns a wish into a thinking budget below `maxTokens`; at least 1,024 tokens, or null when that much does not fit. */
export function toBudgetTokens(wish: ReasoningWish, maxTokens: number): number | null {
  const asked = wish.budgetTokens ?? Math.floor(maxTokens * BUDGET_SHARES[wish.effort ?? 'medium']);
  const budgetTokens = Math.min(Math.max(Math.min(asked, BUDGET_TOKENS_MAX), BUDGET_TOKENS_MIN), maxTokens - 1);
  return budgetTokens < BUDGET_TOKENS_MIN ? null : budgetTokens;
}

/** Names an effort for vendors that take no budget: the stated one, else by the size of the budget. */
export function toEffort(wish: ReasoningWish): ReasoningEffort {
  if (!wish.on) return 'none';
  if (wish.effort !== null) return wish.effort;
  if (wish.budgetTokens === null) return 'medium';
  if (wish.budgetTokens >= 16_384) return 'high';
  return wish.budgetTokens >= 4096 ? 'medium' : 'low';
}
