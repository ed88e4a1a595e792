import type { DialectTarget, StreamDecoder } from '#providers/provider';
import { protocolFailure, toInnerFailure } from '#providers/wire/decode-error';
import { toFinishReason } from '#providers/wire/finish-reason';
import { isJsonObject, type JsonObject, parseJson, readText } from '#providers/wire/json-object';
import { readError } from '#providers/wire/read-error';
import type { ChatDelta } from '#schema/chat';
import type { Usage } from '#schema/receipt';
import type { StreamEvent } from '#schema/reply';
import { markReasoning } from './mark-reasoning.ts';
import { mergeCounts, NO_COUNTS, toUsage, type AnthropicCounts } from './read-usage.ts';
import { encryptedDetail, textDetail } from './reasoning-detail.ts';

/** No model calls more tools in one answer; bounds what the decoder remembers. */
const TOOL_BLOCKS_MAX = 1024;

const IGNORED: StreamEvent = { kind: 'ignore' };

/** What a stream spreads over its events: the id, the counts so far, and which block is which tool call. */
interface StreamState {
  upstreamId: string | null;
  counts: AnthropicCounts;
  /** Block index → index of the tool call, and whether any of its arguments were sent. */
  tools: Map<number, { index: number; hasArguments: boolean }>;
  done: boolean;
}

/**
 * Creates the decoder of one message stream (`message_start` … `message_stop`). Pings and events unknown to us are ignored, unless the
 * client speaks this dialect: then every event goes along as it is.
 * Usage comes with `message_delta`, when both halves of it are known.
 */
export function createAnthropicStreamDecoder(target: DialectTarget): StreamDecoder {
  const state: StreamState = { upstreamId: null, counts: NO_COUNTS, tools: new Map(), done: false };
  return {
    decode(data, eventName) {
      if (state.done || (eventName === 'ping' && target.native === undefined)) return IGNORED;
      if (data.trim() === '[DONE]') return finish(state);
      const event = parseJson(data);
      if (!isJsonObject(event)) return { kind: 'failure', failure: protocolFailure('an event is not a JSON object') };
      const decoded = decodeEvent(event, eventName, state, target);
      return target.native === undefined ? decoded : withNative(decoded, event, state);
    },
  };
}

function withNative(decoded: StreamEvent, native: JsonObject, { upstreamId }: StreamState): StreamEvent {
  if (decoded.kind === 'chunk') return { ...decoded, native };
  return decoded.kind === 'ignore' ? { kind: 'chunk', upstreamId, choices: [], usage: null, extra: null, native } : decoded;
}

function decodeEvent(event: JsonObject, eventName: string | undefined, state: StreamState, target: DialectTarget): StreamEvent {
  const type = typeof event['type'] === 'string' ? event['type'] : eventName;
  switch (type) {
    case 'content_block_delta':
      return decodeBlockDelta(event, state, target);
    case 'content_block_start':
      return decodeBlockStart(event, state, target);
    case 'content_block_stop':
      return decodeBlockStop(event, state);
    case 'message_start':
      return decodeMessageStart(event, state);
    case 'message_delta':
      return decodeMessageDelta(event, state);
    case 'message_stop':
      return finish(state);
  }
  const error = readError(event);
  if (error !== null || type === 'error') {
    return { kind: 'failure', failure: toInnerFailure(error ?? { message: '', words: '', status: null }, target) };
  }
  return type === undefined ? { kind: 'failure', failure: protocolFailure('an event has no type') } : IGNORED;
}

function decodeMessageStart(event: JsonObject, state: StreamState): StreamEvent {
  const message = isJsonObject(event['message']) ? event['message'] : {};
  if (typeof message['id'] === 'string' && message['id'].length <= 256) state.upstreamId = message['id'];
  state.counts = mergeCounts(state.counts, message['usage']);
  return toChunk(state, { role: 'assistant', content: '' });
}

function decodeBlockStart(event: JsonObject, state: StreamState, target: DialectTarget): StreamEvent {
  const block = isJsonObject(event['content_block']) ? event['content_block'] : {};
  markReasoning(block, target);
  const position = toIndex(event);
  if (block['type'] === 'tool_use') return startTool(block, position, state);
  switch (block['type']) {
    case 'text':
      return isFilled(block['text']) ? toChunk(state, { content: block['text'] }) : IGNORED;
    case 'thinking':
      return startThinking(block, position, state);
    case 'redacted_thinking':
      return isFilled(block['data']) ? toChunk(state, { reasoning_details: [encryptedDetail(position, block['data'])] }) : IGNORED;
  }
  // A block that chat has no words for is content all the same, to a client that knows it.
  return target.native === undefined ? IGNORED : toChunk(state, { content_block: block });
}

function startThinking(block: JsonObject, position: number, state: StreamState): StreamEvent {
  const text = isFilled(block['thinking']) ? { text: block['thinking'] } : {};
  const signature = isFilled(block['signature']) ? { signature: block['signature'] } : {};
  const detail = { ...text, ...signature };
  if (Object.keys(detail).length === 0) return IGNORED;
  return toChunk(state, { ...(text.text && { reasoning: text.text }), reasoning_details: [textDetail(position, detail)] });
}

function startTool(block: JsonObject, position: number, state: StreamState): StreamEvent {
  const index = state.tools.size;
  if (index >= TOOL_BLOCKS_MAX) return { kind: 'failure', failure: protocolFailure('too many tool calls in one answer') };
  const input = block['input'];
  // Compatible servers may send the whole input here and no deltas.
  const text = isJsonObject(input) && Object.keys(input).length > 0 ? JSON.stringify(input) : '';
  state.tools.set(position, { index, hasArguments: text !== '' });
  const named = { name: readText(block, 'name'), arguments: text };
  return toChunk(state, { tool_calls: [{ index, id: readText(block, 'id'), type: 'function', function: named }] });
}

function decodeBlockDelta(event: JsonObject, state: StreamState, target: DialectTarget): StreamEvent {
  const delta = isJsonObject(event['delta']) ? event['delta'] : {};
  markReasoning(delta, target);
  const position = toIndex(event);
  switch (delta['type']) {
    case 'text_delta':
      return isFilled(delta['text']) ? toChunk(state, { content: delta['text'] }) : IGNORED;
    case 'thinking_delta':
      return isFilled(delta['thinking']) ? toChunk(state, thinkingDelta(position, delta['thinking'])) : IGNORED;
    case 'signature_delta':
      if (!isFilled(delta['signature'])) return IGNORED;
      return toChunk(state, { reasoning_details: [textDetail(position, { signature: delta['signature'] })] });
    case 'input_json_delta':
      return isFilled(delta['partial_json']) ? extendTool(position, delta['partial_json'], state) : IGNORED;
    default:
      return IGNORED;
  }
}

function extendTool(position: number, text: string, state: StreamState): StreamEvent {
  const tool = state.tools.get(position);
  // Input of the vendor's own server tools: not a call that the client could answer.
  if (tool === undefined) return IGNORED;
  tool.hasArguments = true;
  return toChunk(state, { tool_calls: [{ index: tool.index, function: { arguments: text } }] });
}

function decodeBlockStop(event: JsonObject, state: StreamState): StreamEvent {
  const tool = state.tools.get(toIndex(event));
  if (tool === undefined || tool.hasArguments) return IGNORED;
  // A call without arguments sends no delta at all, and OpenAI's clients cannot parse an empty string.
  tool.hasArguments = true;
  return toChunk(state, { tool_calls: [{ index: tool.index, function: { arguments: '{}' } }] });
}

function decodeMessageDelta(event: JsonObject, state: StreamState): StreamEvent {
  state.counts = mergeCounts(state.counts, event['usage']);
  const delta = isJsonObject(event['delta']) ? event['delta'] : {};
  const native = typeof delta['stop_reason'] === 'string' ? delta['stop_reason'] : null;
  return toChunk(state, {}, native, toUsage(state.counts));
}

function finish(state: StreamState): StreamEvent {
  state.done = true;
  return { kind: 'done' };
}

function toChunk(state: StreamState, delta: ChatDelta, native: string | null = null, usage: Usage | null = null): StreamEvent {
  const reason = native === null ? { finish_reason: null } : { finish_reason: toFinishReason(native), native_finish_reason: native };
  return { kind: 'chunk', upstreamId: state.upstreamId, choices: [{ index: 0, delta, ...reason }], usage, extra: null };
}

function thinkingDelta(position: number, text: string): ChatDelta {
  return { reasoning: text, reasoning_details: [textDetail(position, { text })] };
}

function toIndex(event: JsonObject): number {
  return typeof event['index'] === 'number' ? event['index'] : 0;
}

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
