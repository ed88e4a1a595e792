import type { DialectTarget } from '#providers/provider';
import { isJsonObject, parseJson, type JsonObject } from '#providers/wire/json-object';
import type { ChatMessage, ToolCall } from '#schema/chat';
import { ownSignature } from '#schema/signature';
import { encodeContent } from './encode-content.ts';

interface Turn {
  role: 'user' | 'assistant';
  content: unknown[];
}

/**
 * Collects what the `system` field takes: every system and developer message, then an instruction of ours.
 * One string where all is text; blocks where a part carries more, such as `cache_control`. Null when there is nothing.
 */
export function encodeSystem(messages: readonly ChatMessage[], instruction: string | null): string | unknown[] | null {
  const blocks = messages.filter(isSystem).flatMap((message) => encodeContent(message.content));
  if (instruction !== null) blocks.push({ type: 'text', text: instruction });
  if (blocks.length === 0) return null;
  const plain = blocks.every((block) => isJsonObject(block) && block['type'] === 'text' && Object.keys(block).length === 2);
  return plain ? blocks.map((block) => (block as { text: string }).text).join('\n\n') : blocks;
}

/**
 * Encodes the conversation as alternating turns: tool results are parts of user turns, consecutive turns of one role are merged.
 * A conversation of system messages alone becomes one user turn, because the API needs one.
 */
export function encodeTurns(messages: readonly ChatMessage[], target: Pick<DialectTarget, 'operatorId'>): Turn[] {
  const turns: Turn[] = [];
  for (const message of messages) {
    if (isSystem(message)) continue;
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const content = encodeMessage(message, target.operatorId);
    if (content.length === 0) continue;
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...content);
    else turns.push({ role, content });
  }
  if (turns.length === 0) turns.push({ role: 'user', content: messages.flatMap((message) => encodeContent(message.content)) });
  return trimPrefill(turns);
}

function isSystem(message: ChatMessage): boolean {
  return message.role === 'system' || message.role === 'developer';
}

function encodeMessage(message: ChatMessage, operatorId: string | undefined): unknown[] {
  if (message.role === 'tool') {
    const content = typeof message.content === 'string' ? message.content : encodeContent(message.content);
    return [{ type: 'tool_result', tool_use_id: toToolId(message.tool_call_id), content }];
  }
  if (message.role !== 'assistant') return encodeContent(message.content);
  return [
    ...encodeThinking(message.reasoning_details ?? [], operatorId),
    ...encodeContent(message.content),
    ...encodeContent(message.refusal),
    ...(message.tool_calls ?? []).map(encodeToolUse),
  ];
}

/** Restores thinking that this operator signed. Unsigned reasoning, or anybody else's, is refused there and therefore left out. */
function encodeThinking(details: readonly JsonObject[], operatorId: string | undefined): unknown[] {
  const blocks: JsonObject[] = [];
  let thinking = '';
  for (const detail of details) {
    if (detail['format'] !== 'anthropic-claude-v1') continue;
    if (detail['type'] === 'reasoning.encrypted' && typeof detail['data'] === 'string') {
      const data = ownSignature(detail['data'], operatorId);
      if (data !== null) blocks.push({ type: 'redacted_thinking', data });
    }
    if (detail['type'] !== 'reasoning.text') continue;
    // A client that echoes a stream sends the text in pieces and the signature last.
    if (typeof detail['text'] === 'string') thinking += detail['text'];
    if (typeof detail['signature'] !== 'string' || detail['signature'] === '') continue;
    const signature = ownSignature(detail['signature'], operatorId);
    if (signature !== null) blocks.push({ type: 'thinking', thinking, signature });
    thinking = '';
  }
  return blocks;
}

/** The API takes fewer characters in ids than other vendors put there. */
function toToolId(id: string): string {
  return id.replace(/[^A-Za-z0-9_-]/g, '_');
}

function encodeToolUse(call: ToolCall): JsonObject {
  const parsed = call.function.arguments === '' ? {} : parseJson(call.function.arguments);
  // Arguments that are no JSON object cannot be said; the model still sees what it once wrote.
  const input = isJsonObject(parsed) ? parsed : { arguments: call.function.arguments };
  return { type: 'tool_use', id: toToolId(call.id), name: call.function.name, input };
}

// The API refuses a prefilled answer that ends in white space.
function trimPrefill(turns: Turn[]): Turn[] {
  const last = turns.at(-1);
  const block = last?.role === 'assistant' ? last.content.at(-1) : undefined;
  if (last === undefined || !isJsonObject(block) || block['type'] !== 'text') return turns;
  const text = String(block['text']).trimEnd();
  const rest = last.content.slice(0, -1);
  const content = text === '' ? rest : [...rest, { ...block, text }];
  return content.length === 0 ? turns.slice(0, -1) : [...turns.slice(0, -1), { ...last, content }];
}
