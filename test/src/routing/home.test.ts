import { describe, expect, it } from 'vitest';
import type { Offer } from '#schema/catalog';
import type { Affinity } from '#schema/facts';
import type { EndpointHealth, LastServed } from '#schema/health';
import { plan, type Plan, type PlanInput } from '#src/routing/plan';
import { affinityOf, factsOf, healthOf, inputOf, offerOf, policyOf, pricedAt, viewOf } from './fleet.ts';

const CAPS = { a: 8, b: 12, c: 16, d: 24 };
const FLEET = Object.keys(CAPS).map((endpointId) => offerOf({ endpointId }));
const IDLE = Object.fromEntries(Object.entries(CAPS).map(([id, cap]) => [id, healthOf({ cap })]));
const KEYS = Array.from({ length: 10_000 }, (_, place) => place.toString(16).padStart(16, '0'));

function first({ candidates }: Plan): string | undefined {
  return candidates[0]?.offer.endpointId;
}

/** Where a conversation goes; the draw would take the last of near ties. */
function homeOf(offers: readonly Offer[], readings: Record<string, EndpointHealth>, over: Partial<Affinity> = {}): string | undefined {
  return first(planOf(offers, readings, over));
}

function planOf(
  offers: readonly Offer[],
  readings: Record<string, EndpointHealth>,
  over: Partial<Affinity> = {},
  { lastServed = null, ...input }: Partial<PlanInput> & { lastServed?: LastServed | null } = {},
): Plan {
  const facts = factsOf({ promptTokens: 2_000, affinity: affinityOf(over) });
  return plan(inputOf(offers, { facts, health: viewOf(readings, lastServed), random: () => 0.999, ...input }));
}

describe('conversations without a history', () => {
  it('spread over endpoints in proportion to their caps', () => {
    const counts = new Map<string | undefined, number>();
    for (const key of KEYS) {
      const home = homeOf(FLEET, IDLE, { key });
      counts.set(home, (counts.get(home) ?? 0) + 1);
    }
    for (const [id, cap] of Object.entries(CAPS)) {
      const share = (counts.get(id) ?? 0) / KEYS.length;
      expect(Math.abs(share / (cap / 60) - 1)).toBeLessThan(0.05);
    }
  });

  it('keep their home when another endpoint leaves, and only its own conversations move', () => {
    const without = FLEET.filter(({ endpointId }) => endpointId !== 'c');
    for (const key of KEYS.slice(0, 2_000)) {
      const before = homeOf(FLEET, IDLE, { key });
      const after = homeOf(without, IDLE, { key });
      if (before === 'c') expect(after).not.toBe('c');
      else expect(after).toBe(before);
    }
  });

  it('leave an endpoint that is fuller than 1.25 of the mean load, and only that one', () => {
    const full = { ...IDLE, d: healthOf({ cap: 24, inFlight: 18 }) };
    const homes = KEYS.slice(0, 1_000).map((key) => [homeOf(FLEET, IDLE, { key }), homeOf(FLEET, full, { key })] as const);
    expect(homes.some(([before]) => before === 'd')).toBe(true);
    for (const [before, after] of homes) {
      if (before === 'd') expect(after).not.toBe('d');
      else expect(after).toBe(before);
    }
  });

  it('stay where all are equally full', () => {
    const busy = Object.fromEntries(Object.entries(CAPS).map(([id, cap]) => [id, healthOf({ cap, inFlight: cap * 0.75 })]));
    for (const key of KEYS.slice(0, 200)) expect(homeOf(FLEET, busy, { key })).toBe(homeOf(FLEET, IDLE, { key }));
  });

  it('count a declared cap where nothing else is known', () => {
    const offers = [offerOf({ endpointId: 'big', maxConcurrency: 72 }), offerOf({ endpointId: 'small' })];
    const share = KEYS.filter((key) => homeOf(offers, {}, { key }) === 'big').length / KEYS.length;
    expect(share).toBeGreaterThan(0.88);
    expect(share).toBeLessThan(0.92);
  });
});

describe('the last turn', () => {
  const elsewhere = ['a', 'b', 'c', 'd'].find((id) => id !== homeOf(FLEET, IDLE)) as string;

  it('makes its endpoint the home, with a cache that fades within minutes', () => {
    for (const [ageMs, cacheHit] of [
      [0, 0.8],
      [300_000, 0.8 / Math.E],
      [-5_000, 0.8],
    ] as const) {
      const result = planOf(FLEET, IDLE, {}, { lastServed: { endpointId: elsewhere, ageMs } });
      expect(first(result)).toBe(elsewhere);
      expect(result.candidates[0]?.cacheHit).toBeCloseTo(cacheHit, 12);
      expect(result.candidates.slice(1).every((candidate) => candidate.cacheHit === 0 && candidate.cachedTokens === 0)).toBe(true);
    }
  });

  it('is forgotten after an hour', () => {
    const result = planOf(FLEET, IDLE, {}, { lastServed: { endpointId: elsewhere, ageMs: 3_600_001 } });
    expect(first(result)).toBe(homeOf(FLEET, IDLE));
  });

  it('leaves no cache to count on where its endpoint is full, and the conversation moves together', () => {
    const readings = { ...IDLE, [elsewhere]: healthOf({ inFlight: 24, cap: 24 }) };
    const result = planOf(FLEET, readings, {}, { lastServed: { endpointId: elsewhere, ageMs: 1_000 } });
    expect(first(result)).toBe(homeOf(FLEET, readings));
    expect(result.candidates.every(({ cacheHit }) => cacheHit === 0)).toBe(true);
  });
});

describe('what a warm cache is worth', () => {
  const price = { ...pricedAt(100_000), cacheReadPicoUsdPerToken: 10_000 };

  it('cached tokens cost their own price and take no prefill time; what is held stays', () => {
    const [cold] = planOf([offerOf({ endpointId: 'a', price })], IDLE, { prefixTokens: 0 }).candidates;
    const [warm] = planOf([offerOf({ endpointId: 'a', price })], IDLE).candidates;
    expect(cold).toMatchObject({ cacheHit: 0, cachedTokens: 0, costNanoUsd: 2_000 * 100 + 250 * 400 });
    expect(warm).toMatchObject({ cacheHit: 0.8, cachedTokens: 800, costNanoUsd: 1_200 * 100 + 800 * 10 + 250 * 400 });
    expect(warm?.ttftMs).toBeCloseTo(700 * (0.5 + (0.5 * 1_700) / 1_650), 9);
    expect(warm?.terms?.price).toBeCloseTo((1_200 * 100 + 800 * 10 + 250 * 400) / (2_000 * 100 + 250 * 400), 12);
    expect(warm?.worstCaseNanoUsd).toBe(cold?.worstCaseNanoUsd);
    expect(warm?.firstTokenTimeoutMs).toBe(cold?.firstTokenTimeoutMs);
  });

  it('nothing is saved where no price of cached tokens is known', () => {
    const [warm] = planOf([offerOf({ endpointId: 'a' })], IDLE).candidates;
    expect(warm).toMatchObject({ cachedTokens: 800, costNanoUsd: 2_000 * 100 + 250 * 400 });
    expect(warm?.terms?.price).toBe(1);
  });

  it('a conversation that nobody named may be cached, half of the time', () => {
    expect(planOf(FLEET, IDLE, { isNamed: false }).candidates[0]).toMatchObject({ cacheHit: 0.5, cachedTokens: 500 });
  });
});

describe('a home', () => {
  const offers = [offerOf({ endpointId: 'a', price: pricedAt(100_000) }), offerOf({ endpointId: 'b', price: pricedAt(100_000) })];
  const stay = (pricePicoUsd: number, input: Partial<PlanInput> = {}): string | undefined => {
    const priced = [offerOf({ endpointId: 'a', price: pricedAt(pricePicoUsd) }), ...offers.slice(1), offerOf({ endpointId: 'c' })];
    const readings = { a: healthOf(), b: healthOf(), c: healthOf() };
    return first(planOf(priced, readings, { prefixTokens: 0 }, { lastServed: { endpointId: 'a', ageMs: 0 }, random: () => 0, ...input }));
  };

  it('is left when its index is more than 0.15 above the best', () => {
    expect(stay(114_000)).toBe('a');
    expect(stay(116_000)).toBe('b');
  });

  it.each([
    ['order', { order: ['b'] }, 'b'],
    ['sort', { sort: 'price' }, 'b'],
  ] as const)('does not matter where %s decides', (_, policy, expected) => {
    expect(stay(110_000, { policy: policyOf(policy) })).toBe(expected);
  });

  it.each([
    ['is full', { inFlight: 8 }],
    ['is backing off', { backoffUntilMs: 9e15 }],
    ['has an open breaker', { breaker: 'open' as const }],
  ])('is left while it %s', (_, over) => {
    const readings = { a: healthOf(over), b: healthOf(), c: healthOf() };
    const three = [...offers, offerOf({ endpointId: 'c' })];
    expect(first(planOf(three, readings, {}, { lastServed: { endpointId: 'a', ageMs: 0 } }))).not.toBe('a');
  });

  it('is no home for the first turn of a conversation that nobody named', () => {
    const draws = [0, 0.3, 0.6, 0.999].map((roll) =>
      first(planOf(FLEET, IDLE, { isNamed: false, prefixTokens: 0 }, { random: () => roll })),
    );
    expect(new Set(draws).size).toBeGreaterThan(1);
  });

  it('R1: never is an endpoint that a hard filter excludes', () => {
    const policy = policyOf({ ignore: ['a'] });
    const result = planOf(FLEET, IDLE, {}, { policy, lastServed: { endpointId: 'a', ageMs: 0 } });
    expect(result.candidates.map(({ offer }) => offer.endpointId)).not.toContain('a');
  });

  it('R1: is nobody whom a record names and who could not be called now', () => {
    const home = { endpointId: 'd', cacheHit: 0.5 };
    const isCallable = ({ endpointId }: Offer): boolean => endpointId !== 'd';
    const { candidates, record } = planOf(FLEET, IDLE, {}, { home, isCallable });
    expect(candidates.map(({ offer }) => offer.endpointId).toSorted()).toEqual(['a', 'b', 'c']);
    expect(record().inputs?.home).toBeNull();
  });

  it('is listed among ten thousand, though 64 others have a better index', () => {
    const many = Array.from({ length: 10_000 }, (_, place) => offerOf({ endpointId: `e${place}`, price: pricedAt(100_000 + place) }));
    const result = planOf(many, {}, {}, { lastServed: { endpointId: 'e900', ageMs: 0 } });
    expect(result.candidates).toHaveLength(64);
    expect(first(result)).toBe('e900');
    expect(new Set(result.candidates.map(({ offer }) => offer.endpointId)).size).toBe(64);
  });
});
