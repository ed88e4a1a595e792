import type { ChatMessage } from '#schema/chat';
import type { ContentPart } from '#schema/chat-message';
import { plainText } from './encode-content.ts';

/** Stands in a tool's answer for what only a user may show. */
const SHOWN_NEXT = { type: 'text', text: '(shown in the next message)' };

/**
 * Moves the images and files of tools' answers into what the user says after the last of them, because tools can only speak here.
 * Conversations without any are passed on, not copied.
 */
export function showAfterTools(messages: ChatMessage[]): ChatMessage[] {
  if (!messages.some((message) => message.role === 'tool' && shownIn(message).length > 0)) return messages;
  const told: ChatMessage[] = [];
  let shown: ContentPart[] = [];
  for (const message of messages) {
    if (message.role === 'tool') {
      shown.push(...shownIn(message));
      told.push({ ...message, content: toWords(message.content) });
    } else if (message.role === 'user' && shown.length > 0) {
      told.push({ ...message, content: [...shown, ...toParts(message.content)] });
      shown = [];
    } else {
      if (shown.length > 0) told.push({ role: 'user', content: shown });
      told.push(message);
      shown = [];
    }
  }
  if (shown.length > 0) told.push({ role: 'user', content: shown });
  return told;
}

type Content = string | ContentPart[];

function shownIn({ content }: { content: Content }): ContentPart[] {
  return Array.isArray(content) ? content.filter(({ type }) => type !== 'text') : [];
}

function toWords(content: Content): Content {
  if (!Array.isArray(content)) return content;
  const parts = content.map((part) => (part.type === 'text' ? part : SHOWN_NEXT));
  return plainText(parts) ?? parts;
}

function toParts(content: Content): ContentPart[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}
