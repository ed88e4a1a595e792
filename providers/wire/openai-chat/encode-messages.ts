import type { Quirks } from '#providers/provider';
import { schemaInstruction } from '#providers/wire/schema-instruction';
import type { ChatMessage, ChatRequest } from '#schema/chat';

/** Fields in which earlier answers carry their reasoning, in the order of preference. */
const REASONING_FIELDS = ['reasoning', 'reasoning_content', 'reasoning_text'] as const;

/**
 * Encodes the conversation: `developer` under the vendor's role, replayed reasoning under the vendor's field or not at all, and the
 * answer's schema as an instruction where `json_schema` is not native. Messages that need no change are passed on, not copied.
 */
export function encodeMessages(request: ChatRequest, quirks: Quirks): ChatMessage[] {
  const messages = request.messages.map((message) => encodeMessage(message, quirks));
  const instruction = quirks.jsonSchema === false ? schemaInstruction(request.response_format) : null;
  return instruction === null ? messages : withInstruction(messages, instruction);
}

function encodeMessage(message: ChatMessage, quirks: Quirks): ChatMessage {
  if (message.role === 'developer' && quirks.developerRole === 'system') return { ...message, role: 'system' };
  return message.role === 'assistant' ? encodeAssistant(message, quirks) : message;
}

function encodeAssistant(message: ChatMessage & { role: 'assistant' }, quirks: Quirks): ChatMessage {
  const replayField = quirks.reasoningReplayField ?? null;
  const text = REASONING_FIELDS.map((field) => message[field]).find((value) => typeof value === 'string' && value !== '');
  const carriesReasoning = REASONING_FIELDS.some((field) => field in message) || 'reasoning_details' in message;
  // DeepSeek refuses replayed tool calls without the field, even when nothing was thought.
  const mustCarry = replayField === 'reasoning_content' && message.tool_calls !== undefined;
  if (!carriesReasoning && !mustCarry) return message;
  const { reasoning: _reasoning, reasoning_content: _content, reasoning_text: _text, reasoning_details: details, ...rest } = message;
  if (replayField === null) return rest;
  // Details are signed sequences: they go back unmodified to the one kind of upstream that issues them under `reasoning`.
  const signed = replayField === 'reasoning' && details !== undefined && details !== null ? { reasoning_details: details } : {};
  return text === undefined && !mustCarry ? { ...rest, ...signed } : { ...rest, [replayField]: text ?? '', ...signed };
}

function withInstruction(messages: ChatMessage[], instruction: string): ChatMessage[] {
  const [first, ...rest] = messages;
  if (first?.role !== 'system') return [{ role: 'system', content: instruction }, ...messages];
  const content =
    typeof first.content === 'string' ? `${first.content}\n\n${instruction}` : [...first.content, { type: 'text', text: instruction }];
  return [{ ...first, content }, ...rest];
}
