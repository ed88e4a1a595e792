import type { ChatMessage } from '#schema/chat';

/**
 * Puts the beginning of an answer at the end of its conversation, so that the rest of it can be asked for. Where the client has begun the
 * answer itself, both are one text: engines go on with one message.
 */
export function beginAnswer(messages: readonly ChatMessage[], beginning: string): ChatMessage[] {
  const last = messages.at(-1);
  const begun = last?.role === 'assistant' && !last.tool_calls?.length ? textOf(last.content) : null;
  if (last === undefined || begun === null) return [...messages, { role: 'assistant', content: beginning }];
  return [...messages.slice(0, -1), { ...last, content: begun + beginning } as ChatMessage];
}

/** The text of a message; null where it is more than text. */
function textOf(content: ChatMessage['content']): string | null {
  if (typeof content === 'string') return content;
  const parts = content ?? [];
  return parts.every(({ type }) => type === 'text') ? parts.map((part) => String(part['text'])).join('') : null;
}
