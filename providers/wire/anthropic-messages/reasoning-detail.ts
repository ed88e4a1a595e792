import type { JsonObject } from '#providers/wire/json-object';

/** OpenRouter's name for Anthropic's signed thinking in `reasoning_details`. */
const FORMAT = 'anthropic-claude-v1';

/** Words thinking, its signature or both as a `reasoning_details` entry that clients echo unmodified. */
export function textDetail(index: number, content: { text?: string; signature?: string }): JsonObject {
  return { type: 'reasoning.text', ...content, format: FORMAT, index };
}

/** Words redacted thinking as a `reasoning_details` entry. */
export function encryptedDetail(index: number, data: string): JsonObject {
  return { type: 'reasoning.encrypted', data, format: FORMAT, index };
}
