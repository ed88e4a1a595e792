import { describe, expect, it } from 'vitest';
import { quirksOf } from '#providers/registry';
import { readUsage } from '#providers/wire/read-usage';

const COUNTS = { prompt_tokens: 20, completion_tokens: 10 };

describe('readUsage', () => {
  it.each([
    ['most', {}, { prompt_tokens_details: { cached_tokens: 8 } }, 8],
    ['deepseek', quirksOf('deepseek'), { prompt_cache_hit_tokens: 8 }, 8],
    ['moonshot', quirksOf('moonshot'), { cached_tokens: 8 }, 8],
    ['a vendor without the quirk', {}, { cached_tokens: 8 }, 0],
  ])('reads cached tokens of %s', (_vendor, quirks, extra, cacheReadTokens) => {
    expect(readUsage({ ...COUNTS, ...extra }, quirks)).toMatchObject({ promptTokens: 20, cacheReadTokens });
  });

  it('reads reasoning tokens in their group or at the top', () => {
    expect(readUsage({ ...COUNTS, completion_tokens_details: { reasoning_tokens: 4 } }, {})?.reasoningTokens).toBe(4);
    expect(readUsage({ ...COUNTS, reasoning_tokens: 4 }, {})?.reasoningTokens).toBe(4);
  });

  it('adds reasoning where the card allows it and the counts show that it was left out', () => {
    const raw = { ...COUNTS, completion_tokens_details: { reasoning_tokens: 15 } };
    expect(readUsage(raw, quirksOf('deepinfra'))).toMatchObject({ completionTokens: 25, reasoningTokens: 15 });
    expect(
      readUsage({ ...raw, completion_tokens_details: { reasoning_tokens: 4 }, total_tokens: 34 }, quirksOf('deepinfra')),
    ).toMatchObject({
      completionTokens: 14,
    });
    expect(
      readUsage({ ...raw, completion_tokens_details: { reasoning_tokens: 4 }, total_tokens: 30 }, quirksOf('deepinfra')),
    ).toMatchObject({
      completionTokens: 10,
    });
    expect(readUsage(raw, {})).toMatchObject({ completionTokens: 10, reasoningTokens: 10 });
  });

  it.each([
    [null],
    ['7'],
    [{}],
    [{ prompt_tokens: 5 }],
    [{ prompt_tokens: -1, completion_tokens: 5 }],
    [{ prompt_tokens: 1.5, completion_tokens: 5 }],
    [{ prompt_tokens: 1, completion_tokens: 1e15 }],
    [{ prompt_tokens: '1', completion_tokens: 1 }],
  ])('T6: takes %j as not reported', (raw) => {
    expect(readUsage(raw, {})).toBeNull();
  });

  it('T6: cuts cached tokens to the prompt', () => {
    const usage = readUsage({ ...COUNTS, prompt_tokens_details: { cached_tokens: 900, cache_write_tokens: 900 } }, {});
    expect(usage).toMatchObject({ cacheReadTokens: 20, cacheWriteTokens: 0 });
  });
});
