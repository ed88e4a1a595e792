import { z } from 'zod';

/** Prompts of one request at most; with `n` or `best_of` each has several answers. */
const PROMPTS_MAX = 128;

/** One prompt as text or as token ids, or several of one kind. */
export type Prompt = string | string[] | number[] | number[][];

/** A raw prompt. Checked by hand: a union would try every kind on each of a million token ids. */
export const prompt = z
  .custom<Prompt>(isPrompt, `expected a text, token ids, or up to ${PROMPTS_MAX} of either`)
  .meta({ anyOf: [text(), list(text()), list(tokenId()), list(list(tokenId()))] });

function isPrompt(value: unknown): value is Prompt {
  if (!Array.isArray(value)) return typeof value === 'string';
  if (value.length === 0) return false;
  if (value.every(isTokenId)) return true;
  return value.length <= PROMPTS_MAX && (value.every((one) => typeof one === 'string') || value.every(isTokenIds));
}

function isTokenIds(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every(isTokenId);
}

function isTokenId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function text() {
  return { type: 'string' as const };
}

function tokenId() {
  return { type: 'integer' as const, minimum: 0 };
}

function list<Item>(items: Item) {
  return { type: 'array' as const, items };
}
