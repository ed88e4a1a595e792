import type { Quirks } from '#providers/provider';
import type { ChatMessage } from '#schema/chat';
import type { ContentPart } from '#schema/chat-message';
import { withoutMark } from './cache-mark.ts';

/**
 * Encodes a message's parts: videos under today's name, cache marks only where they are read. Messages without either are passed on, not copied.
 * One text that was a part because of its mark alone is a string again, which every chat template takes.
 */
export function encodeContent<Message extends ChatMessage>(message: Message, quirks: Quirks): Message {
  const { content } = message;
  if (!Array.isArray(content)) return message;
  const parts = content.map((part) => encodePart(part, quirks));
  return parts.every((part, index) => part === content[index]) ? message : { ...message, content: plainText(parts) ?? parts };
}

/** Gives the text of parts that are one text and nothing more; null for any others. */
export function plainText([only, ...others]: readonly ContentPart[]): string | null {
  return only?.type === 'text' && others.length === 0 && Object.keys(only).length === 2 ? String(only['text']) : null;
}

function encodePart(part: ContentPart, quirks: Quirks): ContentPart {
  const named = part.type === 'input_video' ? { ...part, type: 'video_url' } : part;
  return quirks.cacheControl === true ? named : (withoutMark(named) as ContentPart);
}
