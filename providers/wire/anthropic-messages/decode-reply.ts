import type { DialectTarget } from '#providers/provider';
import { protocolFailure, toInnerFailure } from '#providers/wire/decode-error';
import { toFinishReason } from '#providers/wire/finish-reason';
import { isJsonObject, type JsonObject, readText } from '#providers/wire/json-object';
import { readError } from '#providers/wire/read-error';
import type { AttemptFailure } from '#schema/attempt';
import type { ChatChoice, ChatDelta } from '#schema/chat';
import type { DecodedReply } from '#schema/reply';
import { markReasoning } from './mark-reasoning.ts';
import { mergeCounts, NO_COUNTS, toUsage } from './read-usage.ts';
import { encryptedDetail, textDetail } from './reasoning-detail.ts';

/** Decodes a whole message into one choice. An error inside, or anything that is no message, is a failure. */
export function decodeAnthropicReply(body: unknown, target: DialectTarget): { reply: DecodedReply } | { failure: AttemptFailure } {
  const error = readError(body);
  if (error !== null) return { failure: toInnerFailure(error, target) };
  if (!isJsonObject(body)) return { failure: protocolFailure('the answer is not a JSON object') };
  if (!Array.isArray(body['content'])) return { failure: protocolFailure('the answer has no content') };
  const blocks = body['content'].filter(isJsonObject);
  for (const block of blocks) markReasoning(block, target);
  const reason = typeof body['stop_reason'] === 'string' ? body['stop_reason'] : null;
  const choice: ChatChoice = {
    index: 0,
    finish_reason: reason === null ? null : toFinishReason(reason),
    native_finish_reason: reason,
    message: readMessage(blocks),
  };
  const upstreamId = typeof body['id'] === 'string' && body['id'].length <= 256 ? body['id'] : null;
  const native = target.native === undefined ? {} : { native: body };
  return { reply: { upstreamId, choices: [choice], usage: toUsage(mergeCounts(NO_COUNTS, body['usage'])), extra: {}, ...native } };
}

function readMessage(blocks: readonly JsonObject[]): ChatDelta {
  const message: ChatDelta = { role: 'assistant', content: null };
  const toolCalls: NonNullable<ChatDelta['tool_calls']> = [];
  const details: JsonObject[] = [];
  for (const [index, block] of blocks.entries()) {
    if (block['type'] === 'text' && typeof block['text'] === 'string') message.content = (message.content ?? '') + block['text'];
    if (block['type'] === 'thinking' && typeof block['thinking'] === 'string') {
      message.reasoning = (message.reasoning ?? '') + block['thinking'];
      const signature = typeof block['signature'] === 'string' ? { signature: block['signature'] } : {};
      details.push(textDetail(index, { text: block['thinking'], ...signature }));
    }
    if (block['type'] === 'redacted_thinking' && typeof block['data'] === 'string') details.push(encryptedDetail(index, block['data']));
    if (block['type'] === 'tool_use') toolCalls.push(readToolUse(block));
  }
  if (toolCalls.length > 0) message.tool_calls = toolCalls;
  if (details.length > 0) message.reasoning_details = details;
  return message;
}

function readToolUse(block: JsonObject): NonNullable<ChatDelta['tool_calls']>[number] {
  const named = { name: readText(block, 'name'), arguments: JSON.stringify(block['input'] ?? {}) };
  return { id: readText(block, 'id'), type: 'function', function: named };
}
