import { describe, expect, it } from 'vitest';
import { plan } from '#src/routing/plan';
import { fromPolicyChanges } from '#src/routing/policy-changes';
import { reenact } from '#src/routing/reenact';
import { SEED } from '#test/support/seed';
import { entryOf, healthOf, inputOf, offerOf, policyOf, pricedAt, viewOf } from './fleet.ts';
import { kept } from './kept-record.ts';
import { createDice, randomFacts, randomOffer, randomPolicy, randomReadings } from './random-world.ts';

const NEAR = ['a', 'b', 'c'].map((endpointId, place) => offerOf({ endpointId, price: pricedAt(100_000 * (place + 1)) }));
const EVERYWHERE = { snapshotVersion: 'v1', isCallable: () => true };

const order = ({ candidates }: { candidates: readonly { offer: { endpointId: string } }[] }) =>
  candidates.map(({ offer }) => offer.endpointId);

describe('a reenactment', () => {
  it('of the policy that held gives the recorded order, for random plans over up to 32 endpoints', () => {
    const dice = createDice(SEED);
    let compared = 0;
    for (let turn = 0; turn < 3_000; turn++) {
      const offers = Array.from({ length: 1 + Math.floor(dice.roll() * 32) }, (_, place) => randomOffer(dice, `e${place}`));
      const readings = randomReadings(dice, offers);
      const isCallable = ({ keySecret }: { keySecret: string | null }) => keySecret !== 'MISSING';
      const input = inputOf(offers, {
        facts: randomFacts(dice),
        policy: randomPolicy(dice),
        health: viewOf(readings),
        random: dice.roll,
        isCallable,
      });
      const record = plan(input).record();
      const recorded = kept(record);
      // Callable or not now: what filters had excluded stays excluded under the same policy.
      const again = reenact(recorded, { snapshotVersion: 'v1', isCallable: dice.chance(0.5) ? () => true : isCallable });
      const isOneOnly = !input.policy.allowFallbacks && input.policy.order.length === 0;
      const before = order(again.plan({ policy: fromPolicyChanges(recorded.inputs.policy), entries: input.entries }));
      expect(before.slice(0, isOneOnly ? 1 : 64), `turn ${turn}`).toEqual(record.candidates.map(({ endpointId }) => endpointId));
      compared += before.length;
    }
    expect(compared).toBeGreaterThan(3_000);
  });

  it('lets in what a hard filter had excluded, as an endpoint never seen', () => {
    const input = inputOf(NEAR, { policy: policyOf({ ignore: ['a'] }), health: viewOf({ a: healthOf(), b: healthOf() }) });
    const again = reenact(kept(plan(input).record()), EVERYWHERE);
    const loosened = again.plan({ policy: policyOf(), entries: input.entries });
    expect(order(loosened)).toEqual(['a', 'b', 'c']);
    expect(loosened.candidates.map(({ health }) => health !== null)).toEqual([false, true, false]);
    expect(['a', 'b', 'c'].map((id) => again.isMeasured(id))).toEqual([false, true, true]);
  });

  it('leaves out what had no key then, what has none now, and what the record does not list', () => {
    const offers = [...NEAR, offerOf({ endpointId: 'keyless', keySecret: 'MISSING', price: pricedAt(1) })];
    const input = inputOf(offers, { policy: policyOf({ ignore: ['a', 'b'] }), isCallable: ({ keySecret }) => keySecret === null });
    const stage = { snapshotVersion: 'v1', isCallable: ({ endpointId }: { endpointId: string }) => endpointId !== 'b' };
    const entries = [entryOf([...offers, offerOf({ endpointId: 'new', price: pricedAt(1) })])];
    const again = reenact(kept(plan(input).record()), stage);
    expect(order(again.plan({ policy: policyOf(), entries }))).toEqual(['a', 'c']);
  });

  it('can replace the output that was expected', () => {
    const cheapOut = offerOf({
      endpointId: 'cheap-out',
      price: { promptPicoUsdPerToken: 500_000, completionPicoUsdPerToken: 1, requestNanoUsd: 0 },
    });
    const cheapIn = offerOf({
      endpointId: 'cheap-in',
      price: { promptPicoUsdPerToken: 1, completionPicoUsdPerToken: 500_000, requestNanoUsd: 0 },
    });
    const input = inputOf([cheapOut, cheapIn]);
    const again = reenact(kept(plan(input).record()), EVERYWHERE);
    const trial = { policy: policyOf(), entries: input.entries };
    expect(order(again.plan(trial))[0]).toBe('cheap-in');
    expect(order(again.plan({ ...trial, expectedCompletionTokens: 9_000 }))[0]).toBe('cheap-out');
  });
});
