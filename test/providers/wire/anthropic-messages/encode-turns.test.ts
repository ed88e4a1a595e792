import { describe, expect, it } from 'vitest';
import type { DialectTarget } from '#providers/provider';
import { encodeAnthropicRequest } from '#providers/wire/anthropic-messages/encode-request';
import { chatRequest } from '#schema/chat';
import { targetWith } from '../../answers.ts';

const user = (content: unknown): unknown => ({ role: 'user', content });
const text = (value: string): unknown => ({ type: 'text', text: value });

function send(messages: unknown[], target: Partial<DialectTarget> = {}): Record<string, unknown> {
  return JSON.parse(encodeAnthropicRequest(chatRequest.parse({ model: 'm', messages }), targetWith(target)).body);
}

const turns = (...messages: unknown[]): unknown => send(messages)['messages'];

describe('messages', () => {
  it('extracts system and developer messages, with cache marks where a part has them', () => {
    const messages = [{ role: 'system', content: 'A' }, user('hi'), { role: 'developer', content: [{ type: 'text', text: 'B' }] }];
    expect(send(messages)).toMatchObject({ system: 'A\n\nB', messages: [{ role: 'user', content: [text('hi')] }] });
    const marked = { type: 'text', text: 'A', cache_control: { type: 'ephemeral' } };
    expect(send([{ role: 'system', content: [marked] }, user('hi')])['system']).toEqual([marked]);
  });

  it('makes a user turn of a conversation of system messages alone', () => {
    expect(turns({ role: 'system', content: 'A' })).toEqual([{ role: 'user', content: [text('A')] }]);
  });

  it('encodes images by data and by address, and PDF files', () => {
    const parts = [
      text('see'),
      { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=', detail: 'low' } },
      { type: 'image_url', image_url: { url: 'https://images.example/a.png' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBE' } },
      { type: 'text', text: '' },
    ];
    expect(turns(user(parts))).toEqual([
      {
        role: 'user',
        content: [
          text('see'),
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
          { type: 'image', source: { type: 'url', url: 'https://images.example/a.png' } },
          { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' }, title: 'a.pdf' },
        ],
      },
    ]);
  });

  it('takes the bytes of a file without their type for PDF', () => {
    const pdf = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' } };
    expect(turns(user([{ type: 'file', file: { file_data: 'JVBE' } }]))).toEqual([{ role: 'user', content: [pdf] }]);
  });

  it('encodes text files as text, and refusals as what was said', () => {
    const file = { type: 'file', file: { filename: 'a.md', file_data: 'data:text/markdown;base64,R3LDvMOfZQ==' } };
    const refused = { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] };
    expect(turns(user([file]), refused, user('why?'))).toEqual([
      { role: 'user', content: [{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Grüße' }, title: 'a.md' }] },
      { role: 'assistant', content: [text('No.')] },
      { role: 'user', content: [text('why?')] },
    ]);
  });

  it('shows images in tool results, and gives call ids only characters that the API takes', () => {
    const call = { id: 'functions.shot:0', type: 'function', function: { name: 'shot', arguments: '{}' } };
    const image = { type: 'image_url', image_url: { url: 'https://images.example/a.png' } };
    const messages = [
      user('look'),
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', tool_call_id: call.id, content: [{ type: 'text', text: 'done' }, image] },
    ];
    expect(turns(...messages)).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'functions_shot_0' }] },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'functions_shot_0',
            content: [text('done'), { type: 'image', source: { type: 'url', url: 'https://images.example/a.png' } }],
          },
        ],
      },
    ]);
  });

  it('merges consecutive turns of one role, tool results being part of the user turn', () => {
    const call = (id: string, text: string): unknown => ({ id, type: 'function', function: { name: 'f', arguments: text } });
    const messages = [
      user('a'),
      user('b'),
      { role: 'assistant', content: 'ok', tool_calls: [call('1', '{"x":1}'), call('2', ''), call('3', '{broken')] },
      { role: 'tool', tool_call_id: '1', content: 'one' },
      { role: 'tool', tool_call_id: '2', content: [{ type: 'text', text: 'two' }] },
      user('go on'),
    ];
    expect(turns(...messages)).toEqual([
      { role: 'user', content: [text('a'), text('b')] },
      {
        role: 'assistant',
        content: [
          text('ok'),
          { type: 'tool_use', id: '1', name: 'f', input: { x: 1 } },
          { type: 'tool_use', id: '2', name: 'f', input: {} },
          { type: 'tool_use', id: '3', name: 'f', input: { arguments: '{broken' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: '1', content: 'one' },
          { type: 'tool_result', tool_use_id: '2', content: [text('two')] },
          text('go on'),
        ],
      },
    ]);
  });

  it('restores signed thinking of its own format only, whole or in pieces', () => {
    const format = 'anthropic-claude-v1';
    const reasoning_details = [
      { type: 'reasoning.text', text: 'Let me ', format, index: 0 },
      { type: 'reasoning.text', text: 'think.', format, index: 0 },
      { type: 'reasoning.text', signature: 'c2ln', format, index: 0 },
      { type: 'reasoning.encrypted', data: 'b3BhcXVl', format, index: 1 },
      { type: 'reasoning.text', text: 'foreign', signature: 'x', format: 'google-gemini-v1' },
      { type: 'reasoning.text', text: 'unsigned', format },
    ];
    expect(turns(user('q'), { role: 'assistant', content: '42', reasoning: 'Let me think.', reasoning_details }, user('r'))).toContainEqual(
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Let me think.', signature: 'c2ln' },
          { type: 'redacted_thinking', data: 'b3BhcXVl' },
          text('42'),
        ],
      },
    );
  });

  it("gives signatures back to the operator that issued them, and leaves out anybody else's", () => {
    const format = 'anthropic-claude-v1';
    const reasoning_details = [
      { type: 'reasoning.text', text: 'theirs', signature: 'hr1:other:eA==', format },
      { type: 'reasoning.encrypted', data: 'hr1:other:eQ==', format },
      { type: 'reasoning.text', text: 'own', signature: 'hr1:maker:c2ln', format },
      { type: 'reasoning.encrypted', data: 'hr1:maker:b3BhcXVl', format },
    ];
    const messages = [user('q'), { role: 'assistant', content: '42', reasoning_details }, user('r')];
    expect(send(messages, { operatorId: 'maker' })['messages']).toContainEqual({
      role: 'assistant',
      content: [{ type: 'thinking', thinking: 'own', signature: 'c2ln' }, { type: 'redacted_thinking', data: 'b3BhcXVl' }, text('42')],
    });
  });

  it('trims the white space that a prefilled answer may not end in', () => {
    expect(turns(user('q'), { role: 'assistant', content: 'Once upon ' })).toContainEqual({
      role: 'assistant',
      content: [text('Once upon')],
    });
    expect(turns(user('q'), { role: 'assistant', content: ' ' })).toHaveLength(1);
  });
});
