/** A conversation as items, read into chat messages. */
import type { ChatMessage, ToolCall } from '#schema/chat';
import type { AnswerContent, FunctionCallItem, InputItem, ResponsesRequest } from '#schema/responses';
import { readContent, readSpoken } from './read-content.ts';
import { readReasoning, type ReadReasoning } from './read-reasoning.ts';

type AssistantMessage = ChatMessage & { role: 'assistant' };

/** Reads `instructions` and `input`. What the assistant thought, said and called in one go becomes one message. */
export function readInput({ instructions, input }: Pick<ResponsesRequest, 'instructions' | 'input'>): ChatMessage[] {
  const messages: ChatMessage[] = [];
  if (typeof instructions === 'string') messages.push({ role: 'system', content: instructions });
  if (typeof input === 'string') return [...messages, { role: 'user', content: input }];
  for (const [index, item] of input.entries()) addItem(messages, item, `input.${index}`);
  return messages;
}

function addItem(messages: ChatMessage[], item: InputItem, param: string): void {
  switch (item.type) {
    case 'reasoning':
      return addReasoning(assistantTurn(messages, true), readReasoning(item, param));
    case 'function_call':
      return addCall(assistantTurn(messages, false), item);
    case 'function_call_output':
      messages.push({ role: 'tool', tool_call_id: item.call_id, content: readContent(item.output) });
      return;
    case 'message':
      if (item.role === 'assistant') return addSpoken(assistantTurn(messages, true), item.content);
      messages.push({ role: item.role, content: readContent(item.content) });
  }
}

/**
 * Finds the assistant message that an item belongs to, or begins one. `begins`: after words, the item is the start of a new message.
 * A message with calls takes all that follows, because the results must come right after it.
 */
function assistantTurn(messages: ChatMessage[], begins: boolean): AssistantMessage {
  const last = messages.at(-1);
  if (last?.role === 'assistant' && !(begins && !last.tool_calls && hasSpoken(last))) return last;
  const turn: AssistantMessage = { role: 'assistant', content: null };
  messages.push(turn);
  return turn;
}

function hasSpoken({ content, refusal }: AssistantMessage): boolean {
  return typeof content === 'string' || typeof refusal === 'string';
}

function addReasoning(turn: AssistantMessage, { text, details }: ReadReasoning): void {
  if (text !== '') turn.reasoning = turn.reasoning ? `${turn.reasoning}\n\n${text}` : text;
  if (details.length > 0) (turn.reasoning_details ??= []).push(...details);
}

function addSpoken(turn: AssistantMessage, content: AnswerContent): void {
  const { text, refusal } = readSpoken(content);
  if (text !== null) turn.content = typeof turn.content === 'string' ? turn.content + text : text;
  if (refusal !== null) turn.refusal = (turn.refusal ?? '') + refusal;
}

function addCall(turn: AssistantMessage, item: FunctionCallItem): void {
  const call: ToolCall = { id: item.call_id, type: 'function', function: { name: item.name, arguments: item.arguments } };
  (turn.tool_calls ??= []).push(call);
}
