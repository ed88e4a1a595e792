import type { ReasoningItem } from '#schema/responses';
import type { JsonObject } from '../json-object.ts';
import { unsealDetails } from './reasoning-seal.ts';

/** How OpenRouter marks encrypted reasoning of OpenAI's own Responses API. */
const OPENAI_FORMAT = 'openai-responses-v1';

/** Reasoning in the words of a chat message. */
export interface ReadReasoning {
  text: string;
  details: JsonObject[];
}

/** Reads a reasoning item: one of ours gives back the details that it was made of, one of OpenAI's or OpenRouter's those that it shows. */
export function readReasoning(item: ReasoningItem, param: string): ReadReasoning {
  const text = joinTexts(item.content) || joinTexts(item.summary);
  const sealed = item.encrypted_content ?? '';
  return { text, details: unsealDetails(sealed, `${param}.encrypted_content`) ?? foreignDetails(item, text, sealed) };
}

/** Unsigned reasoning needs no details: its text says all there is. */
function foreignDetails({ summary, format, signature }: ReasoningItem, text: string, data: string): JsonObject[] {
  if (typeof signature === 'string') return [{ type: 'reasoning.text', text, signature, format: format ?? 'unknown', index: 0 }];
  if (data === '') return [];
  const common = { format: format ?? OPENAI_FORMAT };
  return [
    ...(summary ?? []).map((part, index) => ({ type: 'reasoning.summary', summary: part.text, ...common, index })),
    { type: 'reasoning.encrypted', data, ...common, index: summary?.length ?? 0 },
  ];
}

function joinTexts(parts: ReasoningItem['content']): string {
  return (parts ?? []).map((part) => part.text).join('\n\n');
}
