import { describe, expect, it } from 'vitest';
import { seededRandom } from '#test/support/random-chunks';
import { endsInHalf, tokensOf } from './random-tokens.ts';
import { generate, resume, type EngineOptions, type Trouble } from './resumed.ts';

describe('output limits', () => {
  const TOKENS = ['One', ' ', 'two', '\n', '\n', 'three', ' ', ' ', '🌊', 'four', '.'];

  /** The answer of an engine that nobody broke. */
  const unbrokenOf = (tokens: readonly string[], limit: number) => generate(tokens, { body: { max_tokens: limit }, prefix: '' });

  it.each([true, false])('hold at every cut (usage comes with every token: %s)', async (running) => {
    for (let limit = 1; limit <= TOKENS.length + 1; limit++) {
      const { said, finish } = unbrokenOf(TOKENS, limit);
      for (let cut = 2; cut <= said.length + 1; cut++) {
        const troubles: Trouble[] = [{ kind: 'error', at: cut / (said.length + 4) }];
        const { heard, calls } = await resume({ tokens: TOKENS, troubles, running }, { request: { max_tokens: limit } });
        const expected = { limit, cut, text: said.join(''), finish };
        // With nothing left it cannot be known whether the answer would have ended by itself.
        const isSpent = calls.length === 1;
        expect({ limit, cut, text: heard.text, finish: heard.finish }).toEqual(isSpent ? { ...expected, finish: 'length' } : expected);
      }
    }
  });

  it('hold to the token, whatever the text, wherever and however often it breaks', async () => {
    let seams = 0;
    for (let seed = 1; seed <= 800; seed++) {
      const random = seededRandom(seed * 104_729);
      const tokens = tokensOf(seed);
      const limit = 1 + Math.floor(random() * (tokens.length + 1));
      const troubles: Trouble[] = Array.from({ length: 1 + (seed % 3) }, () => ({
        kind: (['reset', 'end', 'error'] as const)[Math.floor(random() * 3)] ?? 'end',
        at: random(),
      }));
      const { said } = unbrokenOf(tokens, limit);
      const { heard } = await resume({ tokens, troubles, seed, running: seed % 2 === 0 }, { request: { max_tokens: limit } });
      const expected = { seed, text: withoutHalves(said.join('')), hasEnded: true };
      expect({ seed, text: withoutHalves(heard.text), hasEnded: heard.finish !== null }).toEqual(expected);
      seams += heard.seams;
    }
    expect(seams).toBeGreaterThan(600);
  });

  it('hold where pieces are many tokens each, by our estimate', async () => {
    const tokens = Array.from({ length: 40 }, (_, place) => ` a sentence of some words, the one of number ${place}.`);
    const { calls } = await resume({ tokens, troubles: [{ kind: 'error', at: 11 / 44 }] }, { request: { max_tokens: 500 } });
    expect(calls[1]?.body['max_tokens']).toBe(500 - Math.ceil(tokens.slice(0, 10).join('').length / 4));
  });

  it('hold where an engine keeps back what might become a stop sequence', async () => {
    const tokens = Array.from('abcdefghijkl');
    // Twelve tokens, of which three are always kept back.
    const rewrite: EngineOptions['rewrite'] = (chunks, { prefix }) =>
      chunks.map((chunk, place) => (place === 0 || place > tokens.length - prefix.length ? chunk : delayed(chunk, place, prefix)));
    const delayed = (chunk: object, place: number, prefix: string) => {
      const content = place <= 3 ? '' : tokens[prefix.length + place - 4];
      return { ...chunk, choices: [{ index: 0, delta: { content }, finish_reason: null }] };
    };
    const request = { max_tokens: 10, stop: 'WXYZ' };
    const { calls } = await resume({ tokens, troubles: [{ kind: 'error', at: 8 / 14 }], running: true, rewrite }, { request });
    expect(calls[1]).toMatchObject({ prefix: 'abcd', body: { max_tokens: 6 } });
  });

  it('with nothing left the answer ends at once, and nobody else is asked', async () => {
    const { calls, heard, reply, ended } = await resume(
      { tokens: TOKENS, troubles: [{ kind: 'error', at: 4 / 7 }], running: true },
      { request: { max_tokens: 3 } },
    );
    expect(heard).toMatchObject({ text: 'One two', finish: 'length', failure: null, seams: 0 });
    expect(calls).toHaveLength(1);
    expect(reply.brokenBy).toMatchObject({ kind: 'upstream_error' });
    expect(ended).toMatchObject([{ endpointId: 'a', outcome: 'interrupted', completionTokens: 3 }]);
  });
});

/** The text but for half a character at its end, which a limit can leave and which is not delivered across a seam. */
function withoutHalves(text: string): string {
  return endsInHalf(text) ? text.slice(0, -1) : text;
}
