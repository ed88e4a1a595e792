import { describe, expect, it } from 'vitest';
import { createSpeech } from '#engine/llama/speech';

/** A tokenizer whose tokens are bytes. */
const detokenize = (tokens: readonly number[]): string => new TextDecoder().decode(Uint8Array.from(tokens));

function speak(text: string | Uint8Array, stopWords: string[] = []) {
  const speech = createSpeech(detokenize, stopWords);
  const said: string[] = [];
  for (const byte of typeof text === 'string' ? new TextEncoder().encode(text) : text) {
    const { text: piece, stopped } = speech.say(byte);
    said.push(piece);
    if (stopped) return { said, rest: '', stopped };
  }
  return { said, rest: speech.rest(), stopped: false };
}

describe('speech', () => {
  it('says each character when its last byte has come, and never a piece of one', () => {
    expect(speak('é€𝄞.').said).toEqual(['', 'é', '', '', '€', '', '', '', '𝄞', '.']);
  });

  it('says bytes that make no character as replacement characters instead of waiting for ever', () => {
    const { said, rest } = speak(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x61, 0xe2));
    expect(said.join('') + rest).toBe('\uFFFD\uFFFD\uFFFD\uFFFDa\uFFFD');
  });

  it('ends before a stop word and says nothing of it, though it comes byte by byte', () => {
    const { said, stopped } = speak('one END two', ['END']);
    expect(stopped).toBe(true);
    expect(said.join('')).toBe('one ');
  });

  it('says what only looked like a stop word', () => {
    const { said, rest, stopped } = speak('EN passant, EN', ['END']);
    expect(stopped).toBe(false);
    expect(said.join('')).toBe('EN passant, ');
    expect(rest).toBe('EN');
  });

  it('ends at the earliest of several stop words', () => {
    expect(speak('a b c', ['c', 'b']).said.join('')).toBe('a ');
  });
});
