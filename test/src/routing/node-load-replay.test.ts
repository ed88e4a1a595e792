import { describe, expect, it } from 'vitest';
import type { PlanRecord } from '#schema/receipt';
import { plan } from '#src/routing/plan';
import { reenact, type Reenactable } from '#src/routing/reenact';
import { replay } from '#src/routing/replay';
import { entryOf, healthOf, inputOf, offerOf, policyOf, pricedAt, viewOf } from './fleet.ts';

const node = (endpointId: string) => offerOf({ endpointId, supply: 'selfhosted', capacity: { poolTokens: 10_000, maxSequences: 16 } });

describe('a record of a plan over nodes that tell their load', () => {
  const offers = [node('rig'), node('full'), offerOf({ endpointId: 'api', price: pricedAt(300_000) })];
  const view = viewOf({
    rig: healthOf({
      inFlight: 3,
      inFlightTokens: 4_000,
      likelyInFlightTokens: 6_000,
      nodeLoad: { running: 7, waiting: 2, kvUsage: 0.4, ageMs: 812 },
    }),
    full: healthOf({ nodeLoad: { running: 0, waiting: 0, kvUsage: 0.99, ageMs: 0 } }),
    api: healthOf(),
  });
  const made = plan(inputOf(offers, { health: view })).record();
  const reenactable = made as PlanRecord & Reenactable;

  it('replays to the same candidates, term by term', () => {
    const again = replay(reenactable, { entries: [entryOf(offers)], snapshotVersion: 'v1' }).record();
    expect(again.candidates).toEqual(made.candidates);
    expect(again.candidates).toHaveLength(2);
  });

  it('keeps a node out that was full, under any other policy', () => {
    const trial = reenact(reenactable, { snapshotVersion: 'v1', isCallable: () => true });
    const result = trial.plan({ policy: policyOf({ optimize: 'latency' }), entries: [entryOf(offers)] });
    expect(result.candidates.map(({ offer }) => offer.endpointId).toSorted()).toEqual(['api', 'rig']);
  });

  it('from before nodes told of themselves replays as it was', () => {
    const plain = [offerOf({ endpointId: 'a' }), offerOf({ endpointId: 'b', price: pricedAt(120_000) })];
    const before = plan(inputOf(plain, { health: viewOf({ a: healthOf(), b: healthOf() }) })).record() as PlanRecord & Reenactable;
    const older = { ...before, candidates: before.candidates.map(({ basis: _basis, ...candidate }) => candidate) };
    const again = replay(older, { entries: [entryOf(plain)], snapshotVersion: 'v1' }).record();
    expect(again.candidates.map(({ basis: _basis, ...candidate }) => candidate)).toEqual(older.candidates);
  });
});
