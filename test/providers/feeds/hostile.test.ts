/** Lists that are none, and what people put into lists: every family reads them safely. */
import fc from 'fast-check';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FEED_FAMILIES, type PriceFeed } from '#providers/feeds/feed';
import { readFeed, readPublicFeed } from '#providers/feeds/families';
import { FEED_FORMATS } from '#schema/price-feed';

const FIXTURES = join(import.meta.dirname, '../../fixtures/feeds');

describe('any document', () => {
  const AMOUNTS = [
    'promptPicoUsdPerToken',
    'completionPicoUsdPerToken',
    'cacheReadPicoUsdPerToken',
    'cacheWritePicoUsdPerToken',
    'requestNanoUsd',
  ] as const;
  const feeds = FEED_FAMILIES.map((family): PriceFeed => ({ url: 'https://a.example/models', family }));
  const readAll = (document: unknown) => [
    ...feeds.map((feed) => readFeed(document, feed)),
    ...FEED_FORMATS.map((format) => readPublicFeed(document, format)),
  ];
  const expectSafe = (document: unknown) => {
    for (const { models, problems } of readAll(document)) {
      expect(problems.length).toBeLessThanOrEqual(100);
      for (const model of models) {
        const amounts = [...AMOUNTS.map((field) => model[field]), model.unit?.picoUsd ?? null];
        for (const amount of amounts) expect(amount === null || (Number.isSafeInteger(amount) && amount >= 0), String(amount)).toBe(true);
      }
    }
  };

  it('of whatever shape is read without throwing, and every price that comes out is a safe integer from 0', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), expectSafe), { numRuns: 300 });
  });

  it('with hostile words in the fields of a real one is read as safely', () => {
    const names = readdirSync(FIXTURES).filter((name) => !name.endsWith('.meta.json'));
    const hostile = fc.oneof(
      fc.jsonValue(),
      fc.double(),
      fc.constantFrom('-1', '1e999', '-1e-9', 'NaN', '0x1', '1e-7', '9'.repeat(40), '__proto__', '<html>'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.infiniteStream(hostile), fc.infiniteStream(fc.nat(3)), (name, words, dice) => {
        const next = <Value>(stream: IterableIterator<Value>): Value => stream.next().value as Value;
        const document: unknown = JSON.parse(readFileSync(join(FIXTURES, name), 'utf8'), (_, value: unknown) =>
          typeof value !== 'object' && next(dice) === 0 ? next(words) : value,
        );
        expectSafe(document);
      }),
      { numRuns: 200 },
    );
  });

  it('is read up to a bound', () => {
    const model = { id: 'm', pricing: { prompt: '-1', completion: '-1' } };
    const document = { data: Array.from({ length: 6_000 }, (_, index) => ({ ...model, id: `m${index}` })) };
    const { models, problems } = readPublicFeed(document, 'openrouter');
    expect(models).toHaveLength(5_000);
    expect(problems).toHaveLength(100);
  });

  it('that lists a model twice is read once', () => {
    const twice = ['1e-6', '9e-6'].map((prompt) => ({ id: 'm', pricing: { prompt, completion: '2e-6' } }));
    const { models, problems } = readPublicFeed({ data: twice }, 'openrouter');
    expect(models.map(({ promptPicoUsdPerToken }) => promptPicoUsdPerToken)).toEqual([1_000_000]);
    expect(problems).toEqual(['m: is listed twice; the first stands']);
  });
});
