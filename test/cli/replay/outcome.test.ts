import { describe, expect, it } from 'vitest';
import type { ReceiptFeedItem } from '#schema/answers/receipts-feed';
import { manifest as manifestContract } from '#schema/manifest';
import type { Offer } from '#schema/catalog';
import type { Compared, Outcome } from '#cli/replay/outcome';
import { manifestScenario, storedScenario } from '#cli/replay/scenario';
import { keyId } from '#src/manifest/compile';
import { affinityOf, entryOf, factsOf, healthOf, offerOf, pricedAt, TEAM, viewOf } from '../../src/routing/fleet.ts';
import { oneModel, record, replayOne, scenarioOf, storedOf, type Documents } from './world.ts';

/** A cheap miner of unknown habits, a dearer node that keeps nothing, and an API between them. */
const miner = offerOf({ endpointId: 'miner', supply: 'subnet', price: pricedAt(100_000) });
const api = offerOf({
  endpointId: 'api',
  price: pricedAt(300_000),
  dataPolicy: { trains: false, retention_days: 30, source: 'provider' },
});
const rig = offerOf({
  endpointId: 'rig',
  supply: 'selfhosted',
  price: pricedAt(500_000),
  dataPolicy: { trains: false, retention_days: 0, source: 'contract' },
  jurisdiction: ['DE'],
});
const FLEET = oneModel([miner, api, rig]);
const OPEN: Documents = { base: {}, team: {} };

function compared({ result }: Outcome): Compared {
  return typeof result === 'string' ? expect.fail(result) : result;
}

function tryOn(item: ReceiptFeedItem, documents: Documents, entries = FLEET): Compared {
  return compared(replayOne(item, { entries }, scenarioOf(documents)));
}

describe('a replayed request', () => {
  it('that a filter takes from its endpoint moves to the next that passes, and says which filter it was', () => {
    const item = record({ entries: FLEET, documents: OPEN });
    const result = tryOn(item, { ...OPEN, base: { zdr: true } });
    expect(result.before).toMatchObject({ endpoint: 'miner', supply: 'subnet', tier: 'open' });
    expect(result.after).toMatchObject({ endpoint: 'rig', supply: 'selfhosted', tier: 'zero_retention' });
    expect(result.why).toBe('H1: miner proves tier open; at least zero_retention is demanded');
    expect(result.doubts).toEqual([]);
  });

  it('that only ranks otherwise says in which place its endpoint comes', () => {
    const item = record({ entries: FLEET, documents: OPEN });
    const result = tryOn(item, { ...OPEN, base: { order: ['rig', 'api'] } });
    expect(result.after?.endpoint).toBe('rig');
    expect(result.why).toBe('miner comes in place 3 by order');
  });

  it('costs at both endpoints what its own tokens cost there, beside what was expected', () => {
    const item = record({ entries: FLEET, documents: OPEN });
    const { before, after } = tryOn(item, { ...OPEN, base: { only: ['api'] } });
    // 1,000 prompt and 250 completion tokens; the fleet's completion tokens cost four times as much.
    expect(before?.costNanoUsd).toBe((1_000 * 100_000 + 250 * 400_000) / 1_000);
    expect(after?.costNanoUsd).toBe(3 * (before?.costNanoUsd ?? 0));
    expect(before?.predictedNanoUsd).toBe(before?.costNanoUsd);
  });

  it('that nothing would serve is refused by the filter that took its endpoint', () => {
    const item = record({ entries: FLEET, documents: OPEN });
    const result = tryOn(item, { ...OPEN, base: { max_price: { prompt: 0.05 } } });
    expect(result.after).toBeNull();
    expect(result.refusal).toEqual({ filter: 'H6', reason: 'costs more than max_price allows' });
  });

  it('that contradicts the new policy is refused by the policy, in admission’s words', () => {
    const item = record({ entries: FLEET, documents: OPEN }, { levels: { wishes: [{ supply: { only: ['subnet'] } }] } });
    const result = tryOn(item, { ...OPEN, base: { supply: { only: ['selfhosted'] } } });
    expect(result).toMatchObject({ after: null, refusal: { filter: 'policy' } });
    expect(result.refusal?.reason).toContain('provider.supply.only');
  });

  it('that nothing served is newly served where the policy lets something in, and that is called unmeasured', () => {
    const strict: Documents = { base: { ignore: ['miner', 'api', 'rig'] } };
    const item = record({ entries: FLEET, documents: strict }, { readings: { rig: healthOf() } });
    const result = tryOn(item, { base: { only: ['rig'] } });
    expect(result.before).toBeNull();
    expect(result.after?.endpoint).toBe('rig');
    expect(result.doubts).toEqual(['unmeasured', 'unmeasured_choice']);
  });

  it('is doubted where the output that it really had would change the choice', () => {
    const dearOut = offerOf({
      endpointId: 'dear-out',
      price: { promptPicoUsdPerToken: 1, completionPicoUsdPerToken: 900_000, requestNanoUsd: 0 },
    });
    const dearIn = offerOf({
      endpointId: 'dear-in',
      price: { promptPicoUsdPerToken: 500_000, completionPicoUsdPerToken: 1, requestNanoUsd: 0 },
    });
    const entries = oneModel([dearOut, dearIn]);
    const usage = { ...record({ entries, documents: OPEN }).usage, completion_tokens: 4_000 };
    const item = record({ entries, documents: OPEN }, { item: { usage } });
    const result = tryOn(item, OPEN, entries);
    expect(result.before?.endpoint).toBe('dear-out');
    expect(result.after?.endpoint).toBe('dear-out');
    expect(result.doubts).toEqual(['output_length']);
  });

  it('is doubted where its conversation would lose its home', () => {
    const item = record(
      { entries: FLEET, documents: OPEN },
      { facts: factsOf({ affinity: affinityOf() }), health: viewOf({}, { endpointId: 'miner', ageMs: 1_000 }) },
    );
    expect(tryOn(item, { ...OPEN, base: { supply: { ignore: ['subnet'] } } }).doubts).toEqual(['home_lost']);
    expect(tryOn(item, OPEN).doubts).toEqual([]);
  });

  it('without fallbacks says that only its endpoint is recorded', () => {
    const alone: Documents = { base: { allow_fallbacks: false } };
    const item = record({ entries: FLEET, documents: alone });
    expect(tryOn(item, alone).doubts).toEqual(['one_only']);
  });

  it('goes to the fallback models of the new policy, and no longer to those of the old', () => {
    const second = entryOf([offerOf({ endpointId: 'other', price: pricedAt(100_000) })], 'lab/second');
    const gone = entryOf([{ ...miner, endpointId: 'busy', context: 10 }]);
    const entries = [gone, second];
    const with2 = { base: { models: { fallbacks: { 'lab/model': ['lab/second'] } } } };
    const served = record({ entries, documents: with2 });
    expect(tryOn(served, with2, entries).after?.endpoint).toBe('other');
    expect(tryOn(served, { base: {} }, entries)).toMatchObject({ after: null, refusal: { filter: 'H5' } });
    const refused = record({ entries, documents: { base: {} } });
    // Of a model that was not planned over the record says nothing; what can be called now is taken to have been callable.
    expect(tryOn(refused, with2, entries)).toMatchObject({
      before: null,
      after: { endpoint: 'other' },
      doubts: ['unmeasured', 'unmeasured_choice'],
    });
  });

  it('over another catalogue is planned over that of now on both sides, and says so', () => {
    const item = record({ entries: FLEET, documents: OPEN });
    const dearer = oneModel([{ ...miner, price: pricedAt(2_000_000) } as Offer, api, rig]);
    const result = compared(replayOne(item, { entries: dearer, version: 'v2' }, scenarioOf(OPEN)));
    expect(result).toMatchObject({ isSameCatalogue: false, isFaithful: false });
    expect(result.before).toEqual(result.after);
    expect(result.before?.endpoint).toBe('api');
  });

  it('is left out where its receipt does not say enough, or its model is gone', () => {
    const item = record({ entries: FLEET, documents: OPEN });
    const withInputs = (change: (inputs: Record<string, unknown>) => unknown): ReceiptFeedItem => ({
      ...item,
      plan: { ...item.plan, inputs: change(item.plan['inputs'] as Record<string, unknown>) },
    });
    const replayed = (changed: ReceiptFeedItem, entries = FLEET) => replayOne(changed, { entries }, scenarioOf(OPEN)).result;
    expect(replayed(withInputs(() => null))).toBe('no_inputs');
    expect(replayed(withInputs((inputs) => ({ ...inputs, asked: undefined })))).toBe('no_levels');
    expect(replayed(item, [entryOf([miner], 'lab/else')])).toBe('model_gone');
    expect(replayed({ ...item, plan: {} })).toBe('unreadable');
  });
});

describe('the policy that is tried', () => {
  const documents: Documents = { base: {}, team: { ignore: ['miner'] }, key: {}, named: {}, strict: { zdr: true } };

  it('takes the place of the nearest stored policy, and the outer levels still hold', () => {
    const scenario = storedScenario(
      'named',
      storedOf({ ...documents, base: { supply: { ignore: ['selfhosted'] } }, key: { only: ['miner', 'rig'] } }),
    );
    const item = record({ entries: FLEET, documents }, { levels: { team: 'team', key: 'key' } });
    // The key's list is gone with the key's policy; the team's ban and the deployment's stay.
    expect(compared(replayOne(item, { entries: FLEET }, scenario)).after?.endpoint).toBe('api');
  });

  it('holds beside the deployment’s default where a request had nothing nearer', () => {
    const item = record({ entries: FLEET, documents });
    const scenario = storedScenario('strict', storedOf({ ...documents, base: { ignore: ['rig'] } }));
    expect(compared(replayOne(item, { entries: FLEET }, scenario))).toMatchObject({ before: { endpoint: 'miner' }, after: null });
  });

  it('must be stored', () => {
    expect(() => storedScenario('strickt', storedOf(documents))).toThrow(/no policy "strickt" is stored.*base, team, key, named, strict/);
  });

  const manifestOf = (parts: object) => manifestContract.parse({ version: 1, ...parts });

  it('comes from the manifest for the teams and keys that it names; the others keep what they had', () => {
    const manifest = manifestOf({
      policies: { team: { only: ['api'] }, key: { ignore: ['rig'] }, strict: {}, extended: { extends: 'team' } },
      teams: [{ id: 'named-team', policy: 'extended', keys: [{ name: 'ci', secret: 'CI', policy: 'strict' }] }],
    });
    const scenario = manifestScenario(manifest);
    const tried = (item: Partial<ReceiptFeedItem>, levels: object) =>
      compared(replayOne(record({ entries: FLEET, documents }, { levels, item }), { entries: FLEET }, scenario)).after?.endpoint;
    expect(tried({ team: 'named-team' }, { team: null })).toBe('api');
    expect(tried({ team: TEAM }, { team: 'team' })).toBe('api');
    expect(tried({ team: TEAM }, { team: null })).toBe('miner');
    expect(tried({ team: TEAM, key: keyId('named-team', 'ci') }, { key: 'key' })).toBe('miner');
  });

  it('refuses what names a policy that the manifest no longer has', () => {
    const item = record({ entries: FLEET, documents }, { levels: { team: 'strict' } });
    const gone = compared(replayOne(item, { entries: FLEET }, manifestScenario(manifestOf({ policies: { base: {} } }))));
    expect(gone.refusal).toMatchObject({ filter: 'policy' });
  });

  it('counts the models that the manifest leaves a key', () => {
    const keys = [{ name: 'ci', secret: 'CI', models: ['other/*'] }];
    const manifest = manifestOf({ policies: { base: {} }, teams: [{ id: TEAM, keys }] });
    const item = record({ entries: FLEET, documents: OPEN }, { item: { key: keyId(TEAM, 'ci') } });
    const result = compared(replayOne(item, { entries: FLEET }, manifestScenario(manifest)));
    expect(result.refusal).toEqual({ filter: 'key_models', reason: "the key may not use the model 'lab/model'" });
    // A key that was narrowed since then had what it asked for.
    expect(tryOn({ ...item, key_models: ['other/*'] }, OPEN).after?.endpoint).toBe('miner');
  });
});
