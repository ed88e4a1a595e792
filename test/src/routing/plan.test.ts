import { describe, expect, it } from 'vitest';
import { plan, type Plan } from '#src/routing/plan';
import { entryOf, factsOf, healthOf, inputOf, NOW_MS, offerOf, policyOf, pricedAt, viewOf } from './fleet.ts';

const CHEAP = offerOf({ endpointId: 'cheap', price: pricedAt(50_000) });
const MIDDLE = offerOf({ endpointId: 'middle', price: pricedAt(100_000) });
const DEAR = offerOf({ endpointId: 'dear', price: pricedAt(200_000) });
const FLEET = [DEAR, CHEAP, MIDDLE];

function ids(result: Plan): string[] {
  return result.candidates.map(({ offer }) => offer.endpointId);
}

describe('the index', () => {
  it('orders by ascending R and numbers ranks from 1', () => {
    const { candidates, method } = plan(inputOf(FLEET));
    expect(candidates.map(({ offer, rank }) => [offer.endpointId, rank])).toEqual([
      ['cheap', 1],
      ['middle', 2],
      ['dear', 3],
    ]);
    expect(method).toBe('index');
    const indexes = candidates.map(({ index }) => index ?? Number.NaN);
    expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
  });

  it('computes R term by term as the paper has it', () => {
    const health = viewOf({
      middle: healthOf({ failureProbability: 0.2, ttftNormalisedMs: 1_000, ttftNormalisedMsP90: 1_500, tpotMs: 30 }),
    });
    const [only] = plan(inputOf([MIDDLE], { health, facts: factsOf({ promptTokens: 1_150 }) })).candidates;
    const ttftSloMs = 3_000 + 1_150 / 4;
    const success = 1 + (0.5 * 1_000) / ttftSloMs + (0.25 * 30) / 60;
    const loss = (0.5 * (4_500 / 2)) / ttftSloMs + 0.2;
    expect(only?.index).toBeCloseTo(success + 0.25 * loss, 9);
    expect(only).toMatchObject({ ttftMs: 1_000, tpotMs: 30, firstTokenTimeoutMs: 4_500 });
  });

  it.each([
    { optimize: 'price', first: 'cheap' },
    { optimize: 'latency', first: 'dear' },
  ] as const)('preset $optimize tries $first first', ({ optimize, first }) => {
    const health = viewOf({
      cheap: healthOf({ ttftNormalisedMs: 3_200, ttftNormalisedMsP90: 3_300 }),
      middle: healthOf({ ttftNormalisedMs: 2_000, ttftNormalisedMsP90: 3_000 }),
      dear: healthOf({ ttftNormalisedMs: 200, ttftNormalisedMsP90: 300 }),
    });
    expect(ids(plan(inputOf(FLEET, { health, policy: policyOf({ optimize }) })))[0]).toBe(first);
  });

  it('preset throughput tries the fastest decoder first', () => {
    const health = viewOf({ cheap: healthOf({ tpotMs: 60 }), dear: healthOf({ tpotMs: 3 }) });
    expect(ids(plan(inputOf([CHEAP, DEAR], { health, policy: policyOf({ optimize: 'throughput' }) })))[0]).toBe('dear');
  });

  it('R6: near ties share the traffic, so a newcomer gets some of it and not all', () => {
    const known = offerOf({ endpointId: 'known' });
    const newcomer = offerOf({ endpointId: 'newcomer' });
    const health = viewOf({ known: healthOf() });
    const rolls = Array.from({ length: 1_000 }, (_, draw) => draw / 1_000);
    const firsts = rolls.map((roll) => ids(plan(inputOf([known, newcomer], { health, random: () => roll })))[0]);
    const share = firsts.filter((id) => id === 'newcomer').length / rolls.length;
    expect(share).toBeGreaterThan(0.01);
    expect(share).toBeLessThan(0.5);
  });

  it('after the primary another operator comes first among near ties', () => {
    const offers = [
      offerOf({ endpointId: 'a1', operatorId: 'a', price: pricedAt(90_000) }),
      offerOf({ endpointId: 'a2', operatorId: 'a', price: pricedAt(95_000) }),
      offerOf({ endpointId: 'b1', operatorId: 'b', price: pricedAt(100_000) }),
    ];
    const view = viewOf({
      a1: healthOf({ failureProbability: 0.2 }),
      a2: healthOf({ failureProbability: 0.2 }),
      b1: healthOf({ failureProbability: 0.2 }),
    });
    expect(ids(plan(inputOf(offers, { health: view })))).toEqual(['a1', 'b1', 'a2']);
  });

  it('verification: preferred makes an unverified endpoint worth less, any does not', () => {
    const offers = [offerOf({ endpointId: 'anonymous', verification: 'unverified', price: pricedAt(95_000) }), MIDDLE];
    expect(ids(plan(inputOf(offers)))[0]).toBe('middle');
    expect(ids(plan(inputOf(offers, { policy: policyOf({ verification: 'any' }) })))[0]).toBe('anonymous');
  });

  it('keeps the best 64 of many', () => {
    const offers = Array.from({ length: 1_000 }, (_, place) =>
      offerOf({ endpointId: `e${String(place).padStart(4, '0')}`, price: pricedAt(2_000 - place) }),
    );
    const kept = ids(plan(inputOf(offers)));
    expect(kept).toEqual(
      offers
        .slice(-64)
        .toReversed()
        .map(({ endpointId }) => endpointId),
    );
  });
});

describe('ten thousand endpoints of one model', () => {
  it('are not all looked at when the dear ones cannot win', () => {
    const offers = Array.from({ length: 10_000 }, (_, place) => offerOf({ endpointId: `e${place}`, price: pricedAt(10_000 + place * 50) }));
    let readCount = 0;
    const read = (): undefined => void readCount++;
    expect(ids(plan(inputOf(offers, { health: { ...viewOf({}), read } })))[0]).toBe('e0');
    expect(readCount).toBeLessThan(5_000);
  });
});

describe('order and sort', () => {
  it('order puts the listed first in its order, then the rest by index', () => {
    const result = plan(inputOf(FLEET, { policy: policyOf({ order: ['dear', 'middle'] }) }));
    expect(ids(result)).toEqual(['dear', 'middle', 'cheap']);
    expect(result.method).toBe('order');
    expect(result.candidates.map(({ index }) => index === null)).toEqual([true, true, false]);
  });

  it('order without fallbacks tries the listed only', () => {
    expect(ids(plan(inputOf(FLEET, { policy: policyOf({ order: ['dear', 'middle'], allowFallbacks: false }) })))).toEqual([
      'dear',
      'middle',
    ]);
  });

  it('without order, no fallbacks means one candidate', () => {
    expect(ids(plan(inputOf(FLEET, { policy: policyOf({ allowFallbacks: false }) })))).toEqual(['cheap']);
  });

  it.each([
    { sort: 'price', expected: ['cheap', 'middle', 'dear'] },
    { sort: 'throughput', expected: ['dear', 'cheap', 'middle'] },
    { sort: 'latency', expected: ['middle', 'dear', 'cheap'] },
    { sort: 'exacto', expected: ['dear', 'middle', 'cheap'] },
  ] as const)('sort: $sort ignores the index and the draw', ({ sort, expected }) => {
    const health = viewOf({
      cheap: healthOf({ ttftNormalisedMs: 900, tpotMs: 20, failureProbability: 0.3 }),
      middle: healthOf({ ttftNormalisedMs: 100, tpotMs: 30, failureProbability: 0.2 }),
      dear: healthOf({ ttftNormalisedMs: 500, tpotMs: 10, failureProbability: 0.1 }),
    });
    for (const roll of [0, 0.5, 0.999]) {
      const result = plan(inputOf(FLEET, { health, random: () => roll, policy: policyOf({ sort }) }));
      expect(ids(result)).toEqual(expected);
      expect(result.method).toBe(`sort:${sort}`);
      expect(result.candidates.every(({ index }) => index === null)).toBe(true);
    }
  });

  it('supply.order ranks kinds, the rest comes after', () => {
    const own = offerOf({ endpointId: 'own', supply: 'selfhosted', price: pricedAt(900_000) });
    const miner = offerOf({ endpointId: 'miner', supply: 'subnet', price: pricedAt(10_000) });
    expect(ids(plan(inputOf([miner, CHEAP, own], { policy: policyOf({ supplyOrder: ['selfhosted', 'centralized'] }) })))).toEqual([
      'own',
      'cheap',
      'miner',
    ]);
  });

  it('missed preferred_max_latency and preferred_min_throughput move back, never out', () => {
    const health = viewOf({
      cheap: healthOf({ ttftNormalisedMs: 2_000, ttftNormalisedMsP90: 4_000 }),
      middle: healthOf(),
      dear: healthOf({ tpotMs: 100 }),
    });
    expect(ids(plan(inputOf(FLEET, { health, policy: policyOf({ preferredMaxLatencyS: { p90: 2 } }) })))).toEqual([
      'middle',
      'dear',
      'cheap',
    ]);
    expect(ids(plan(inputOf(FLEET, { health, policy: policyOf({ preferredMinThroughput: { p50: 50 } }) }))).at(-1)).toBe('dear');
  });

  it('offers that honour a wanted parameter come before cheaper ones that would drop it', () => {
    const plain = offerOf({ endpointId: 'plain', capabilities: new Set(), price: pricedAt(1) });
    expect(ids(plan(inputOf([plain, DEAR], { facts: factsOf({ wants: ['seed'] }) })))).toEqual(['dear', 'plain']);
  });
});

describe('fallback models', () => {
  const first = entryOf([DEAR], 'lab/first');
  const second = entryOf([CHEAP], 'lab/second');

  it('come after everything of the first model', () => {
    const result = plan(inputOf([], { entries: [first, second] }));
    expect(ids(result)).toEqual(['dear', 'cheap']);
    expect(result.record().model).toBe('lab/first');
  });

  it('mix with it when sort.partition is none', () => {
    expect(ids(plan(inputOf([], { entries: [first, second], policy: policyOf({ sort: 'price', sortAcrossModels: true }) })))).toEqual([
      'cheap',
      'dear',
    ]);
  });

  it('come first when only the first model is at its caps', () => {
    const health = viewOf({ dear: healthOf({ inFlight: 8 }) });
    expect(ids(plan(inputOf([], { entries: [first, second], health })))).toEqual(['cheap', 'dear']);
  });
});

describe('soft gates', () => {
  it('relax in order: cap, then back-off, then breaker', () => {
    const health = viewOf({
      cheap: healthOf({ breaker: 'open' }),
      middle: healthOf({ backoffUntilMs: NOW_MS + 5_000 }),
      dear: healthOf({ inFlight: 8 }),
    });
    const result = plan(inputOf(FLEET, { health }));
    expect(result.candidates.map(({ offer, gates }) => [offer.endpointId, ...gates])).toEqual([
      ['dear', 'cap'],
      ['middle', 'backoff'],
      ['cheap', 'breaker'],
    ]);
    expect(result.relaxed).toEqual(['cap']);
    expect(result.retryAfterMs).toBe(1_000);
  });

  it('relax nothing while one candidate passes them all', () => {
    const health = viewOf({ cheap: healthOf({ inFlight: 8 }), middle: healthOf({ backoffUntilMs: NOW_MS + 5_000 }) });
    const result = plan(inputOf(FLEET, { health }));
    expect(ids(result)[0]).toBe('dear');
    expect(result).toMatchObject({ relaxed: [], retryAfterMs: null });
  });

  it('a back-off that is over gates nothing', () => {
    const health = viewOf({ cheap: healthOf({ backoffUntilMs: NOW_MS }) });
    expect(plan(inputOf([CHEAP], { health })).candidates[0]?.gates).toEqual([]);
  });

  it('R5: with every breaker open the best is tried all the same, and the wait is stated', () => {
    const open = healthOf({ breaker: 'open' });
    const result = plan(inputOf(FLEET, { health: viewOf({ cheap: open, middle: open, dear: open }) }));
    expect(ids(result)).toEqual(['cheap', 'middle', 'dear']);
    expect(result).toMatchObject({ relaxed: ['breaker'], blockedNow: false, retryAfterMs: 2_000 });
  });

  it('breakers count while no more than half of the eligible set is open', () => {
    const health = viewOf({ cheap: healthOf({ breaker: 'open' }) });
    const result = plan(inputOf([CHEAP, MIDDLE], { health }));
    expect(ids(result)).toEqual(['middle', 'cheap']);
    expect(result.relaxed).toEqual([]);
  });

  it('R18: a refused credential is never relaxed', () => {
    const result = plan(inputOf([CHEAP], { health: viewOf({ cheap: healthOf({ credentialDisabled: true }) }) }));
    expect(result).toMatchObject({ candidates: [], blockedNow: true, retryAfterMs: 60_000 });
  });
});
