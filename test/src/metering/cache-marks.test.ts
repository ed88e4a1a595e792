import { describe, expect, it } from 'vitest';
import { asksCacheWrites } from '#src/metering/cache-marks';

const MARK = { cache_control: { type: 'ephemeral' } };
const PLAIN = { role: 'user', content: 'hello' };
const MESSAGES = { dialect: 'anthropic-messages' } as const;

describe('a request that asks to write to the cache', () => {
  it.each([
    ['as a whole', { ...MARK, messages: [PLAIN] }],
    [
      'by a part of a message',
      {
        messages: [
          PLAIN,
          {
            role: 'user',
            content: [
              { type: 'text', text: 'a' },
              { type: 'text', text: 'b', ...MARK },
            ],
          },
        ],
      },
    ],
    ['by a message', { messages: [{ ...PLAIN, ...MARK }] }],
    ['by the function of a tool', { messages: [PLAIN], tools: [{ type: 'function', function: { name: 'a', ...MARK } }] }],
    ['by a tool', { messages: [PLAIN], tools: [{ type: 'function', function: { name: 'a' }, ...MARK }] }],
  ])('does so %s', (_, request) => {
    expect(asksCacheWrites(request, MESSAGES)).toBe(true);
  });

  it('M14: asks nothing of an endpoint in whose dialect the marks are taken off', () => {
    expect(asksCacheWrites({ ...MARK, messages: [PLAIN] }, { dialect: 'openai-chat' })).toBe(false);
  });

  it('M14: does not where nothing is marked, whatever its shape', () => {
    for (const request of [
      { messages: [PLAIN] },
      { messages: [{ content: null }, null] },
      { prompt: 'a' },
      { messages: 'a', tools: {} },
      { cache_control: null },
    ])
      expect(asksCacheWrites(request, MESSAGES)).toBe(false);
  });
});
