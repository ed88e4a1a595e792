import { describe, expect, it } from 'vitest';
import type { OwnKeyOf } from '#schema/byok';
import { plan } from '#src/routing/plan';
import { factsOf, healthOf, inputOf, offerOf, pricedAt } from './fleet.ts';

const OWN = offerOf({ endpointId: 'own', price: pricedAt(100_000), keySecret: 'OWN_KEY' });
const HOUSE = offerOf({ endpointId: 'house', price: pricedAt(50_000), keySecret: 'HOUSE_KEY' });
const ownKeyOf: OwnKeyOf = ({ providerId }) => (providerId === 'own' ? { credential: 'byok:1', key: 'secret' } : undefined);
const facts = factsOf({ maxTokens: 500 });

const idsOf = ({ candidates }: ReturnType<typeof plan>) => candidates.map(({ offer }) => offer.endpointId);

describe("a team's own key in a plan", () => {
  it('holds nothing for what the team pays upstream, and the worst case for what the house does', () => {
    const { candidates } = plan(inputOf([OWN, HOUSE], { facts, ownKeyOf }));
    expect(candidates.map(({ offer, isByok, worstCaseNanoUsd }) => [offer.endpointId, isByok, worstCaseNanoUsd])).toEqual([
      ['house', false, 1_050 * 50 + 500 * 200],
      ['own', true, 0],
    ]);
  });

  it('changes neither price nor order: what an upstream bills the team counts like what the house would charge', () => {
    const without = plan(inputOf([OWN, HOUSE], { facts }));
    const withOwn = plan(inputOf([OWN, HOUSE], { facts, ownKeyOf }));
    expect(withOwn.record()).toEqual(without.record());
  });

  it('R18: that is refused takes out the offers that it is for, whatever the house’s key is', () => {
    const read = (endpointId: string, _operatorId: string, credential: string | null) => {
      expect(credential).toBe(endpointId === 'own' ? 'byok:1' : 'HOUSE_KEY');
      return healthOf({ credentialDisabled: credential === 'byok:1' });
    };
    const planned = plan(inputOf([OWN, HOUSE], { facts, ownKeyOf, health: { read, lastServed: () => null } }));
    expect(idsOf(planned)).toEqual(['house']);
    expect(plan(inputOf([OWN], { facts, ownKeyOf, health: { read, lastServed: () => null } }))).toMatchObject({
      blockedNow: true,
      candidates: [],
    });
  });
});
