import { describe, expect, it } from 'vitest';
import type { Offer } from '#schema/catalog';
import type { PlanInputs } from '#schema/receipt';
import { toDemand } from '#src/routing/demand';
import { plan } from '#src/routing/plan';
import { replay } from '#src/routing/replay';
import { isHeldBack } from '#src/routing/stage';
import { entryOf, factsOf, healthOf, inputOf, NOW_MS, offerOf, policyOf, pricedAt, TEAM, viewOf } from './fleet.ts';

const PLANS = 100_000;

/** Five standard deviations of a binomial count. */
const noiseOf = (share: number) => 5 * Math.sqrt(PLANS * share * (1 - share));

/** A newcomer that undercuts everybody, so that it is the choice whenever it is let in. */
function newcomer(endpointId: string, operatorId: string, trafficShare: number, over: Partial<Offer> = {}): Offer {
  return offerOf({ endpointId, operatorId, trafficShare, providerId: 'selfhosted', supply: 'selfhosted', price: pricedAt(1), ...over });
}

const established = offerOf({ endpointId: 'old:m', price: pricedAt(100_000) });
const primaryOf = (offers: readonly Offer[], over: Parameters<typeof inputOf>[1] = {}) => plan(inputOf(offers, over)).candidates[0];

/** Counts whose endpoints come first over many evenly spread draws. */
function primariesByOperator(offers: readonly Offer[]): Map<string, number> {
  const input = inputOf(offers);
  const counts = new Map<string, number>();
  for (let draw = 0; draw < PLANS; draw++) {
    const operator = plan({ ...input, random: () => (draw + 0.5) / PLANS }).candidates[0]?.offer.operatorId ?? '';
    counts.set(operator, (counts.get(operator) ?? 0) + 1);
  }
  return counts;
}

describe('stages of newcomers', () => {
  it('R6: a newcomer gets its share of the requests, no more and no less', () => {
    const counts = primariesByOperator([established, newcomer('one', 'op-1', 0.01), newcomer('five', 'op-5', 0.05)]);
    expect(Math.abs((counts.get('op-1') ?? 0) - 0.01 * PLANS)).toBeLessThan(noiseOf(0.01) + 0.0005 * PLANS);
    expect(Math.abs((counts.get('op-5') ?? 0) - 0.05 * PLANS)).toBeLessThan(noiseOf(0.05) + 0.0005 * PLANS);
  });

  it('R6: many names of one operator get together what one gets', () => {
    const crowd = Array.from({ length: 24 }, (_, place) => newcomer(`sybil-${place}`, 'op-many', 0.01));
    const counts = primariesByOperator([established, newcomer('alone', 'op-one', 0.01), ...crowd]);
    expect(Math.abs((counts.get('op-many') ?? 0) - 0.01 * PLANS)).toBeLessThan(noiseOf(0.01) + 0.0002 * PLANS);
    expect(Math.abs((counts.get('op-one') ?? 0) - 0.01 * PLANS)).toBeLessThan(noiseOf(0.01) + 0.0002 * PLANS);
  });

  it('R6: a thousand endpoints of one operator are let in together or not at all', () => {
    const demand = toDemand(inputOf([]));
    const crowd = Array.from({ length: 1_000 }, (_, place) => newcomer(`sybil-${place}`, 'op-many', 0.25));
    let letIn = 0;
    for (let draw = 0; draw < 400; draw++) {
      const verdicts = new Set(crowd.map((offer) => isHeldBack(offer, demand, draw / 400)));
      expect(verdicts.size).toBe(1);
      if (verdicts.has(false)) letIn++;
    }
    expect(Math.abs(letIn - 100)).toBeLessThan(5 * Math.sqrt(400 * 0.25 * 0.75));
  });

  it('different operators are let in by different draws', () => {
    const demand = toDemand(inputOf([]));
    let both = 0;
    for (let draw = 0; draw < 10_000; draw++) {
      const isIn = (operatorId: string) => !isHeldBack(newcomer('a', operatorId, 0.25), demand, draw / 10_000);
      if (isIn('op-a') && isIn('op-b')) both++;
    }
    expect(Math.abs(both - 625)).toBeLessThan(5 * Math.sqrt(10_000 * 0.0625));
  });

  /** A share so small that no draw of these tests lets it in. */
  const shy = newcomer('shy', 'op-shy', 1e-9);

  it('a newcomer that is held back stays a fallback, and says so', () => {
    const { candidates, relaxed } = plan(inputOf([established, shy], { random: () => 0.5 }));
    expect(candidates.map(({ offer, gates }) => [offer.endpointId, gates])).toEqual([
      ['old:m', []],
      ['shy', ['stage']],
    ]);
    expect(relaxed).toEqual([]);
  });

  it('R6: is asked at once where nothing else is left: before endpoints that are full, backing off or broken', () => {
    const full = offerOf({ endpointId: 'full:m', price: pricedAt(1) });
    const health = viewOf({ 'full:m': healthOf({ inFlight: 8, cap: 8 }) });
    const made = plan(inputOf([full, shy], { health, random: () => 0.5 }));
    expect(made.candidates.map(({ offer }) => offer.endpointId)).toEqual(['shy', 'full:m']);
    expect(made.relaxed).toEqual(['stage']);
    expect(made.retryAfterMs).toBeNull();
  });

  it('alone it serves everything', () => {
    expect(primaryOf([shy], { random: () => 0.5 })?.offer.endpointId).toBe('shy');
  });

  it('a full newcomer is behind a newcomer that has room', () => {
    const busy = newcomer('busy', 'op-busy', 1e-9);
    const health = viewOf({ busy: healthOf({ inFlight: 8, cap: 8 }) });
    const made = plan(inputOf([busy, shy], { health, random: () => 0.5 }));
    expect(made.candidates.map(({ offer, gates }) => [offer.endpointId, gates])).toEqual([
      ['shy', ['stage']],
      ['busy', ['stage', 'cap']],
    ]);
  });

  it('its own team and callers who name it are not held back', () => {
    const own = newcomer('own', 'op-own', 1e-9, { ownerTeamId: TEAM });
    expect(primaryOf([established, own], { random: () => 0.5 })?.gates).toEqual([]);
    const ordered = policyOf({ order: ['shy', 'old'] });
    expect(primaryOf([established, shy], { policy: ordered, random: () => 0.5 })?.offer.endpointId).toBe('shy');
    const only = policyOf({ only: [['shy', 'old']] });
    expect(primaryOf([established, shy], { policy: only, random: () => 0.5 })?.gates).toEqual([]);
  });

  it('who names the kind of supply has named no endpoint', () => {
    const policy = policyOf({ only: [['selfhosted', 'old']] });
    expect(primaryOf([established, shy], { policy, random: () => 0.5 })?.offer.endpointId).toBe('old:m');
  });

  it('the same draw makes the same plan again', () => {
    const offers = [established, newcomer('one', 'op-1', 0.25), newcomer('two', 'op-2', 0.25)];
    for (let draw = 0; draw < 40; draw++) {
      const made = plan(inputOf(offers, { facts: factsOf(), random: () => (draw + 0.3) / 40 }));
      const record = made.record();
      const again = replay(
        { ...record, plannedAtMs: NOW_MS, inputs: JSON.parse(JSON.stringify(record.inputs)) as PlanInputs },
        { entries: [entryOf(offers)], snapshotVersion: 'v1' },
      );
      const rowsOf = (of: typeof made) => of.candidates.map(({ offer, gates, index }) => [offer.endpointId, gates, index]);
      expect(rowsOf(again)).toEqual(rowsOf(made));
    }
  });
});
