/** Discounts, steps and times of OpenRouter's formats: the dearest counts, a discount is taken off, and what cannot be read is no price. */
import { describe, expect, it } from 'vitest';
import { readFeed, readPublicFeed } from '#providers/feeds/families';

function readFlat(pricing: Record<string, unknown>) {
  const { models, problems } = readPublicFeed({ data: [{ id: 'm', pricing }] }, 'openrouter');
  return { ...models[0], problems };
}

interface Typed {
  prompt?: object[];
  completion?: object[];
  more?: object;
}
const entry = (type: string, cost_usd: unknown, more: object = {}) => ({ type, unit: 'token', cost_usd, ...more });

function readTyped({ prompt = [entry('prompt', '0.000001')], completion = [entry('completion', '0.000004')], more = {} }: Typed) {
  const model = {
    id: 'm',
    schema_version: '2.4',
    input_modalities: [{ type: 'text', pricing: prompt }],
    output_modalities: [{ type: 'text', pricing: completion }],
    ...more,
  };
  const { models, problems } = readPublicFeed({ data: [model] }, 'openrouter-v2');
  return { ...models[0], problems };
}

const UNPRICED = { promptPicoUsdPerToken: null, completionPicoUsdPerToken: null };

describe('the flat format', () => {
  const base = { prompt: '0.000001', completion: '0.000004', input_cache_read: '0.0000001' };

  it('takes the dearest of the steps, price by price', () => {
    const overrides = [
      { min_prompt_tokens: 200_000, prompt: '0.000002', input_cache_read: '0.00000005' },
      { utc_start: 100, utc_end: 600, completion: '0.000006', prompt: '0.0000005' },
    ];
    expect(readFlat({ ...base, overrides })).toMatchObject({
      promptPicoUsdPerToken: 2_000_000,
      completionPicoUsdPerToken: 6_000_000,
      cacheReadPicoUsdPerToken: 100_000,
      problems: ['m: its price has steps; the dearest is taken'],
    });
  });

  it.each([[[{ prompt: '-1' }]], [[{ prompt: 'dear' }]]])(
    'of which a step cannot be read takes that price for unknown (%j)',
    (overrides) => {
      expect(readFlat({ ...base, overrides })).toMatchObject({ promptPicoUsdPerToken: null, completionPicoUsdPerToken: 4_000_000 });
    },
  );

  it.each([['none'], [{ min_prompt_tokens: 1 }], [[null]], [Array.from({ length: 101 }, () => ({}))]])(
    'with steps in no known form takes no price (%j)',
    (overrides) => {
      expect(readFlat({ ...base, overrides })).toMatchObject({ ...UNPRICED, problems: [expect.stringContaining('none is taken')] });
    },
  );

  it('takes a discount off, exactly, and rounds up', () => {
    expect(readFlat({ ...base, request: '0.01', discount: 0.25 })).toMatchObject({
      promptPicoUsdPerToken: 750_000,
      completionPicoUsdPerToken: 3_000_000,
      cacheReadPicoUsdPerToken: 75_000,
      requestNanoUsd: 7_500_000,
      problems: [],
    });
    expect(readFlat({ ...base, prompt: '0.000000000001', discount: 0.9 }).promptPicoUsdPerToken).toBe(1);
    expect(readFlat({ ...base, prompt: '0.0000001', discount: '0.07' }).promptPicoUsdPerToken).toBe(93_000);
    expect(readFlat({ ...base, discount: 0 }).promptPicoUsdPerToken).toBe(1_000_000);
  });

  it.each([[1], [1.5], ['half'], [-3], ['-'], [{}]])('with a discount of %j takes no price', (discount) => {
    expect(readFlat({ ...base, discount })).toMatchObject({ ...UNPRICED, problems: ['m: its discount cannot be read: no price is taken'] });
  });

  it('bills thinking and longer caches, which are not billed apart, at the dearer price', () => {
    const more = { internal_reasoning: '0.000005', input_cache_write: '0.00000125', input_cache_write_1h: '0.000002' };
    expect(readFlat({ ...base, ...more })).toMatchObject({
      completionPicoUsdPerToken: 5_000_000,
      cacheWritePicoUsdPerToken: 2_000_000,
    });
    expect(readFlat({ ...base, internal_reasoning: '0' }).completionPicoUsdPerToken).toBe(4_000_000);
  });
});

describe('the typed format', () => {
  it('takes the dearest of entries and of what stands in their overrides', () => {
    const overrides = [{ when: { gte: { prompt_tokens: 200_000 } }, cost_usd: '0.000003' }];
    expect(readTyped({ prompt: [entry('prompt', '0.000001', { overrides }), entry('prompt', '0.000002')] })).toMatchObject({
      promptPicoUsdPerToken: 3_000_000,
      problems: ['m: the price `prompt` has steps or times; the dearest is taken'],
    });
  });

  it.each([['none'], [[{ when: {} }]], [[{ when: {}, cost_usd: '-1' }]], [[7]]])(
    'takes the price for unknown whose override cannot be read (%j)',
    (overrides) => {
      const { promptPicoUsdPerToken, problems } = readTyped({ prompt: [entry('prompt', '0.000001', { overrides })] });
      expect(promptPicoUsdPerToken).toBeNull();
      expect(problems).toContainEqual(expect.stringMatching(/^m: the price `prompt` (has a step that states no price|is negative)$/));
    },
  );

  it('takes off what it gives to users, and adds a markup', () => {
    expect(readTyped({ more: { discount_to_user: 0.2 } })).toMatchObject({
      promptPicoUsdPerToken: 800_000,
      completionPicoUsdPerToken: 3_200_000,
    });
    expect(readTyped({ more: { discount_to_user: -0.1 } }).promptPicoUsdPerToken).toBe(1_100_000);
    expect(readTyped({ more: { discount_to_user: 2 } })).toMatchObject(UNPRICED);
  });

  it('bills thinking at the dearer of its own price and that of answers', () => {
    const thinking = [entry('completion', '0.000004'), entry('internal_reasoning', '0.000009')];
    expect(readTyped({ completion: thinking }).completionPicoUsdPerToken).toBe(9_000_000);
  });
});

it('Venice: a step that states no price leaves none', () => {
  const pricing = { input: { usd: 2 }, output: { usd: 10 }, extended: { context_token_threshold: 200_000, rate: 3 } };
  const document = { data: [{ id: 'm', model_spec: { pricing } }] };
  const { models, problems } = readFeed(document, { url: 'https://a.example/models', family: 'nested_per_million' });
  expect(models[0]).toMatchObject(UNPRICED);
  expect(problems).toEqual(['m: its price has steps that are not stated: none is taken']);
});
