/** Scripts for Anthropic-style endpoints: one text answer, whole or as a stream. */
import type { Script } from './scripted-upstream.ts';
import { openStream, sendJson } from './openai-scripts.ts';

/** Counts in Anthropic's names; `input_tokens` leaves cached ones out. */
export interface AnthropicUsage {
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens?: number;
  cache_creation_input_tokens?: number;
}

/** Answers as asked: a message, or its events. Input counts come with the start of a stream, the output count at its end. */
export function message(text: string, usage: AnthropicUsage): Script {
  return (call, response) => {
    const head = { id: 'msg_upstream', type: 'message', role: 'assistant', model: 'upstream-model' };
    if (call.body['stream'] !== true) {
      sendJson(response, 200, { ...head, content: [{ type: 'text', text }], stop_reason: 'end_turn', stop_sequence: null, usage });
      return;
    }
    openStream(response);
    const events = [
      { type: 'message_start', message: { ...head, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      ...(text.match(/\S+\s*/g) ?? []).map((word) => ({
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'text_delta', text: word },
      })),
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: usage.output_tokens } },
      { type: 'message_stop' },
    ];
    response.end(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''));
  };
}
