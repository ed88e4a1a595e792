/** Scripts for Anthropic-style endpoints: whole messages or their events. */
import type { Script } from './scripted-upstream.ts';
import { openStream, sendJson } from './openai-scripts.ts';

/** Counts in Anthropic's names; `input_tokens` leaves cached ones out. */
export interface AnthropicUsage {
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens?: number;
  cache_creation_input_tokens?: number;
}

/** A block of an answer as the API writes it: `text`, `thinking`, `tool_use`. */
export type AnthropicBlock = { type: string } & Record<string, unknown>;

export interface AnthropicMessage {
  content: readonly AnthropicBlock[];
  stopReason?: string;
  usage: AnthropicUsage;
}

const HEAD = { id: 'msg_upstream', type: 'message', role: 'assistant', model: 'upstream-model' };

/** Answers with one text. */
export function message(text: string, usage: AnthropicUsage): Script {
  return blocks({ content: [{ type: 'text', text }], usage });
}

/** Answers as asked: a message, or its events. */
export function blocks(message: AnthropicMessage): Script {
  const { content, stopReason = 'end_turn', usage } = message;
  return (call, response) => {
    if (call.body['stream'] !== true) {
      sendJson(response, 200, { ...HEAD, content, stop_reason: stopReason, stop_sequence: null, usage });
      return;
    }
    openStream(response);
    response.end(messageText(message));
  };
}

/** The bytes of a whole stream, for re-chunking. Input counts come with its start, the output count at its end. */
export function messageText({ content, stopReason = 'end_turn', usage }: AnthropicMessage): string {
  const events = [
    { type: 'message_start', message: { ...HEAD, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } } },
    ...content.flatMap((block, index) => [
      { type: 'content_block_start', index, content_block: { ...block, ...EMPTY[block.type] } },
      ...deltasOf(block).map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta: { stop_reason: stopReason, stop_sequence: null }, usage: { output_tokens: usage.output_tokens } },
    { type: 'message_stop' },
  ];
  return events.map(frame).join('');
}

/** Streams words of one text until the router hangs up. */
export const talkAsMessageUntilLeft: Script = async (call, response) => {
  openStream(response);
  const usage = { input_tokens: 12, output_tokens: 1 };
  response.write(frame({ type: 'message_start', message: { ...HEAD, content: [], stop_reason: null, usage } }));
  response.write(frame({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }));
  const word = frame({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'word ' } });
  const ticker = setInterval(() => response.write(word), 20);
  await call.aborted;
  clearInterval(ticker);
};

/** Frames one event under its own type. */
export function frame(event: { type: string } & Record<string, unknown>): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** What a block starts with in a stream, before its deltas. */
const EMPTY: Record<string, object> = { text: { text: '' }, thinking: { thinking: '', signature: '' }, tool_use: { input: {} } };

function deltasOf(block: AnthropicBlock): object[] {
  switch (block.type) {
    case 'text':
      return wordsOf(block['text']).map((text) => ({ type: 'text_delta', text }));
    case 'thinking':
      return [
        ...wordsOf(block['thinking']).map((thinking) => ({ type: 'thinking_delta', thinking })),
        { type: 'signature_delta', signature: block['signature'] },
      ];
    case 'tool_use':
      return (JSON.stringify(block['input']).match(/.{1,4}/gu) ?? []).map((json) => ({ type: 'input_json_delta', partial_json: json }));
    default:
      return [];
  }
}

function wordsOf(text: unknown): string[] {
  return String(text).match(/\S+\s*/g) ?? [];
}
