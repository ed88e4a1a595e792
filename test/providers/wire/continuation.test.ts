import { describe, expect, it } from 'vitest';
import type { DialectTarget } from '#providers/provider';
import { dialectOf, findProvider, providers, quirksOf } from '#providers/registry';
import { beginAnswer } from '#providers/wire/begin-answer';
import { createRepeatCutter } from '#providers/wire/cut-repeat';
import type { WireId } from '#schema/catalog';
import { chatRequest, type ChatRequest } from '#schema/chat';
import { collect, playStream, targetWith } from '../answers.ts';

const HELLO = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };

function send(dialect: WireId, request: object, target: Partial<DialectTarget>): { url: string; body: Record<string, unknown> } {
  const encoded = dialectOf(dialect).encodeRequest(chatRequest.parse({ ...HELLO, ...request }), targetWith(target));
  return { url: encoded.url, body: JSON.parse(encoded.body) };
}

const ask = (provider: string, request: object = {}) => send('openai-chat', request, { quirks: quirksOf(provider), continues: 'One two' });

describe('the rest of an answer is asked for', () => {
  const flags = { continue_final_message: true, add_generation_prompt: false };

  it.each<[provider: string, mark: object, fields: object]>([
    ['vllm', {}, flags],
    ['sglang', {}, flags],
    ['selfhosted', {}, flags],
    ['llama-cpp', {}, {}],
    ['ollama', {}, {}],
    ['mistral', { prefix: true }, {}],
    ['deepseek', { prefix: true }, {}],
    ['moonshot', { partial: true }, {}],
  ])('in the words of %s', (provider, mark, fields) => {
    const { body } = ask(provider);
    expect(body).toEqual({
      model: 'upstream-model',
      messages: [HELLO.messages[0], { role: 'assistant', content: 'One two', ...mark }],
      ...fields,
    });
  });

  it('at the place where the vendor has it', () => {
    expect(ask('deepseek').url).toBe('https://upstream.example/v1/beta/chat/completions');
    expect(ask('mistral').url).toBe('https://upstream.example/v1/chat/completions');
    expect(send('openai-chat', {}, { quirks: quirksOf('deepseek') }).url).toBe('https://upstream.example/v1/chat/completions');
  });

  it('in a way of its own by every provider that says it can', () => {
    const able = [...providers.values()].filter(({ capabilities }) => capabilities.includes('continuation'));
    expect(able.length).toBeGreaterThan(3);
    for (const { id } of able) expect(findProvider(id)?.quirks).toHaveProperty('continuation');
  });

  it('without a format, which would begin anew, but in words, and without what answers repeat by wish', () => {
    const format = { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'array' } } };
    const { body } = ask('vllm', { response_format: format, echo: true, reasoning_effort: 'none' });
    expect(body).not.toHaveProperty('response_format');
    expect(body).not.toHaveProperty('echo');
    expect(body).not.toHaveProperty('reasoning_effort');
    expect(JSON.stringify(body['messages'])).toContain('JSON Schema');
  });

  it('of Anthropic by a last turn, without thinking and format', () => {
    const request = {
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema: {} } },
      reasoning: { max_tokens: 2000 },
      max_tokens: 4000,
    };
    const { body } = send('anthropic-messages', request, { continues: 'One two' });
    expect(body['messages']).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'hi' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'One two' }] },
    ]);
    expect(body).not.toHaveProperty('thinking');
    expect(body).not.toHaveProperty('output_config');
    expect(body['system']).toContain('JSON Schema');
  });

  it('of a raw prompt by what follows it', () => {
    const target = { continues: ' two', native: { prompt: 'One', max_tokens: 5 } };
    expect(send('openai-completions', {}, target).body).toEqual({ model: 'upstream-model', prompt: 'One two', max_tokens: 5 });
  });
});

describe('beginAnswer', () => {
  const user = { role: 'user', content: 'hi' } as const;

  it.each<[string, ChatRequest['messages'][number], unknown]>([
    ['joins a text that the client had begun', { role: 'assistant', content: 'A' }, [{ content: 'AB' }]],
    ['joins parts of text', { role: 'assistant', content: [{ type: 'text', text: 'A' }] }, [{ content: 'AB' }]],
    ['joins nothing with it', { role: 'assistant', content: null }, [{ content: 'B' }]],
    [
      'leaves calls alone',
      { role: 'assistant', content: 'A', tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }] },
      [{ content: 'A' }, { content: 'B' }],
    ],
    ['leaves the user alone', user, [user, { role: 'assistant', content: 'B' }]],
  ])('%s', (_, last, expected) => {
    const before = structuredClone(last);
    expect(beginAnswer([user, last], 'B').slice(1)).toMatchObject(expected as object[]);
    expect(last).toEqual(before);
  });
});

describe('createRepeatCutter', () => {
  it.each<[repeated: string, pieces: string[], left: string[]]>([
    ['', ['ab'], ['ab']],
    ['ab', ['abc'], ['c']],
    ['ab', ['a', 'b', 'c'], ['', '', 'c']],
    ['ab', ['a', 'c'], ['', 'ac']],
    ['ab', ['x', 'ab'], ['x', 'ab']],
    ['aab', ['aa', 'ab'], ['', 'aaab']],
    ['ab', ['ab', 'ab'], ['', 'ab']],
  ])('%j of %j', (repeated, pieces, left) => {
    const cutter = createRepeatCutter(repeated);
    expect(pieces.map((piece) => cutter.cut(piece))).toEqual(left);
  });
});

describe('an answer that repeats its beginning', () => {
  const chunk = (content: string, reason: string | null = null) =>
    `data: ${JSON.stringify({ id: 'x', choices: [{ index: 0, delta: { content }, finish_reason: reason }] })}\n\n`;
  const read = (request: object, ...contents: string[]) => {
    const target = targetWith({ quirks: quirksOf('mistral'), continues: 'One two', request: chatRequest.parse({ ...HELLO, ...request }) });
    const bytes = new TextEncoder().encode([...contents.map((content) => chunk(content)), chunk('', 'stop'), 'data: [DONE]\n\n'].join(''));
    return playStream(dialectOf('openai-chat'), target, [bytes]);
  };

  it('is heard from where it goes on', () => {
    const events = read({}, 'One', ' two', ' three');
    expect(collect(events)).toMatchObject({ content: ' three', finishReason: 'stop', done: true });
    expect(events.map(({ kind }) => kind)).toEqual(['ignore', 'ignore', 'chunk', 'chunk', 'done']);
  });

  it('is heard as it is where it repeats nothing', () => {
    expect(collect(read({}, ' three'))).toMatchObject({ content: ' three' });
  });

  it('repeats what the client began, too', () => {
    const messages = [...HELLO.messages, { role: 'assistant', content: 'Zero. ' }];
    expect(collect(read({ messages }, 'Zero. One two', ' three'))).toMatchObject({ content: ' three' });
  });
});
