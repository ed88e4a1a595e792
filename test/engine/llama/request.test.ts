import { describe, expect, it } from 'vitest';
import { readWish } from '#engine/llama/request';

const chat = (body: object) => readWish('chat', { messages: [{ role: 'user', content: 'Hello' }], ...body });

describe('readWish', () => {
  it('reads a chat with its sampling', () => {
    expect(chat({ temperature: 0, seed: 7, max_tokens: 5, stop: 'x', logprobs: true, top_logprobs: 3, stream: true })).toMatchObject({
      kind: 'chat',
      sampling: { temperature: 0, seed: 7, topK: 0, topP: 1, minP: 0 },
      maxTokens: 5,
      stopWords: ['x'],
      topLogprobs: 3,
      streaming: true,
      includeUsage: false,
      prompt: { messages: [{ role: 'user', content: 'Hello' }], continuation: '' },
    });
  });

  it('goes on with a last message of the assistant, unless it is told not to', () => {
    const messages = [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hi, I' },
    ];
    expect(chat({ messages })).toMatchObject({ prompt: { messages: messages.slice(0, 1), continuation: 'Hi, I' } });
    expect(chat({ messages, continue_final_message: false })).toMatchObject({ prompt: { messages, continuation: '' } });
  });

  it('joins text parts and refuses others', () => {
    const parts = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ];
    expect(chat({ messages: [{ role: 'user', content: parts }] })).toMatchObject({ prompt: { messages: [{ content: 'ab' }] } });
    expect(chat({ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] })).toMatchObject({ status: 400 });
  });

  it.each([
    [{ n: 2 }],
    [{ tools: [{ type: 'function' }] }],
    [{ response_format: { type: 'json_object' } }],
    [{ messages: [] }],
    [{ messages: 'Hello' }],
    [{ temperature: -1 }],
    [{ max_tokens: 0 }],
    [{ stop: [''] }],
    [{ logprobs: true, top_logprobs: 21 }],
  ])('refuses %j with a 400 that names the field', (body) => {
    const refusal = chat(body);
    expect(refusal).toMatchObject({ status: 400, type: 'invalid_request_error' });
    expect((refusal as { message: string }).message).toContain(Object.keys(body).at(-1));
  });
});
