import { describe, expect, it } from 'vitest';
import type { ListedModel } from '#schema/listed-model';
import { reconcile, type KnownSupply, type Reconciled, type ReconcileOptions } from '#src/prices/reconcile';
import { known, listed, priceOf, supply } from './listed.ts';

const BRINGS: ReconcileOptions = { endpointIdOf: ({ upstreamModel }) => `f:${upstreamModel}` };

function read(models: ListedModel[], before: KnownSupply, options: ReconcileOptions = {}, problems: string[] = []) {
  return reconcile({ models, problems }, before, options);
}

function believed(models: ListedModel[], before: KnownSupply, options: ReconcileOptions = {}): Reconciled {
  const found = read(models, before, options);
  if ('doubt' in found) throw new Error(found.doubt);
  return found;
}

function doubtOf(models: ListedModel[], before: KnownSupply, options: ReconcileOptions = {}, problems: string[] = []): string | null {
  const found = read(models, before, options, problems);
  return 'doubt' in found ? found.doubt : null;
}

const dearer = { promptPicoUsdPerToken: 200_000 };
const absurd = { promptPicoUsdPerToken: 900_000 };

describe('prices', () => {
  it('of endpoints with exactly that id change; an id that only looks alike is unknown', () => {
    const found = believed([listed('a', dearer), listed('A', dearer), listed('a-TEE', dearer)], supply([known('a')]));
    expect(found.changes).toEqual([{ endpointId: 'p:a', from: priceOf(0.1, 0.4), to: priceOf(0.2, 0.4), afterMs: 1000 }]);
    expect(found.unknown).toEqual(['A', 'a-TEE']);
  });

  it('that jump are held once, however often the list repeats them', () => {
    const first = believed([listed('a', absurd)], supply([known('a')]));
    expect(first.held).toMatchObject([{ endpointId: 'p:a', price: priceOf(0.9, 0.4) }]);
    expect(first.changes).toEqual([]);
    for (const decision of [null, 'rejected'] as const) {
      const again = believed([listed('a', absurd)], supply([known('a', { held: { price: priceOf(0.9, 0.4), decision } })]));
      expect(again).toMatchObject({ held: [], changes: [], withdrawn: [] });
    }
  });

  it('that jump to somewhere else than what is held are held anew', () => {
    const held = { price: priceOf(0.9, 0.4), decision: 'rejected' } as const;
    expect(believed([listed('a', { promptPicoUsdPerToken: 800_000 })], supply([known('a', { held })])).held).toHaveLength(1);
  });

  it('that come back to what is charged take the question with them', () => {
    const held = { price: priceOf(0.9, 0.4), decision: null };
    expect(believed([listed('a')], supply([known('a', { held })])).withdrawn).toEqual(['p:a']);
  });

  it('of models that the list does not mention stay', () => {
    expect(believed([listed('a', dearer)], supply([known('a'), known('b')])).changes.map(({ endpointId }) => endpointId)).toEqual(['p:a']);
  });
});

describe('a reading as a whole', () => {
  const three = [known('a'), known('b'), known('c')];
  const scaled = (by: number) =>
    ['a', 'b', 'c'].map((id) => listed(id, { promptPicoUsdPerToken: 100_000 * by, completionPicoUsdPerToken: 400_000 * by }));

  it('that lists nothing, or less than half of before, is not believed', () => {
    expect(doubtOf([], supply(three))).toBe('it lists no models');
    expect(doubtOf([listed('a')], supply(three, { modelCountBefore: 3 }))).toBe('it lists 1 models, and 3 before');
    expect(doubtOf([listed('a'), listed('b')], supply(three, { modelCountBefore: 4 }))).toBeNull();
  });

  it('that is shorter is believed when a person says so', () => {
    expect(doubtOf([listed('a')], supply(three, { modelCountBefore: 9 }), { acceptsShorter: true })).toBeNull();
    expect(doubtOf([], supply(three, { modelCountBefore: 9 }), { acceptsShorter: true })).toBe('it lists no models');
  });

  it('is a mistake of units where prices are a million times what is known, and none of it is held one by one', () => {
    expect(doubtOf(scaled(1e6), supply(three))).toBe(
      'its prices are about 1,000,000 times what is known: a mistake of units, such as prices per million tokens read as per token',
    );
    expect(doubtOf(scaled(1e-4), supply(three))).toContain('prices per token read as per million');
  });

  it('whose prices are too small to be any is not believed either', () => {
    const small = scaled(1).map((model) => ({ ...model, promptPicoUsdPerToken: null, completionPicoUsdPerToken: null }));
    expect(doubtOf(small, supply(three), {}, ['a: `pricing.prompt` is less than can be charged'])).toBe(
      'it states a price for 0 of 3 models whose prices are known (a: `pricing.prompt` is less than can be charged)',
    );
  });

  it('with one absurd price among good ones is believed; that one is held', () => {
    const found = believed([listed('a'), listed('b'), listed('c', { promptPicoUsdPerToken: 1e11 })], supply(three));
    expect(found.held.map(({ endpointId }) => endpointId)).toEqual(['p:c']);
  });

  it('of a new feed is measured against what its models cost elsewhere, or against every price there is', () => {
    const market = new Map([['qwen/qwen3-8b', 50_000]]);
    const around = supply([], { market, modelIds: new Set(['qwen/qwen3-8b']) });
    const perMillion = listed('x', { aliases: ['Qwen/Qwen3-8B', 'x'], promptPicoUsdPerToken: 5e10 });
    expect(doubtOf([perMillion], around, BRINGS)).toContain('a mistake of units');
    expect(doubtOf([listed('never-seen', { promptPicoUsdPerToken: 5e10 })], supply([]), BRINGS)).toContain('a mistake of units');
  });
});

describe('a feed that brings endpoints', () => {
  const modelIds = new Set(['qwen/qwen3-8b']);

  it('names the model by any of its names that is known here, else by its own', () => {
    const found = believed([listed('x', { aliases: ['Qwen/Qwen3-8B', 'x'] }), listed('acme/new')], supply([], { modelIds }), BRINGS);
    expect(found.brought.map(({ endpointId, modelId }) => [endpointId, modelId])).toEqual([
      ['f:x', 'qwen/qwen3-8b'],
      ['f:acme/new', 'acme/new'],
    ]);
    expect(found.changes).toHaveLength(2);
  });

  it('prices the endpoints of its provider instead of doubling them', () => {
    const found = believed([listed('a', dearer)], supply([known('a')]), BRINGS);
    expect(found.brought).toEqual([]);
    expect(found.changes).toHaveLength(1);
  });

  it('loses a model after the second reading without it, and not after the first', () => {
    const own = (id: string) => known(id, { isBrought: true, endpointId: `f:${id}` });
    const first = believed([listed('a')], supply([own('a'), own('b')], { modelCountBefore: 2 }), BRINGS);
    expect(first).toMatchObject({ dropped: [], missing: { 'f:b': 1 } });
    const second = believed([listed('a')], supply([own('a'), own('b')], { missing: first.missing }), BRINGS);
    expect(second).toMatchObject({ dropped: ['f:b'], missing: {} });
  });

  it('forgets how often a model was missing as soon as it is back', () => {
    const own = known('b', { isBrought: true, endpointId: 'f:b' });
    expect(believed([listed('b')], supply([own], { missing: { 'f:b': 1 } }), BRINGS).missing).toEqual({});
  });

  it('takes no model that nobody could name', () => {
    const found = believed([listed('!bad'), listed('good')], supply([]), BRINGS);
    expect(found.unknown).toEqual(['!bad']);
  });
});
