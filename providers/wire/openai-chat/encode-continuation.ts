/** How vendors are asked for the rest of an answer. Each card says which way is its own, and where that was read. */
import type { Quirks } from '#providers/provider';
import type { ChatMessage } from '#schema/chat';

/** Gives the fields of the request that say so. */
export function continuationFields({ continuation = 'continue_final_message' }: Quirks): Record<string, unknown> {
  return continuation === 'continue_final_message' ? { continue_final_message: true, add_generation_prompt: false } : {};
}

/** Marks the last message as the beginning of the answer. */
export function markBeginning(messages: readonly ChatMessage[], { continuation }: Quirks): readonly ChatMessage[] {
  if (continuation !== 'prefix' && continuation !== 'partial') return messages;
  return messages.map((message, place) => (place === messages.length - 1 ? { ...message, [continuation]: true } : message));
}
