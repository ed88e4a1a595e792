import { describe, expect, it } from 'vitest';
import { errorTable, GatewayError, type ErrorCode } from '#schema/error';
import type { ChatChoice } from '#schema/chat';
import type { DecodedReply } from '#schema/reply';
import { messages } from '#src/skins/messages/messages';
import { LABELS, read, SETTLEMENT } from './support.ts';

function answer(choice: Partial<ChatChoice>, over: Record<string, unknown> = {}): Record<string, unknown> {
  const reply: DecodedReply = { upstreamId: 'up', choices: [{ index: 0, finish_reason: 'stop', ...choice }], usage: null, extra: {} };
  return read(over).writeAnswer(LABELS, reply, SETTLEMENT) as Record<string, unknown>;
}

describe('an answer', () => {
  it('has the shape of a message, with provider, counts and cost', () => {
    expect(answer({ message: { content: 'hi' } })).toMatchObject({
      id: 'gen-1',
      type: 'message',
      role: 'assistant',
      model: 'm/x',
      provider: 'P',
      content: [{ type: 'text', text: 'hi', citations: null }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: {
        input_tokens: 20,
        cache_read_input_tokens: 8,
        cache_creation_input_tokens: 2,
        output_tokens: 9,
        output_tokens_details: { thinking_tokens: 4 },
        cost: 0.003,
        is_byok: false,
        cost_details: {
          upstream_inference_cost: 0.003,
          upstream_inference_input_cost: 0.001,
          upstream_inference_output_cost: 0.002,
        },
      },
    });
  });

  it('explains the route to whom asked', () => {
    const reply: DecodedReply = { upstreamId: null, choices: [], usage: null, extra: {} };
    const explained = read().writeAnswer(LABELS, reply, { ...SETTLEMENT, routerMetadata: { attempt: 1 } });
    expect(explained).toMatchObject({ content: [], openrouter_metadata: { attempt: 1 } });
  });

  it('thinks, speaks, then calls tools with what could be parsed', () => {
    const call = (id: string, text: string): object => ({ id, type: 'function', function: { name: 'f', arguments: text } });
    const message = {
      content: 'ok',
      reasoning: 'hm',
      tool_calls: [call('1', '{"x":1}'), call('', ''), call('3', '{"cut')],
    };
    expect(answer({ message, finish_reason: 'tool_calls' })).toMatchObject({
      stop_reason: 'tool_use',
      content: [
        { type: 'thinking', thinking: 'hm', signature: 'hr1:-:unsigned' },
        { type: 'text', text: 'ok' },
        { type: 'tool_use', id: '1', name: 'f', input: { x: 1 } },
        { type: 'tool_use', id: 'gen-1-1', name: 'f', input: {} },
        { type: 'tool_use', id: '3', name: 'f', input: { arguments: '{"cut' } },
      ],
    });
  });

  it('leaves thinking out, but not its signature, for whom it is omitted', () => {
    const format = 'anthropic-claude-v1';
    const message = { content: 'ok', reasoning_details: [{ type: 'reasoning.text', text: 'hm', signature: 'c2ln', format }] };
    expect(answer({ message }, { thinking: { type: 'adaptive', display: 'omitted' } })['content']).toEqual([
      { type: 'thinking', thinking: '', signature: 'c2ln' },
      { type: 'text', text: 'ok', citations: null },
    ]);
  });

  it.each<[Partial<ChatChoice>, string, string | null]>([
    [{ finish_reason: 'stop' }, 'end_turn', null],
    [{ finish_reason: 'length' }, 'max_tokens', null],
    [{ finish_reason: 'content_filter' }, 'refusal', null],
    [{ finish_reason: 'stop', message: { refusal: 'No.' } }, 'refusal', null],
    [{ finish_reason: 'stop', message: { tool_calls: [{ id: '1', function: { name: 'f', arguments: '{}' } }] } }, 'tool_use', null],
    [{ finish_reason: 'stop', native_finish_reason: 'pause_turn' }, 'pause_turn', null],
    [{ finish_reason: 'stop', stop_reason: 'END' }, 'stop_sequence', 'END'],
    [{ finish_reason: 'stop', matched_stop: 'END' }, 'stop_sequence', 'END'],
    [{ finish_reason: 'stop', stop_reason: 'not ours' }, 'end_turn', null],
    [{ finish_reason: null }, 'end_turn', null],
  ])('%j ended by %s', (choice, stop_reason, stop_sequence) => {
    expect(answer(choice, { stop_sequences: ['END'] })).toMatchObject({ stop_reason, stop_sequence });
  });

  it("is the upstream's own where it speaks this API, under our labels and with the settled usage", () => {
    const native = {
      id: 'msg_7',
      type: 'message',
      role: 'assistant',
      model: 'upstream-model',
      content: [{ type: 'server_tool_use', id: 's', name: 'web_search', input: {} }],
      stop_reason: 'pause_turn',
      some_future_field: 1,
      usage: { input_tokens: 1, output_tokens: 1, server_tool_use: { web_search_requests: 1 }, service_tier: 'priority' },
    };
    const reply: DecodedReply = { upstreamId: 'msg_7', choices: [], usage: null, extra: {}, native };
    expect(read().writeAnswer(LABELS, reply, SETTLEMENT)).toMatchObject({
      ...native,
      id: 'gen-1',
      model: 'm/x',
      provider: 'P',
      usage: { input_tokens: 20, output_tokens: 9, server_tool_use: { web_search_requests: 1 }, service_tier: 'priority', cost: 0.003 },
    });
  });
});

describe('an error', () => {
  const TYPES: Record<number, string> = {
    401: 'authentication_error',
    402: 'billing_error',
    403: 'permission_error',
    404: 'not_found_error',
    413: 'request_too_large',
    429: 'rate_limit_error',
    500: 'api_error',
    502: 'api_error',
    503: 'overloaded_error',
    504: 'timeout_error',
  };

  it.each(Object.keys(errorTable) as ErrorCode[])('%s has the type of its status', (code) => {
    const { status, errorType } = errorTable[code];
    expect(messages.writeError(new GatewayError(code, 'why'))).toMatchObject({
      type: 'error',
      error: { type: TYPES[status] ?? 'invalid_request_error', message: expect.stringMatching(/why$/), error_type: errorType },
      request_id: null,
    });
  });

  it('says in Anthropic’s words that a prompt is too long', () => {
    expect(messages.writeError(new GatewayError('context_length_exceeded', 'why'))).toMatchObject({
      error: { type: 'invalid_request_error', message: 'prompt is too long: why' },
    });
  });

  it('names the field and the generation', () => {
    const details = { param: 'max_tokens', headers: { 'x-generation-id': 'gen-9' } };
    expect(messages.writeError(new GatewayError('invalid_request', 'why', details))).toMatchObject({
      error: { param: 'max_tokens' },
      request_id: 'gen-9',
    });
  });
});
