import { expect, test } from 'vitest';
import { WIRES } from '#bench/chaos/wire';
import { REQUEST } from './support.ts';

test('a chat stream tells text, end, usage and [DONE]', () => {
  const { readEvent } = WIRES.chat;
  expect(readEvent('{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}')).toEqual({ text: 'a' });
  expect(readEvent('{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}')).toEqual({ finish: 'length' });
  expect(readEvent('{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"cost":0.000000207}}')).toEqual({
    usage: { promptTokens: 3, completionTokens: 4, costNanoUsd: 207 },
  });
  expect(readEvent('[DONE]')).toEqual({ isEnd: true });
});

test('an error is typed by our own code where it is told, and untyped where nothing is', () => {
  const error = { code: 504, type: 'server_error', metadata: { error_type: 'timeout', headrace_code: 'upstream_timeout' } };
  const event = JSON.stringify({ error, choices: [{ delta: { content: '' }, finish_reason: 'error' }] });
  expect(WIRES.chat.readEvent(event)).toMatchObject({ error: { code: 'upstream_timeout' } });
  expect(
    WIRES.messages.readEvent(
      JSON.stringify({ type: 'error', error: { type: 'api_error', metadata: { headrace_code: 'upstream_failed' } } }),
    ),
  ).toMatchObject({
    error: { code: 'upstream_failed' },
  });
  expect(WIRES.chat.readWhole({ error: {} })).toMatchObject({ error: { code: null } });
});

test('a message stream tells its usage at the end only, with cached tokens among the prompt', () => {
  const { readEvent } = WIRES.messages;
  expect(readEvent('{"type":"message_start","message":{},"usage":{"input_tokens":0,"output_tokens":0,"cost":0}}')).toEqual({});
  expect(readEvent('{"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}')).toEqual({ text: 'a' });
  const last = {
    type: 'message_delta',
    delta: { stop_reason: 'max_tokens' },
    usage: { input_tokens: 3, cache_read_input_tokens: 16, output_tokens: 4, cost: 1e-9 },
  };
  expect(readEvent(JSON.stringify(last))).toEqual({ finish: 'length', usage: { promptTokens: 19, completionTokens: 4, costNanoUsd: 1 } });
  expect(readEvent('{"type":"message_stop"}')).toEqual({ isEnd: true });
});

test('a response ends completed, incomplete or failed', () => {
  const { readEvent, readWhole } = WIRES.responses;
  expect(readEvent('{"type":"response.output_text.delta","delta":"a"}')).toEqual({ text: 'a' });
  expect(readEvent('{"type":"response.created","response":{"status":"in_progress"}}')).toEqual({});
  expect(
    readEvent('{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}}'),
  ).toEqual({
    finish: 'length',
    isEnd: true,
  });
  expect(readEvent('{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error"}}}')).toEqual({
    error: { code: 'server_error' },
    isEnd: true,
  });
  const body = {
    status: 'completed',
    output: [{ content: [{ text: 'a' }, { text: 'b' }] }],
    usage: { input_tokens: 1, output_tokens: 2, cost: 0 },
  };
  expect(readWhole(body)).toMatchObject({ text: 'ab', finish: 'stop', usage: { promptTokens: 1, completionTokens: 2 } });
});

test('limits and stop words are asked for in the words of each API', () => {
  const request = { ...REQUEST, maxTokens: 9, stop: 'halt' };
  expect(WIRES.chat.bodyOf(request)).toMatchObject({ max_tokens: 9, stop: ['halt'], stream: true });
  expect(WIRES.messages.bodyOf(request)).toMatchObject({ max_tokens: 9, stop_sequences: ['halt'] });
  expect(WIRES.responses.bodyOf(request)).toMatchObject({ max_output_tokens: 9, input: REQUEST.prompt });
});
