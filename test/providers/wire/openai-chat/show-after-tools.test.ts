import { describe, expect, it } from 'vitest';
import { showAfterTools } from '#providers/wire/openai-chat/show-after-tools';
import type { ChatMessage } from '#schema/chat';

const text = (value: string) => ({ type: 'text', text: value });
const image = (name: string) => ({ type: 'image_url', image_url: { url: `https://images.example/${name}` } });
const tool = (id: string, ...content: { type: string }[]): ChatMessage => ({ role: 'tool', tool_call_id: id, content });
const NEXT = '(shown in the next message)';

describe('what tools show', () => {
  it('is shown by the user after all of them, in order, before what the user says', () => {
    const asked: ChatMessage = { role: 'user', content: 'compare' };
    expect(showAfterTools([tool('1', text('shot'), image('a')), tool('2', image('b')), asked])).toEqual([
      { role: 'tool', tool_call_id: '1', content: [text('shot'), text(NEXT)] },
      { role: 'tool', tool_call_id: '2', content: NEXT },
      { role: 'user', content: [image('a'), image('b'), text('compare')] },
    ]);
  });

  it('makes a message of its own where the user says nothing', () => {
    const answered: ChatMessage = { role: 'assistant', content: 'a cat' };
    const shown = [
      { role: 'tool', tool_call_id: '1', content: NEXT },
      { role: 'user', content: [image('a')] },
    ];
    expect(showAfterTools([tool('1', image('a'))])).toEqual(shown);
    expect(showAfterTools([tool('1', image('a')), answered])).toEqual([...shown, answered]);
  });

  it('is nothing where they only speak', () => {
    const messages = [tool('1', text('a')), { role: 'user', content: [image('mine')] } satisfies ChatMessage];
    expect(showAfterTools(messages)).toBe(messages);
  });
});
