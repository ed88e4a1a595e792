import type { DialectTarget } from '#providers/provider';
import { schemaInstruction } from '#providers/wire/schema-instruction';
import type { ChatMessage, ChatRequest } from '#schema/chat';
import { encodeAssistant } from './encode-assistant.ts';
import { encodeContent } from './encode-content.ts';
import { showAfterTools } from './show-after-tools.ts';

/**
 * Encodes the conversation: `developer` under the vendor's role, earlier answers without what only answers have, what tools show in a message
 * of the user's, and the answer's schema as an instruction where `json_schema` is not native or the answer has begun already.
 */
export function encodeMessages(request: ChatRequest, target: DialectTarget): ChatMessage[] {
  const messages = showAfterTools(request.messages).map((message) => encodeMessage(message, target));
  const isInWords = target.quirks.jsonSchema === false || target.continues !== undefined;
  const instruction = isInWords ? schemaInstruction(request.response_format) : null;
  return instruction === null ? messages : withInstruction(messages, instruction);
}

function encodeMessage(message: ChatMessage, target: DialectTarget): ChatMessage {
  const encoded = encodeContent(message, target.quirks);
  if (encoded.role === 'assistant') return encodeAssistant(encoded, target);
  return encoded.role === 'developer' && target.quirks.developerRole === 'system' ? { ...encoded, role: 'system' } : encoded;
}

function withInstruction(messages: ChatMessage[], instruction: string): ChatMessage[] {
  const [first, ...rest] = messages;
  if (first?.role !== 'system') return [{ role: 'system', content: instruction }, ...messages];
  const content =
    typeof first.content === 'string' ? `${first.content}\n\n${instruction}` : [...first.content, { type: 'text', text: instruction }];
  return [{ ...first, content }, ...rest];
}
