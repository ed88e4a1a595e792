import { describe, expect, it } from 'vitest';
import type { PlanRecord } from '#schema/receipt';
import { plan, type PlanInput } from '#src/routing/plan';
import { fromPolicyChanges, toPolicyChanges } from '#src/routing/policy-changes';
import { replay } from '#src/routing/replay';
import { SEED } from '#test/support/seed';
import { affinityOf, entryOf, factsOf, healthOf, inputOf, offerOf, policyOf, pricedAt, viewOf } from './fleet.ts';
import { kept } from './kept-record.ts';
import { createDice, randomFacts, randomHealth, randomOffer, randomPolicy, randomReadings } from './random-world.ts';

const NEAR = ['a', 'b', 'c'].map((endpointId) => offerOf({ endpointId, price: pricedAt(100_000) }));

/** What must come out again. Where the policy wants one endpoint alone, its rivals are not recorded, so its terms may rest on others. */
function told({ candidates, relaxed, method, model }: PlanRecord, isOneOnly: boolean): object {
  const order = candidates.map(({ endpointId }) => endpointId);
  return isOneOnly ? { order } : { candidates, relaxed, method, model };
}

function again(input: PlanInput, record: PlanRecord = plan(input).record()): PlanRecord {
  return replay(kept(record), input).record();
}

describe('replaying a record', () => {
  it('gives the same candidates with the same terms, for random plans over up to 32 endpoints', () => {
    const dice = createDice(SEED);
    let candidates = 0;
    for (let turn = 0; turn < 3_000; turn++) {
      const offers = Array.from({ length: 1 + Math.floor(dice.roll() * 32) }, (_, place) => randomOffer(dice, `e${place}`));
      const readings = randomReadings(dice, offers);
      const lastServed = dice.chance(0.5) ? { endpointId: `e${Math.floor(dice.roll() * 32)}`, ageMs: dice.roll() * 4e6 } : null;
      const input = inputOf([], {
        facts: randomFacts(dice),
        policy: randomPolicy(dice),
        entries: [entryOf(offers.slice(0, 20), 'lab/first'), entryOf(offers.slice(20), 'lab/second')],
        health: viewOf(readings, lastServed),
        random: dice.roll,
        isCallable: ({ keySecret }) => keySecret !== 'MISSING',
      });
      const record = plan(input).record();
      candidates += record.candidates.length;
      const replayed = again(input, record);
      const isOneOnly = !input.policy.allowFallbacks && input.policy.order.length === 0;
      expect(told(replayed, isOneOnly), `turn ${turn}`).toEqual(told(record, isOneOnly));
    }
    expect(candidates).toBeGreaterThan(4_000);
  });

  it('repeats the draw', () => {
    for (const roll of [0.1, 0.5, 0.9]) {
      const input = inputOf(NEAR, { random: () => roll });
      expect(again(input).candidates).toEqual(plan(input).record().candidates);
    }
  });

  it('repeats where a conversation was at home', () => {
    const input = inputOf(NEAR, { facts: factsOf({ affinity: affinityOf() }), health: viewOf({}, { endpointId: 'c', ageMs: 1_234.5 }) });
    expect(again(input).candidates[0]).toMatchObject({ endpointId: 'c', cacheHit: 0.8 * Math.exp(-1_234.5 / 300_000) });
  });

  it('needs no digest of the conversation, and none is recorded', () => {
    const record = plan(inputOf(NEAR, { facts: factsOf({ affinity: affinityOf() }) })).record();
    expect(JSON.stringify(record)).not.toContain(affinityOf().key);
    expect(replay(kept(record), { ...inputOf(NEAR) }).record().candidates).toEqual(record.candidates);
  });

  it('knows of no endpoint that the record does not list, however good', () => {
    const input = inputOf(NEAR);
    const record = plan(input).record();
    const better = { ...input, entries: [entryOf([...NEAR, offerOf({ endpointId: 'new', price: pricedAt(1) })])] };
    expect(replay(kept(record), better).candidates.map(({ offer }) => offer.endpointId)).toEqual(['a', 'b', 'c']);
  });

  it('shows what a changed price would have changed', () => {
    const record = plan(inputOf(NEAR)).record();
    const [a, ...others] = NEAR;
    const entries = [entryOf([{ ...a, price: pricedAt(900_000) } as (typeof NEAR)[number], ...others])];
    const replayed = replay(kept(record), { entries, snapshotVersion: 'v2' }).record();
    expect(replayed.snapshotVersion).toBe('v2');
    expect(replayed.candidates.map(({ endpointId }) => endpointId)).toEqual(['b', 'c', 'a']);
  });
});

describe('a recorded policy', () => {
  it('is only what differs from the default, and comes back whole', () => {
    const policy = policyOf({ name: 'eu', version: 3, minTier: 'no_training', preferredMaxLatencyS: { p90: 2 }, modelFallbacks: {} });
    const changes = toPolicyChanges(policy);
    expect(changes).toEqual({
      name: 'eu',
      version: 3,
      minTier: 'no_training',
      preferredMaxLatencyS: { p90: 2 },
      deadlineMs: 120_000,
    });
    expect(fromPolicyChanges(JSON.parse(JSON.stringify(changes)) as typeof changes)).toEqual(policy);
  });

  it('leaves its fallback models to the models that were planned over', () => {
    const input = inputOf(NEAR, { policy: policyOf({ modelFallbacks: { 'lab/model': ['lab/other'] } }) });
    expect(plan(input).record().inputs).toMatchObject({ models: ['lab/model'] });
    expect(plan(input).record().inputs?.policy.modelFallbacks).toBeUndefined();
  });

  it('is not recorded where callers made its lists long', () => {
    const ignore = Array.from({ length: 200 }, (_, place) => `provider-${place}`);
    expect(plan(inputOf(NEAR, { policy: policyOf({ ignore }) })).record().inputs).toBeNull();
    expect(plan(inputOf(NEAR, { policy: policyOf({ ignore: ignore.slice(0, 100) }) })).record().inputs).not.toBeNull();
  });
});

describe('terms', () => {
  it('sum up to the index, for fallbacks of a failed operator, too', () => {
    const dice = createDice(SEED);
    let seen = 0;
    for (let turn = 0; turn < 500; turn++) {
      const offers = Array.from({ length: 8 }, (_, place) =>
        offerOf({ ...randomOffer(dice, `e${place}`), tag: 'alpha', ownerTeamId: null }),
      );
      const readings = Object.fromEntries(offers.map(({ endpointId }) => [endpointId, healthOf(randomHealth(dice))]));
      const { candidates } = plan(inputOf(offers, { facts: randomFacts(dice), health: viewOf(readings), random: dice.roll }));
      for (const { index, terms } of candidates) {
        const { price, ttft, ttftMiss, tpot, verification, risk } = terms ?? expect.fail('no terms');
        expect(price + ttft + ttftMiss + tpot + verification + risk).toBeCloseTo(index ?? Number.NaN, 9);
        seen++;
      }
    }
    expect(seen).toBeGreaterThan(500);
  });

  it('are absent where a list or a sort key decided', () => {
    const sorted = plan(inputOf(NEAR, { policy: policyOf({ sort: 'price' }) }));
    expect(sorted.candidates.map(({ terms }) => terms)).toEqual([null, null, null]);
    const ordered = plan(inputOf(NEAR, { policy: policyOf({ order: ['b'] }) }));
    expect(ordered.candidates.map(({ terms }) => terms === null)).toEqual([true, false, false]);
  });
});
