import type { Quirks } from '#providers/provider';
import { isJsonObject, type JsonObject } from '#providers/wire/json-object';
import { readReasoningWish, toEffort, type ReasoningEffort, type ReasoningWish } from '#providers/wire/reasoning-wish';
import type { ChatRequest } from '#schema/chat';

const THINKING_BUDGET_TOKENS_MIN = 128;
const THINKING_BUDGET_TOKENS_MAX = 32_768;

/**
 * Says the caller's reasoning wish in the vendor's control; empty when there is no wish or no control.
 * `body` is the request so far: template arguments of the caller's own are kept beside ours.
 */
export function reasoningFields(request: ChatRequest, body: JsonObject, quirks: Quirks): JsonObject {
  const wish = readReasoningWish(request);
  if (wish === null) return {};
  switch (quirks.reasoningControl ?? 'reasoning_effort') {
    case 'reasoning_effort':
      return wish.effort === null && wish.on && wish.budgetTokens === null ? {} : { reasoning_effort: openAiEffort(toEffort(wish)) };
    case 'reasoning_effort_high_max':
      return wish.on ? { thinking: { type: 'enabled' }, ...statedEffort(wish, highOrMax) } : { thinking: { type: 'disabled' } };
    case 'reasoning_effort_off':
      return wish.on ? {} : { reasoning_effort: 'none' };
    case 'reasoning_object':
      return { reasoning: reasoningObject(wish) };
    case 'reasoning_enabled':
      return { reasoning: { enabled: wish.on }, ...statedEffort(wish, openAiEffort) };
    case 'thinking_type':
      return { thinking: { type: wish.on ? 'enabled' : 'disabled' } };
    case 'chat_template_kwargs':
      return { chat_template_kwargs: withThinking(body['chat_template_kwargs'], wish), ...statedEffort(wish, lowMediumHigh) };
    case 'chat_template_args':
      return { chat_template_args: withThinking(body['chat_template_args'], wish), ...statedEffort(wish, lowMediumHigh) };
    case 'enable_thinking':
      return { enable_thinking: wish.on, ...thinkingBudget(wish) };
    case 'none':
      return {};
  }
}

function statedEffort(wish: ReasoningWish, toVendor: (effort: ReasoningEffort) => string): JsonObject {
  return wish.on && wish.effort !== null ? { reasoning_effort: toVendor(wish.effort) } : {};
}

function reasoningObject({ on, effort, budgetTokens, exclude, summary }: ReasoningWish): JsonObject {
  const shown = { ...(exclude && { exclude }), ...(summary !== null && { summary }) };
  if (!on) return { effort: 'none', ...shown };
  // OpenRouter takes an effort or a budget, never both.
  if (budgetTokens !== null) return { max_tokens: budgetTokens, ...shown };
  return effort === null ? { enabled: true, ...shown } : { effort, ...shown };
}

function withThinking(callers: unknown, wish: ReasoningWish): JsonObject {
  return { ...(isJsonObject(callers) ? callers : {}), enable_thinking: wish.on };
}

function thinkingBudget(wish: ReasoningWish): JsonObject {
  if (!wish.on || wish.budgetTokens === null) return {};
  return { thinking_budget: Math.min(Math.max(wish.budgetTokens, THINKING_BUDGET_TOKENS_MIN), THINKING_BUDGET_TOKENS_MAX) };
}

function openAiEffort(effort: ReasoningEffort): string {
  return effort === 'max' ? 'xhigh' : effort;
}

function highOrMax(effort: ReasoningEffort): string {
  return effort === 'xhigh' || effort === 'max' ? 'max' : 'high';
}

function lowMediumHigh(effort: ReasoningEffort): string {
  if (effort === 'minimal') return 'low';
  return effort === 'xhigh' || effort === 'max' ? 'high' : effort;
}
