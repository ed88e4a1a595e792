import { describe, expect, it } from 'vitest';
import type { ChatChoice, ChatDelta } from '#schema/chat';
import type { Usage } from '#schema/receipt';
import { addToTally, createTally, cutTally, isFinished, spanOf } from '#src/metering/tally';

const choice = (delta: ChatDelta, finish_reason: string | null = null, index = 0): ChatChoice => ({ index, delta, finish_reason });

function tallyOf(choices: readonly (ChatChoice | readonly [ChatChoice, number])[]) {
  const tally = createTally();
  for (const entry of choices) {
    const [one, nowMs] = 'index' in entry ? [entry, 0] : entry;
    addToTally(tally, { upstreamId: null, choices: [one], usage: null }, nowMs);
  }
  return tally;
}

describe('counts', () => {
  it.each<[string, ChatDelta, { chars: number; content: number; reasoning: number }]>([
    ['content', { content: 'abcdefgh' }, { chars: 8, content: 2, reasoning: 0 }],
    ['a refusal', { refusal: 'abcd' }, { chars: 4, content: 1, reasoning: 0 }],
    ['reasoning', { reasoning: 'abcd' }, { chars: 4, content: 0, reasoning: 1 }],
    [
      'tool calls',
      { tool_calls: [{ index: 0, function: { name: 'abcd', arguments: 'efgh' } }, { index: 1 }] },
      { chars: 8, content: 2, reasoning: 0 },
    ],
    ['an opening', { role: 'assistant', content: '' }, { chars: 0, content: 0, reasoning: 0 }],
    ['nulls', { content: null, reasoning: null, refusal: null }, { chars: 0, content: 0, reasoning: 0 }],
  ])('%s', (_name, delta, { chars, content, reasoning }) => {
    expect(tallyOf([choice(delta)])).toMatchObject({ deliveredChars: chars, contentTokens: content, reasoningTokens: reasoning });
  });

  it('the same text counts the same however it is cut into deltas', () => {
    const text = 'Grüße aus 東京, and hello.';
    const pieces = tallyOf(Array.from(text).map((content) => choice({ content })));
    expect(pieces.contentTokens).toBeCloseTo(tallyOf([choice({ content: text })]).contentTokens, 9);
  });

  it('counts a message as it counts a delta', () => {
    const tally = createTally();
    addToTally(tally, { upstreamId: 'up', choices: [{ index: 0, message: { content: 'abcd' }, finish_reason: 'stop' }], usage: null }, 0);
    expect(tally).toMatchObject({ upstreamId: 'up', deliveredChars: 4, contentTokens: 1, finishReason: 'stop' });
  });

  it('T6: the last usage reported counts, and an event without usage takes none away', () => {
    const usage = (completionTokens: number): Usage => ({
      source: 'reported',
      promptTokens: 1,
      completionTokens,
      reasoningTokens: 0,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
    });
    const tally = createTally();
    for (const reported of [usage(1), usage(2), null]) addToTally(tally, { upstreamId: null, choices: [], usage: reported }, 0);
    expect(tally.reported?.completionTokens).toBe(2);
  });
});

describe('times and reasons', () => {
  it('T10: the first and the last content are timed, openings and finishes are not', () => {
    const tally = tallyOf([
      [choice({ role: 'assistant', content: '' }), 10],
      [choice({ content: 'a' }), 20],
      [choice({ reasoning: 'b' }), 30],
      [choice({}, 'stop'), 40],
    ]);
    expect(tally).toMatchObject({ firstTokenAtMs: 20, lastTokenAtMs: 30 });
  });

  it('keeps the first finish reason, with the native one beside it', () => {
    const tally = tallyOf([{ ...choice({}, 'length'), native_finish_reason: 'max_tokens' }, choice({}, 'stop', 1)]);
    expect(tally).toMatchObject({ finishReason: 'length', nativeFinishReason: 'max_tokens' });
  });

  it('is finished when every choice that began has said so', () => {
    const begun = [choice({ content: 'a' }, null, 0), choice({ content: 'b' }, null, 1)];
    expect(isFinished(createTally())).toBe(false);
    expect(isFinished(tallyOf(begun))).toBe(false);
    expect(isFinished(tallyOf([...begun, choice({}, 'stop', 1)]))).toBe(false);
    expect(isFinished(tallyOf([...begun, choice({}, 'stop', 1), choice({}, 'stop', 0)]))).toBe(true);
    expect(isFinished(tallyOf([choice({ content: 'a' }, 'stop'), choice({})]))).toBe(true);
  });

  it('I12: made-up choice indexes do not grow memory without bound', () => {
    const tally = tallyOf(Array.from({ length: 5000 }, (_, index) => choice({ content: 'x' }, index % 2 === 0 ? null : 'stop', index)));
    expect(tally.openChoices.size + tally.finishedChoices.size).toBeLessThanOrEqual(128);
  });
});

describe('a seam', () => {
  const reported: Usage = {
    source: 'reported',
    promptTokens: 9,
    completionTokens: 2,
    reasoningTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
  };
  const add = (tally: ReturnType<typeof createTally>, content: string, nowMs: number, upstreamId = 'one') =>
    addToTally(tally, { upstreamId, choices: [choice({ content })], usage: reported }, nowMs);

  it('M6: parts what one upstream delivered from what the next one does', () => {
    const tally = createTally();
    add(tally, 'abcdefgh', 10);
    cutTally(tally);
    expect(tally).toMatchObject({ contentTokens: 0, deliveredChars: 0, reported: null, firstTokenAtMs: null, upstreamId: null });
    add(tally, 'ijkl', 20, 'two');
    expect(tally.broken).toEqual([
      { contentTokens: 2, reasoningTokens: 0, deliveredChars: 8, reported, reportedAtChars: 8, firstTokenAtMs: 10, lastTokenAtMs: 10 },
    ]);
    expect(tally).toMatchObject({ contentTokens: 1, deliveredChars: 4, firstTokenAtMs: 20, upstreamId: 'two' });
  });

  it('leaves an open choice open, until whoever goes on has finished it', () => {
    const tally = tallyOf([choice({ content: 'a' })]);
    cutTally(tally);
    expect(isFinished(tally)).toBe(false);
    addToTally(tally, { upstreamId: null, choices: [choice({}, 'stop')], usage: null }, 0);
    expect(isFinished(tally)).toBe(true);
  });

  it('does not part the time that the whole answer took', () => {
    const tally = createTally();
    expect(spanOf(tally)).toEqual({ firstTokenAtMs: null, lastTokenAtMs: null });
    add(tally, 'a', 10);
    add(tally, 'b', 15);
    cutTally(tally);
    expect(spanOf(tally)).toEqual({ firstTokenAtMs: 10, lastTokenAtMs: 15 });
    add(tally, 'c', 20);
    expect(spanOf(tally)).toEqual({ firstTokenAtMs: 10, lastTokenAtMs: 20 });
  });
});
