import { expect, test } from 'vitest';
import { withFallbacks } from '#src/admission/fallback-models';

const anyModel = { caller: { models: null }, canonicalModel: (name: string) => (name === 'alias' ? 'lab/a' : name) };
const policy = { modelFallbacks: { 'lab/a': ['lab/b', 'lab/c'], 'lab/b': ['lab/a', 'lab/d'] } };

test('models are those requested, then their fallbacks, each once; an alias has the fallbacks of its model', () => {
  expect(withFallbacks(['lab/a', 'lab/b'], policy, anyModel)).toEqual(['lab/a', 'lab/b', 'lab/c', 'lab/d']);
  expect(withFallbacks(['alias'], policy, anyModel)).toEqual(['alias', 'lab/b', 'lab/c']);
  expect(withFallbacks(['constructor'], policy, anyModel)).toEqual(['constructor']);
});

test('K9: a key falls back only to models that it may use, and never to more than ten', () => {
  expect(withFallbacks(['lab/a'], policy, { ...anyModel, caller: { models: ['lab/a', 'lab/c'] } })).toEqual(['lab/a', 'lab/c']);
  const many = { modelFallbacks: { 'lab/a': Array.from({ length: 20 }, (_, place) => `lab/${place}`) } };
  expect(withFallbacks(['lab/a'], many, anyModel)).toHaveLength(10);
});
