import type { ChatMessage, ToolCall } from '#schema/chat';
import type { ContentPart } from '#schema/chat-message';
import type { MessageBlock, MessageTurn } from '#schema/messages';
import { toContent, toParts, withMark } from './read-parts.ts';
import { toDetail } from './reasoning.ts';

type ToolResultBlock = Extract<MessageBlock, { type: 'tool_result' }>;
type ToolUseBlock = Extract<MessageBlock, { type: 'tool_use' }>;
type Blocks = Exclude<Extract<MessageTurn, { role: 'user' }>['content'], string>;

/** How a failed tool says so where there is no field for it. */
const FAILED = 'Error: ';

/** Reads one turn as the messages that it is in the common shape: tool results first, then what else the user says. */
export function toMessages(turn: MessageTurn): ChatMessage[] {
  if (typeof turn.content === 'string') return [{ role: turn.role, content: turn.content }];
  if (turn.role === 'system') return [{ role: 'system', content: toContent(turn.content.flatMap(toParts)) }];
  return turn.role === 'assistant' ? [toAssistantMessage(turn.content)] : toUserMessages(turn.content);
}

function toUserMessages(blocks: Blocks): ChatMessage[] {
  const results = blocks.filter((block) => block.type === 'tool_result').map(toToolMessage);
  const parts = blocks.filter(isContent).flatMap(toParts);
  return parts.length > 0 || results.length === 0 ? [...results, { role: 'user', content: toContent(parts) }] : results;
}

function toToolMessage(block: ToolResultBlock): ChatMessage {
  const { tool_use_id: id, content = '', is_error: isError } = block;
  const parts = typeof content === 'string' ? toParts({ type: 'text', text: content }) : content.flatMap(toParts);
  const answer = toContent(withMark(parts, block['cache_control']));
  return { role: 'tool', tool_call_id: id, content: isError === true ? sayFailed(answer) : answer };
}

function sayFailed(answer: string | ContentPart[]): string | ContentPart[] {
  return typeof answer === 'string' ? FAILED + answer : [{ type: 'text', text: FAILED }, ...answer];
}

function toAssistantMessage(blocks: Blocks): ChatMessage {
  const parts = blocks.filter(isContent).flatMap(toParts);
  const calls = blocks.filter((block) => block.type === 'tool_use').map(toToolCall);
  const thoughts = blocks.map((block) => (block.type === 'thinking' ? block.thinking : '')).join('');
  const details = blocks
    .map((block, index) => (block.type === 'thinking' || block.type === 'redacted_thinking' ? toDetail(block, index) : null))
    .filter((detail) => detail !== null);
  return {
    role: 'assistant',
    content: parts.length === 0 && calls.length > 0 ? null : toContent(parts),
    ...(thoughts !== '' && { reasoning: thoughts }),
    ...(details.length > 0 && { reasoning_details: details }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function toToolCall({ id, name, input }: ToolUseBlock): ToolCall {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) } };
}

function isContent(block: MessageBlock): block is Parameters<typeof toParts>[0] {
  return (
    block.type === 'text' || block.type === 'image' || block.type === 'document' || block.type === 'search_result' || block.type === 'other'
  );
}
