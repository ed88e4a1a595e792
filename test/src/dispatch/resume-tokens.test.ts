import { describe, expect, it } from 'vitest';
import type { ChatDelta } from '#schema/chat';
import { NOTHING_USED } from '#schema/receipt';
import type { ReplyChunk } from '#schema/reply';
import { createTokenCount } from '#src/dispatch/resume/tokens';

function chunk(delta: ChatDelta, completionTokens?: number): ReplyChunk {
  const usage = completionTokens === undefined ? null : { ...NOTHING_USED, source: 'reported' as const, promptTokens: 9, completionTokens };
  return { kind: 'chunk', upstreamId: null, choices: [{ index: 0, delta, finish_reason: null }], usage, extra: null };
}

/** Counts pieces of text, each with what the upstream reports beside it. */
function count(said: readonly (readonly [content: string, reported?: number])[], heldCharsMax = 0): number {
  const tokens = createTokenCount(heldCharsMax);
  let text = '';
  for (const [content, reported] of said) {
    const one = chunk({ content }, reported);
    tokens.hear(one);
    text += content;
    tokens.report(one, text.length);
    tokens.settle();
  }
  return tokens.upTo(text);
}

describe('the tokens of an answer', () => {
  it('are as many as the upstream reports, however long its pieces are', () => {
    expect(
      count([
        ['Three tokens', 3],
        [' and, later on, a good many more of them', 12],
      ]),
    ).toBe(12);
  });

  it('are as many as its pieces where those are short, one of them perhaps a long word', () => {
    expect(count([['incomprehensible']])).toBe(1);
    expect(count([['The'], [' quick'], [' brown'], [' fox'], ['日本'], ['。']])).toBe(6);
  });

  it('are estimated where pieces are long', () => {
    expect(count([['x'.repeat(60)], ['y'.repeat(20)]])).toBe(20);
    expect(count([['    '.repeat(16)], ['a'], ['b'], ['c']])).toBe(17);
  });

  it('go on from the last report, by pieces', () => {
    expect(count([['The', 2], [' quick', 4], [' brown'], [' fox']])).toBe(6);
  });

  it('M14: are not what an upstream claims beyond the characters that came', () => {
    expect(count([['The', 100_000]])).toBe(19);
  });

  it('are not what a report says that opens the message or never changes', () => {
    expect(count([['', 1], ['The'], [' quick'], [' fox']])).toBe(3);
    expect(
      count([
        ['The', 1],
        [' quick', 1],
        [' fox', 1],
      ]),
    ).toBe(3);
  });

  it('leave out what an engine holds back for stop sequences, as many as it has reported before it said anything', () => {
    const said = [
      ['', 1],
      ['', 2],
      ['a', 3],
      ['b', 4],
    ] as const;
    expect(count(said, 5)).toBe(2);
    expect(count(said, 1)).toBe(3);
    expect(count(said)).toBe(4);
  });

  it('count thoughts, too', () => {
    const tokens = createTokenCount(0);
    for (const reasoning of ['Hm', ', well', ' then']) tokens.hear(chunk({ reasoning }));
    tokens.settle();
    expect(tokens.upTo('')).toBe(3);
    tokens.hear(chunk({ reasoning: 'z'.repeat(400) }));
    tokens.settle();
    expect(tokens.upTo('')).toBe(104);
  });

  it('of what was heard and has not got to the client are forgotten with the upstream that breaks', () => {
    const tokens = createTokenCount(0);
    tokens.hear(chunk({ content: 'One' }));
    tokens.settle();
    tokens.hear(chunk({ content: ' ' }));
    tokens.restart('One');
    tokens.hear(chunk({ content: ' ' }));
    tokens.hear(chunk({ content: 'two' }, 2));
    tokens.report(chunk({ content: 'two' }, 2), 7);
    tokens.settle();
    expect(tokens.upTo('One two')).toBe(3);
  });
});
