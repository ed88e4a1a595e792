import { answersOf } from '#schema/chat-rules';
import type { CompletionRequest } from '#schema/completions';
import { countTokens } from '#schema/count-tokens';
import type { Prompt } from '#schema/prompt';
import type { PromptSize } from '#schema/skin';

/** Marks around a text: a message's frame where it becomes one, begin and infill marks elsewhere. */
const TOKENS_PER_TEXT = 4;

/** Sizes raw prompts: token ids count themselves, texts are estimated, and a suffix is read with every prompt. */
export function sizeOf(asked: CompletionRequest): PromptSize {
  const suffixTokens = countTokens(asked.suffix ?? '');
  const tokens = promptsOf(asked.prompt).map((prompt) => Math.ceil(tokensOf(prompt) + suffixTokens));
  return {
    promptTokens: tokens.reduce((sum, one) => sum + one, 0),
    contextTokens: Math.max(...tokens),
    choices: answersOf(asked),
  };
}

/** Lists the prompts of a request, each a text or token ids. */
export function promptsOf(prompt: Prompt): (string | number[])[] {
  return typeof prompt === 'string' || isTokenIds(prompt) ? [prompt] : prompt;
}

function isTokenIds(prompt: string[] | number[] | number[][]): prompt is number[] {
  return typeof prompt[0] === 'number';
}

function tokensOf(prompt: string | number[]): number {
  return typeof prompt === 'string' ? TOKENS_PER_TEXT + countTokens(prompt) : prompt.length;
}
