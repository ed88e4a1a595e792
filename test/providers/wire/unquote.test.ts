import { describe, expect, it } from 'vitest';
import { unquote } from '#providers/wire/unquote';
import type { ChatMessage, ChatRequest } from '#schema/chat';

const asked = (...messages: ChatMessage[]): ChatRequest => ({ model: 'm', messages });
const user = (content: string): ChatRequest => asked({ role: 'user', content });

describe('unquote', () => {
  it('P1: takes a quoted prompt out of an error, whole or cut off, and leaves the rest', () => {
    const request = user('My account number is 4711 and my name is Ada.');
    expect(unquote('invalid input "My account number is 4711 and my name is Ada." at messages.0', request)).toBe(
      'invalid input "[text]" at messages.0',
    );
    expect(unquote('invalid input: My account number is 47…', request)).toBe('invalid input: [text]…');
    expect(unquote('maximum context length is 4096 tokens', request)).toBe('maximum context length is 4096 tokens');
  });

  it('P1: finds text parts, system prompts, tool results and tool arguments', () => {
    const request = asked(
      { role: 'system', content: 'You are the secret assistant of Ada.' },
      { role: 'user', content: [{ type: 'text', text: 'Where is the treasure buried?' }] },
      {
        role: 'assistant',
        tool_calls: [{ id: '1', type: 'function', function: { name: 'dig', arguments: '{"place":"under the old oak"}' } }],
      },
      { role: 'tool', tool_call_id: '1', content: 'found under the roots' },
    );
    for (const quoted of ['secret assistant of Ada', 'Where is the treasure', '{"place":"under the old', 'found under the roots']) {
      expect(unquote(`error near ${quoted} here`, request)).toMatch(/^error near ?\[text\] ?here$/);
    }
  });

  it('P1: takes out a short prompt whole, but no word that any error may use', () => {
    expect(unquote('cannot parse hunter2!', user('hunter2!'))).toBe('cannot parse [text]');
    expect(unquote('the value is not valid', user('the'))).toBe('the value is not valid');
  });

  it('finds prompts in scripts without spaces', () => {
    expect(unquote('无效：请把这封信翻译成德语并寄给我的律师谢谢。', user('请把这封信翻译成德语并寄给我的律师谢谢'))).toBe(
      '无效：[text]。',
    );
  });

  it('I6: stays bounded for a huge error and a huge prompt', () => {
    expect(unquote('x'.repeat(100_000), user('y'.repeat(5_000_000)))).toHaveLength(4000);
    expect(unquote('a'.repeat(100_000), user('a'.repeat(5_000_000)))).toBe('[text]');
  });
});
