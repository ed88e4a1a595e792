import { describe, expect, it } from 'vitest';
import { createTokenCount } from '#cli/node/link/token-count';
import { randomChunks } from '#test/support/random-chunks';

const trailer = (tokens: number): string => `data: {"usage":{"prompt_tokens":7,"completion_tokens":${tokens}}}\n\ndata: [DONE]\n\n`;

describe('the tokens of an answer', () => {
  it.each([1, 2, 3])('are read from its end, however it is cut (seed %i)', (seed) => {
    const count = createTokenCount();
    const text = `data: {"choices":[{"delta":{"content":"say \\"completion_tokens\\":99"}}]}\n\n`.repeat(200) + trailer(1234);
    for (const chunk of randomChunks(text, seed, 300)) count.add(chunk);
    expect(count.read()).toBe(1234);
  });

  it('are none where the engine does not count', () => {
    const count = createTokenCount();
    count.add(new TextEncoder().encode('data: {"choices":[]}\n\n'));
    expect(count.read()).toBe(0);
  });
});
