/** Prompts that are no conversation: texts or token ids, one or several. */
import { complain, type Fields } from './body.ts';
import { countPromptTokens } from './tokens.ts';

/** One prompt. Token ids stand in its text as numbers, for nobody here could decode them. */
export interface Prompt {
  text: string;
  tokens: number;
}

/** Reads a string, a list of strings, a list of token ids, or a list of such lists: at least one, at most `countMax`, none empty. */
export function readPrompts(fields: Fields, name: string, countMax: number): Prompt[] {
  const value = fields[name];
  const list = typeof value === 'string' || isTokenList(value) ? [value] : value;
  if (!Array.isArray(list) || list.length === 0 || list.length > countMax) {
    complain(name, `'${name}' must be a string, a list of token ids, or a list of 1 to ${countMax} of them.`);
  }
  return list.map((prompt: unknown, index) => readPrompt(prompt, list.length === 1 ? name : `${name}[${index}]`));
}

function readPrompt(value: unknown, where: string): Prompt {
  if (isTokenList(value)) return { text: value.join(' '), tokens: value.length };
  if (typeof value === 'string' && value !== '') return { text: value, tokens: countPromptTokens(value) };
  return complain(where, `'${where}' must be a string or a list of token ids, and not empty.`);
}

function isTokenList(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((token) => Number.isSafeInteger(token) && token >= 0);
}
