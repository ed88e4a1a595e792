import { describe, expect, it } from 'vitest';
import { encodeAnthropicRequest } from '#providers/wire/anthropic-messages/encode-request';
import { anthropicMessages } from '#providers/wire/anthropic-messages';
import type { StreamDecoder } from '#providers/provider';
import { chatRequest } from '#schema/chat';
import { collect, playStream, readFixture, readJsonFixture, targetWith } from '../../answers.ts';

const target = targetWith({ auth: 'x-api-key' });
const newDecoder = (): StreamDecoder => anthropicMessages.createStreamDecoder(target);
const feed = (decoder: StreamDecoder, event: Record<string, unknown>): unknown => decoder.decode(JSON.stringify(event), undefined);

describe('thinking', () => {
  const format = 'anthropic-claude-v1';

  it('comes as reasoning and as signed details', () => {
    const answer = collect(playStream(anthropicMessages, target, [readFixture('anthropic/reasoning.sse')]));
    expect(answer.details).toEqual([
      { type: 'reasoning.text', text: 'Let me ', format, index: 0 },
      { type: 'reasoning.text', text: 'think.', format, index: 0 },
      { type: 'reasoning.text', signature: 'c2ln', format, index: 0 },
      { type: 'reasoning.encrypted', data: 'b3BhcXVl', format, index: 1 },
    ]);
  });

  it('survives the way to the client and back', () => {
    const body = readJsonFixture('anthropic/reasoning.json') as { content: unknown };
    const decoded = anthropicMessages.decodeReply(body, target);
    const message = 'reply' in decoded ? decoded.reply.choices[0]?.message : undefined;
    const request = chatRequest.parse({ model: 'm', messages: [{ role: 'user', content: 'q' }, message, { role: 'user', content: 'r' }] });
    expect(JSON.parse(encodeAnthropicRequest(request, target).body).messages[1].content).toEqual(body.content);
  });
});

describe('usage', () => {
  it('counts cached tokens as part of the prompt', () => {
    const { usage } = collect(playStream(anthropicMessages, target, [readFixture('anthropic/reasoning.sse')]));
    expect(usage).toEqual({
      source: 'reported',
      promptTokens: 21,
      completionTokens: 9,
      reasoningTokens: 0,
      cacheReadTokens: 8,
      cacheWriteTokens: 8,
    });
  });

  it('takes the later of two counts, and none that is nonsense', () => {
    const decoder = newDecoder();
    feed(decoder, { type: 'message_start', message: { id: 'm', usage: { input_tokens: 1, output_tokens: 1 } } });
    expect(feed(decoder, { type: 'message_delta', delta: {}, usage: { input_tokens: 5, output_tokens: -3 } })).toMatchObject({
      usage: { promptTokens: 5, completionTokens: 1 },
    });
  });

  it('knows how much of the output was thought, where that is said', () => {
    const decoder = newDecoder();
    const usage = { input_tokens: 3, output_tokens: 9, output_tokens_details: { thinking_tokens: 4 } };
    expect(feed(decoder, { type: 'message_delta', delta: {}, usage })).toMatchObject({
      usage: { completionTokens: 9, reasoningTokens: 4 },
    });
  });

  it('T6: stays null when the prompt was never counted', () => {
    expect(feed(newDecoder(), { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } })).toMatchObject({
      usage: null,
      choices: [{ finish_reason: 'stop', native_finish_reason: 'end_turn' }],
    });
  });
});

describe('tool calls', () => {
  const start = (index: number, input: unknown): Record<string, unknown> => ({
    type: 'content_block_start',
    index,
    content_block: { type: 'tool_use', id: `t${index}`, name: 'f', input },
  });

  it('are numbered among themselves, whatever blocks stand between', () => {
    const decoder = newDecoder();
    feed(decoder, { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
    expect(feed(decoder, start(1, {}))).toMatchObject({ choices: [{ delta: { tool_calls: [{ index: 0, id: 't1' }] } }] });
    expect(feed(decoder, start(4, {}))).toMatchObject({ choices: [{ delta: { tool_calls: [{ index: 1, id: 't4' }] } }] });
    expect(feed(decoder, { type: 'content_block_delta', index: 4, delta: { type: 'input_json_delta', partial_json: '{}' } })).toMatchObject(
      {
        choices: [{ delta: { tool_calls: [{ index: 1, function: { arguments: '{}' } }] } }],
      },
    );
  });

  it('without arguments still end as valid JSON', () => {
    const decoder = newDecoder();
    feed(decoder, start(0, {}));
    expect(feed(decoder, { type: 'content_block_stop', index: 0 })).toMatchObject({
      choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: '{}' } }] } }],
    });
    expect(feed(decoder, { type: 'content_block_stop', index: 0 })).toEqual({ kind: 'ignore' });
  });

  it('may bring their whole input at the start', () => {
    const decoder = newDecoder();
    expect(feed(decoder, start(0, { x: 1 }))).toMatchObject({
      choices: [{ delta: { tool_calls: [{ function: { arguments: '{"x":1}' } }] } }],
    });
    expect(feed(decoder, { type: 'content_block_stop', index: 0 })).toEqual({ kind: 'ignore' });
  });

  it('are bounded in number', () => {
    const decoder = newDecoder();
    let last: unknown;
    for (let index = 0; index <= 1024; index += 1) last = feed(decoder, start(index, {}));
    expect(last).toMatchObject({ kind: 'failure', failure: { kind: 'protocol' } });
  });

  it("of the vendor's own server tools are not the client's", () => {
    const decoder = newDecoder();
    expect(
      feed(decoder, { type: 'content_block_start', index: 0, content_block: { type: 'server_tool_use', id: 's', name: 'web' } }),
    ).toEqual({ kind: 'ignore' });
    expect(feed(decoder, { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{' } })).toEqual({
      kind: 'ignore',
    });
  });
});

describe('events', () => {
  it('ignores pings and events that it does not know', () => {
    expect(newDecoder().decode('{"type":"ping"}', 'ping')).toEqual({ kind: 'ignore' });
    expect(feed(newDecoder(), { type: 'some_future_event' })).toEqual({ kind: 'ignore' });
  });

  it.each([
    ['overloaded_error', 'capacity'],
    ['rate_limit_error', 'capacity'],
    ['api_error', 'upstream_error'],
    ['invalid_request_error', 'rejected'],
    ['authentication_error', 'credential'],
    ['billing_error', 'credential'],
  ])('T4: an error event of type %s is %s', (type, kind) => {
    expect(feed(newDecoder(), { type: 'error', error: { type, message: 'x' } })).toMatchObject({ kind: 'failure', failure: { kind } });
  });

  it('says message_stop as done', () => {
    expect(feed(newDecoder(), { type: 'message_stop' })).toEqual({ kind: 'done' });
  });
});
