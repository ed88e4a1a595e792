import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Offer } from '#schema/catalog';
import type { EndpointHealth } from '#schema/health';
import { plan, type Plan } from '#src/routing/plan';
import { refusal } from '#src/routing/refusal';
import { SEED } from '#test/support/seed';
import { affinityOf, factsOf, healthOf, inputOf, offerOf, policyOf, pricedAt, viewOf } from './fleet.ts';

type NodeLoad = NonNullable<EndpointHealth['nodeLoad']>;
const IDLE: NodeLoad = { running: 0, waiting: 0, kvUsage: 0, ageMs: 0 };
const POOL = 10_000;

const node = (over: Partial<Offer> = {}): Offer =>
  offerOf({ endpointId: 'rig', supply: 'selfhosted', capacity: { poolTokens: POOL, maxSequences: 16 }, ...over });
const facts = (promptTokens: number, maxTokens: number | null = 500) => factsOf({ promptTokens, maxTokens });

/** Plans over one node in the state given. */
function planAt(
  health: Partial<EndpointHealth> | null,
  over: { offer?: Offer; promptTokens?: number; maxTokens?: number | null } = {},
): Plan {
  const { offer = node(), promptTokens = 1_000, maxTokens = 500 } = over;
  const readings: Record<string, EndpointHealth> = health === null ? {} : { [offer.endpointId]: healthOf(health) };
  return plan(inputOf([offer], { facts: facts(promptTokens, maxTokens), health: viewOf(readings) }));
}

const ttftMs = (health: Partial<EndpointHealth> | null, offer = node()): number =>
  planAt(health, { offer }).candidates[0]?.ttftMs ?? Number.NaN;
const gates = (health: Partial<EndpointHealth>, offer = node()): readonly string[] => planAt(health, { offer }).candidates[0]?.gates ?? [];
const loaded = (load: Partial<NodeLoad>): Partial<EndpointHealth> => ({ nodeLoad: { ...IDLE, ...load } });

describe('what a node can never hold', () => {
  it('is left out by H5, which names the KV cache: prompt with margin and all the output asked for', () => {
    // 5 % more prompt than estimated, and the output.
    expect(planAt(null, { promptTokens: 9_000, maxTokens: 550 }).candidates).toHaveLength(1);
    const result = planAt(null, { promptTokens: 9_000, maxTokens: 551 });
    expect(result).toMatchObject({ candidates: [], rejectionCounts: { H5: 1 }, blockedNow: false, promptTooLong: false });
    expect(result.record().rejections[0]).toMatchObject({
      filter: 'H5',
      reason: 'KV cache of 10000 tokens is below the 10001 tokens to hold',
    });
    expect(refusal('lab/model', result).code).toBe('no_eligible_endpoint');
  });

  it('goes by the expected output where no limit is stated, and by every choice where there are several', () => {
    expect(planAt(null, { promptTokens: 9_000, maxTokens: null }).candidates).toHaveLength(1);
    const several = plan(inputOf([node()], { facts: factsOf({ promptTokens: 1_000, maxTokens: 3_000, choices: 3 }) }));
    expect(several.rejectionCounts).toEqual({ H5: 1 });
  });

  it('tells the caller that the prompt is too long where a shorter one would do', () => {
    expect(planAt(null, { promptTokens: 12_000, maxTokens: 5 })).toMatchObject({ promptTooLong: true });
  });

  it('is never relaxed, whoever names the endpoint', () => {
    const input = inputOf([node()], { facts: facts(9_900), policy: policyOf({ order: ['rig'], only: [['rig']] }) });
    expect(plan(input).candidates).toEqual([]);
  });

  it('leaves out one node of a kind and keeps the others', () => {
    const offers = [node({ endpointId: 'small' }), node({ endpointId: 'large', capacity: { poolTokens: 90_000, maxSequences: 16 } })];
    const result = plan(inputOf([...offers, offerOf({ endpointId: 'unknown' })], { facts: facts(12_000) }));
    expect(result.candidates.map(({ offer }) => offer.endpointId).toSorted()).toEqual(['large', 'unknown']);
  });
});

describe('what a node cannot hold now', () => {
  it.each([
    ['its own word', { nodeLoad: { ...IDLE, kvUsage: 0.9 } }],
    ['our count', { inFlightTokens: 9_000 }],
    ['our count against its word', { inFlightTokens: 9_000, nodeLoad: IDLE }],
    ['its word against our count', { inFlightTokens: 10, nodeLoad: { ...IDLE, kvUsage: 0.9, ageMs: 14_999 } }],
  ])('is no candidate by %s; it is worth coming back in a second', (_, health) => {
    const result = planAt(health);
    expect(result).toMatchObject({ candidates: [], blockedNow: true, retryAfterMs: 1_000, rejectionCounts: {} });
    expect(result.record().rejections).toMatchObject([
      { endpointId: 'rig', filter: 'full', reason: 'KV cache has room for 1000 tokens now; 1550 are needed' },
    ]);
    const error = refusal('lab/model', result);
    expect([error.code, error.retryAfterS]).toEqual(['no_endpoint_available', 1]);
  });

  it('is a candidate as long as the request fits', () => {
    expect(planAt({ inFlightTokens: 8_450 }).candidates).toHaveLength(1);
    expect(planAt({ inFlightTokens: 8_451 }).candidates).toHaveLength(0);
  });

  it('is still asked where nobody has told of its pool: who queues is not who cannot hold', () => {
    const blind = node({ capacity: { poolTokens: null, maxSequences: null } });
    expect(planAt({ inFlightTokens: 1e9, nodeLoad: { ...IDLE, kvUsage: 1, waiting: 50 } }, { offer: blind }).candidates).toHaveLength(1);
  });

  it('what others are likely to have sent moves it back and does not shut it', () => {
    const result = planAt({ inFlightTokens: 1_000, likelyInFlightTokens: 30_000 });
    expect(result.candidates[0]?.gates).toEqual(['cap']);
    expect(result.relaxed).toContain('cap');
  });

  it('a node that is full by its word or by our count is never chosen, however the rest stands', () => {
    const anyNode = fc.record({
      kvUsage: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      inFlightTokens: fc.option(fc.nat(15_000), { nil: undefined }),
      inFlight: fc.nat(20),
      price: fc.integer({ min: 0, max: 500_000 }),
      breaker: fc.constantFrom('closed', 'open', 'half_open'),
      backoffUntilMs: fc.constantFrom(0, Number.MAX_SAFE_INTEGER),
    });
    const property = fc.property(
      fc.array(anyNode, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 9_000 }),
      fc.option(fc.integer({ min: 1, max: 900 })),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (nodes, promptTokens, maxTokens, roll) => {
        const offers = nodes.map(({ price }, place) => node({ endpointId: `n${place}`, price: pricedAt(price) }));
        const readings = nodes.map(({ kvUsage, inFlightTokens, price: _price, ...rest }) =>
          healthOf({ ...rest, nodeLoad: { ...IDLE, kvUsage }, ...(inFlightTokens !== undefined && { inFlightTokens }) }),
        );
        const view = viewOf(Object.fromEntries(readings.map((reading, place) => [`n${place}`, reading])), { endpointId: 'n0', ageMs: 5 });
        const asked = { ...facts(promptTokens, maxTokens), affinity: affinityOf() };
        const { candidates } = plan(inputOf(offers, { facts: asked, health: view, random: () => roll }));
        const need = promptTokens + (maxTokens ?? 250);
        for (const { offer, health } of candidates) {
          expect(need, offer.endpointId).toBeLessThanOrEqual(POOL - POOL * (health?.nodeLoad?.kvUsage ?? 0));
          expect(need, offer.endpointId).toBeLessThanOrEqual(POOL - (health?.inFlightTokens ?? 0));
        }
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 400 });
  });
});

describe('a node that lies', () => {
  it('R8: low gains nothing over our own count', () => {
    const property = fc.property(
      fc.record({ inFlight: fc.nat(20), inFlightTokens: fc.nat(8_000), ageMs: fc.nat(14_999) }),
      ({ inFlight, inFlightTokens, ageMs }) => {
        const counted = planAt({ inFlight, inFlightTokens }).candidates[0];
        const lying = planAt({ inFlight, inFlightTokens, nodeLoad: { ...IDLE, ageMs } }).candidates[0];
        expect([lying?.ttftMs, lying?.gates, lying?.index]).toEqual([counted?.ttftMs, counted?.gates, counted?.index]);
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 200 });
  });

  it('R8: high only loses: the more it claims, the worse it stands', () => {
    const word = fc.record({ running: fc.nat(100), waiting: fc.nat(100), kvUsage: fc.double({ min: 0, max: 1, noNaN: true }) });
    const property = fc.property(word, fc.nat(20), (said, inFlight) => {
      const honest = planAt({ inFlight }).candidates[0];
      const lying = planAt({ inFlight, nodeLoad: { ...said, ageMs: 0 } }).candidates[0];
      if (lying === undefined || honest === undefined) return;
      expect(lying.ttftMs).toBeGreaterThanOrEqual(honest.ttftMs);
      expect(lying.gates.length).toBeGreaterThanOrEqual(honest.gates.length);
      expect(lying.index ?? 0).toBeGreaterThanOrEqual(honest.index ?? 0);
    });
    fc.assert(property, { seed: SEED, numRuns: 400 });
  });

  it('about how many it runs gains nothing: our cap stays the learned one', () => {
    const boast = node({ capacity: { poolTokens: null, maxSequences: 1_000_000 } });
    expect(gates({ inFlight: 8, cap: 8 }, boast)).toEqual(['cap']);
    expect(ttftMs({ inFlight: 6, cap: 8 }, boast)).toBe(
      ttftMs({ inFlight: 6, cap: 8 }, offerOf({ endpointId: 'rig', supply: 'selfhosted' })),
    );
  });
});

describe('the cap', () => {
  it('is the learned one, and no more than the node runs', () => {
    const two = node({ capacity: { poolTokens: null, maxSequences: 2 } });
    expect(gates({ inFlight: 1 }, two)).toEqual([]);
    expect(gates({ inFlight: 2 }, two)).toEqual(['cap']);
    expect(gates({ inFlight: 8 })).toEqual(['cap']);
  });

  it('is reached by what others have there, against what the node runs, else against the learned cap', () => {
    expect(gates(loaded({ running: 15 }))).toEqual([]);
    expect(gates(loaded({ running: 15, waiting: 1, ageMs: 14_000 }))).toEqual(['cap']);
    const unknown = node({ capacity: { poolTokens: null, maxSequences: null } });
    expect(gates(loaded({ running: 8 }), unknown)).toEqual(['cap']);
    // Two of its four slots are leased to this isolate; the others are somebody else's.
    const scarce = { ...unknown, maxConcurrency: 4 };
    expect(gates({ ...loaded({ running: 3 }), inFlight: 1, cap: 2 }, scarce)).toEqual([]);
  });
});

describe('expected time to first token', () => {
  it('rises with the queue ahead: so many answers, so many of them at once', () => {
    const aloneMs = ttftMs(null, node({ expected: { ttftMs: 700, tpotMs: 15, source: 'probe' } }));
    // 250 tokens of 15 ms after a first one; four are served at a time.
    const serviceMs = aloneMs + 250 * 15;
    expect(ttftMs(loaded({ running: 4, waiting: 8 }))).toBeCloseTo(aloneMs + 2 * serviceMs, 6);
    expect(ttftMs(loaded({ running: 0, waiting: 8 }))).toBeCloseTo(aloneMs + (8 / 16) * serviceMs, 6);
  });

  it('forgets a queue that was told of a while ago', () => {
    const queued = [0, 2_000, 8_000].map((ageMs) => ttftMs(loaded({ running: 4, waiting: 8, ageMs })));
    expect(queued).toEqual(queued.toSorted((one, other) => other - one));
    expect(queued[2]).toBeLessThan((queued[0] ?? 0) / 2);
  });

  it('is stretched by the fullest of cap, seats, KV cache and tokens', () => {
    const idle = ttftMs({});
    for (const health of [{ inFlight: 6 }, loaded({ running: 12 }), loaded({ kvUsage: 0.75 }), { inFlightTokens: 7_500 }]) {
      expect(ttftMs(health)).toBeCloseTo(2.5 * idle, 6);
    }
  });

  it.each([
    ['measured', { ttftNormalisedMs: 400, tpotMs: 12 }, { ttftMs: 90, tpotMs: 9, source: 'probe' as const }, ['measured', 'measured']],
    ['probed', null, { ttftMs: 90, tpotMs: 9, source: 'probe' as const }, ['probe', 'probe']],
    ['told', null, { ttftMs: 90, tpotMs: 9, source: 'node' as const }, ['node', 'node']],
    ['computed, in part', null, { ttftMs: null, tpotMs: 9, source: 'model' as const }, ['prior', 'model']],
    ['half measured', { ttftNormalisedMs: 400, tpotMs: null }, { ttftMs: 90, tpotMs: 9, source: 'node' as const }, ['measured', 'node']],
    ['a prior', null, undefined, ['prior', 'prior']],
  ])('rests on what is best known: %s', (_, health, expected, basis) => {
    const offer = node(expected === undefined ? {} : { expected });
    const result = planAt(health, { offer });
    const [first] = result.candidates;
    const ttft = health?.ttftNormalisedMs ?? expected?.ttftMs ?? 600;
    // 1,000 prompt tokens.
    expect(first?.ttftMs).toBeCloseTo(ttft * (0.5 + (0.5 * 1_500) / 1_650), 6);
    expect(first?.tpotMs).toBe(health?.tpotMs ?? expected?.tpotMs ?? 20);
    const told = result.record().candidates[0]?.basis;
    expect([told?.ttft, told?.tpot]).toEqual(basis);
  });

  it('says whose count the load is', () => {
    const told = (health: Partial<EndpointHealth> | null) => {
      const [candidate] = planAt(health).record().candidates;
      return [candidate?.load, candidate?.basis?.load];
    };
    expect(told(null)).toEqual([null, null]);
    expect(told({ inFlight: 4 })).toEqual([{ inFlight: 4, cap: 8 }, 'counted']);
    expect(told({ inFlight: 4, ...loaded({ running: 2 }) })).toEqual([{ inFlight: 4, cap: 8 }, 'counted']);
    expect(told({ inFlight: 4, ...loaded({ running: 9, waiting: 1 }) })).toEqual([{ inFlight: 10, cap: 16 }, 'node']);
  });
});

describe('a conversation’s home', () => {
  const homeWith = (health: Partial<EndpointHealth>, offer = node()) => {
    const asked = factsOf({ promptTokens: 4_000, maxTokens: 100, affinity: affinityOf({ prefixTokens: 3_500 }) });
    const view = viewOf({ rig: healthOf(health) }, { endpointId: 'rig', ageMs: 0 });
    return plan(inputOf([offer], { facts: asked, health: view }));
  };

  it('stays while its KV cache fills, and is expected to have lost the prefix once that is nearly full', () => {
    const roomy = node({ capacity: { poolTokens: 1_000_000, maxSequences: 16 } });
    expect(homeWith(loaded({ kvUsage: 0.95 }), roomy).candidates[0]).toMatchObject({ cacheHit: 0.8, cachedTokens: 2_800 });
    const full = homeWith(loaded({ kvUsage: 0.96 }), roomy);
    expect(full.candidates[0]).toMatchObject({ cacheHit: 0, cachedTokens: 0 });
    expect(full.record().inputs?.home).toEqual({ endpointId: 'rig', cacheHit: 0 });
  });

  it('is expected to have no more of it than its pool holds', () => {
    const asked = factsOf({ promptTokens: 50, contextTokens: 50, maxTokens: 10, affinity: affinityOf({ prefixTokens: 3_500 }) });
    const small = node({ capacity: { poolTokens: 2_000, maxSequences: null } });
    const result = plan(inputOf([small], { facts: asked, health: viewOf({ rig: healthOf() }, { endpointId: 'rig', ageMs: 0 }) }));
    expect(result.candidates[0]).toMatchObject({ cacheHit: 0.8, cachedTokens: 2_000 });
  });

  it('that has no room now is left for another', () => {
    const asked = factsOf({ promptTokens: 4_000, maxTokens: 100, affinity: affinityOf() });
    const view = viewOf({ rig: healthOf({ inFlightTokens: 9_000 }) }, { endpointId: 'rig', ageMs: 0 });
    const result = plan(inputOf([node(), offerOf({ endpointId: 'api' })], { facts: asked, health: view }));
    expect(result.candidates.map(({ offer }) => offer.endpointId)).toEqual(['api']);
  });
});

describe('kv_cache_ignore', () => {
  it('excludes the codecs that it lists, and says so', () => {
    const offers = [node({ kvCache: 'turboquant_4bit_nc' }), node({ endpointId: 'plain', kvCache: 'bf16' })];
    const result = plan(inputOf(offers, { policy: policyOf({ kvCacheIgnore: ['turboquant_4bit_nc', 'q4_0'] }) }));
    expect(result.candidates.map(({ offer }) => offer.endpointId)).toEqual(['plain']);
    expect(result.record().rejections).toMatchObject([
      { endpointId: 'rig', filter: 'H3', reason: 'KV cache turboquant_4bit_nc is on the kv_cache_ignore list' },
    ]);
  });
});
