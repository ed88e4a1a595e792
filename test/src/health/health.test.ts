import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attemptFailureKind, type AttemptFailureKind } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { EndpointHealth } from '#schema/health';
import { createHealth, type Flight, type Health } from '#src/health/health';
import { plan } from '#src/routing/plan';
import { factsOf, inputOf, offerOf } from '#test/src/routing/fleet';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
console.log(`health seed ${seed} (repeat with SEED=${seed})`);

const OFFER = offerOf({ endpointId: 'rig', operatorId: 'op', keySecret: 'RIG_KEY' });
const FACTS = factsOf({ promptTokens: 1_150 });

/** Kinds that are the endpoint's own failure. */
const ENDPOINT_FAULTS: AttemptFailureKind[] = [
  'timeout_first_token',
  'timeout_stall',
  'connect',
  'model_missing',
  'protocol',
  'upstream_error',
  'redirect',
];
/** Kinds that say nothing about the endpoint. */
const NO_FAULTS: AttemptFailureKind[] = ['rejected', 'context_exceeded', 'content_filtered', 'cancelled', 'timeout_deadline'];

/** A health under a hand-moved clock; the middle of the jitter, so delays are exact. */
function setUp() {
  const clock = { nowMs: 1_800_000_000_000 };
  const health = createHealth({ now: () => clock.nowMs, random: () => 0.5 });
  return { clock, health };
}

function read(health: Health, nowMs: number, offer: Offer = OFFER): EndpointHealth | undefined {
  return health.view(nowMs).read(offer.endpointId, offer.operatorId, offer.keySecret);
}

function fail(flight: Flight, kind: AttemptFailureKind, retryAfterMs?: number): void {
  flight.end({
    outcome: 'failed',
    failure: { kind, origin: 'external', detail: 'test', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
    completionTokens: 0,
    durationMs: 20,
  });
}

function succeed(flight: Flight, ttftMs = 700, tokens = 101): void {
  flight.firstToken(ttftMs);
  flight.end({ outcome: 'completed', failure: null, completionTokens: tokens, durationMs: ttftMs + (tokens - 1) * 15 });
}

function repeat(times: number, act: () => void): void {
  for (let time = 0; time < times; time++) act();
}

describe('estimates', () => {
  it('knows nothing of an endpoint that was never called', () => {
    const { health, clock } = setUp();
    expect(read(health, clock.nowMs)).toBeUndefined();
  });

  it('learns TTFT normalised by the prompt, TPOT and its quantile', () => {
    const { health, clock } = setUp();
    const long = factsOf({ promptTokens: 1_150 + 3_300 });
    repeat(20, () => succeed(health.begin(OFFER, long), 1_400));
    const known = read(health, clock.nowMs);
    expect(known?.ttftNormalisedMs).toBeCloseTo(700, 6);
    expect(known?.ttftNormalisedMsP90).toBeCloseTo(700, 6);
    expect(known?.tpotMs).toBeCloseTo(15, 6);
    expect(known?.samples).toBeCloseTo(20, 6);
  });

  it('says nothing of the speed between fewer than 8 tokens', () => {
    const { health, clock } = setUp();
    succeed(health.begin(OFFER, FACTS), 700, 7);
    expect(read(health, clock.nowMs)?.tpotMs).toBeNull();
  });

  it('R6: one success is not yet trusted like a hundred', () => {
    const { health, clock } = setUp();
    succeed(health.begin(OFFER, FACTS));
    const once = read(health, clock.nowMs)?.failureProbability ?? Number.NaN;
    repeat(100, () => succeed(health.begin(OFFER, FACTS)));
    const often = read(health, clock.nowMs)?.failureProbability ?? Number.NaN;
    expect(once).toBeGreaterThan(0.05);
    expect(often).toBeLessThan(0.01);
  });

  it("a new endpoint inherits its operator's record", () => {
    const { health, clock } = setUp();
    const sibling = offerOf({ endpointId: 'sibling', operatorId: 'op' });
    repeat(50, () => succeed(health.begin(OFFER, FACTS)));
    const good = read(health, clock.nowMs, sibling)?.failureProbability ?? Number.NaN;
    repeat(50, () => fail(health.begin(OFFER, FACTS), 'upstream_error'));
    const bad = read(health, clock.nowMs, sibling)?.failureProbability ?? Number.NaN;
    expect(good).toBeLessThan(0.125);
    expect(bad).toBeGreaterThan(0.5);
  });

  it('R11: latency that was not seen for five minutes is unknown', () => {
    const { health, clock } = setUp();
    succeed(health.begin(OFFER, FACTS), 9_000);
    clock.nowMs += 300_001;
    expect(read(health, clock.nowMs)).toMatchObject({ ttftNormalisedMs: null, ttftNormalisedMsP90: null, tpotMs: null });
  });

  it('R7: an endpoint that fails fast looks slow', () => {
    const { health, clock } = setUp();
    repeat(10, () => succeed(health.begin(OFFER, FACTS), 100));
    const before = read(health, clock.nowMs)?.ttftNormalisedMs ?? Number.NaN;
    fail(health.begin(OFFER, FACTS), 'connect');
    expect(read(health, clock.nowMs)?.ttftNormalisedMs).toBeGreaterThan(before * 1.5);
  });

  it('R7: a fast-failing newcomer is planned behind a slow honest one', () => {
    const { health, clock } = setUp();
    const [failing, honest] = [offerOf({ endpointId: 'failing' }), offerOf({ endpointId: 'honest' })];
    repeat(2, () => fail(health.begin(failing, FACTS), 'upstream_error'));
    repeat(2, () => succeed(health.begin(honest, FACTS), 1_500));
    const { candidates } = plan(inputOf([failing, honest], { health: health.view(clock.nowMs), nowMs: clock.nowMs }));
    expect(candidates.map(({ offer }) => offer.endpointId)).toEqual(['honest', 'failing']);
  });

  it('counts what is in flight, once per flight', () => {
    const { health, clock } = setUp();
    const flights = [health.begin(OFFER, FACTS), health.begin(OFFER, FACTS)];
    expect(read(health, clock.nowMs)?.inFlight).toBe(2);
    for (const flight of flights) repeat(2, () => succeed(flight));
    expect(read(health, clock.nowMs)).toMatchObject({ inFlight: 0, samples: 2 });
  });

  it('remembers at most 20,000 endpoints', () => {
    const { health, clock } = setUp();
    const offers = Array.from({ length: 20_001 }, (_, place) => offerOf({ endpointId: `e${place}`, operatorId: `o${place}` }));
    for (const offer of offers) succeed(health.begin(offer, FACTS));
    const [first, second] = offers;
    expect(first && read(health, clock.nowMs, first)).toBeUndefined();
    expect(second && read(health, clock.nowMs, second)).toBeDefined();
  });
});

describe('fault classes', () => {
  it('every kind of failure has a class that is tested here', () => {
    expect([...ENDPOINT_FAULTS, ...NO_FAULTS, 'capacity', 'credential'].toSorted()).toEqual(attemptFailureKind.options.toSorted());
  });

  it.each(NO_FAULTS)('R9: a thousand times %s changes nothing for anybody', (kind) => {
    const { health, clock } = setUp();
    repeat(20, () => succeed(health.begin(OFFER, FACTS)));
    const before = read(health, clock.nowMs);
    repeat(1_000, () => fail(health.begin(OFFER, FACTS), kind));
    expect(read(health, clock.nowMs)).toEqual(before);
  });

  it('R9: clients that leave change nothing', () => {
    const { health, clock } = setUp();
    repeat(20, () => succeed(health.begin(OFFER, FACTS)));
    const before = read(health, clock.nowMs);
    repeat(100, () => health.begin(OFFER, FACTS).end({ outcome: 'cancelled', failure: null, completionTokens: 0, durationMs: 5 }));
    expect(read(health, clock.nowMs)).toEqual(before);
  });

  it('R17: a prompt that is too long does not hurt the endpoint', () => {
    const { health, clock } = setUp();
    repeat(10, () => fail(health.begin(OFFER, FACTS), 'context_exceeded'));
    expect(read(health, clock.nowMs)).toMatchObject({ breaker: 'closed', samples: 0, ttftNormalisedMs: null });
  });

  it.each(ENDPOINT_FAULTS)('%s three times in a row opens the breaker', (kind) => {
    const { health, clock } = setUp();
    repeat(2, () => fail(health.begin(OFFER, FACTS), kind));
    expect(read(health, clock.nowMs)?.breaker).toBe('closed');
    fail(health.begin(OFFER, FACTS), kind);
    expect(read(health, clock.nowMs)?.breaker).toBe('open');
  });

  it('a stream that breaks after content counts too', () => {
    const { health, clock } = setUp();
    repeat(3, () => {
      const flight = health.begin(OFFER, FACTS);
      flight.firstToken(100);
      flight.end({
        outcome: 'interrupted',
        failure: { kind: 'timeout_stall', origin: 'local', detail: '' },
        completionTokens: 4,
        durationMs: 5_000,
      });
    });
    expect(read(health, clock.nowMs)?.breaker).toBe('open');
  });

  it('more than half of at least four recent attempts failing opens the breaker', () => {
    const { health, clock } = setUp();
    for (const kind of ['bad', 'bad', 'ok', 'bad'] as const) {
      expect(read(health, clock.nowMs)?.breaker ?? 'closed').toBe('closed');
      const flight = health.begin(OFFER, FACTS);
      if (kind === 'ok') succeed(flight);
      else fail(flight, 'upstream_error');
    }
    expect(read(health, clock.nowMs)?.breaker).toBe('open');
  });

  it('R18: a refused credential is laid aside with all its endpoints, and only it', () => {
    const { health, clock } = setUp();
    const sameKey = offerOf({ endpointId: 'same-key', keySecret: 'RIG_KEY' });
    const otherKey = offerOf({ endpointId: 'other-key', keySecret: 'OTHER_KEY' });
    succeed(health.begin(otherKey, FACTS));
    fail(health.begin(OFFER, FACTS), 'credential');
    expect(read(health, clock.nowMs)).toMatchObject({ credentialDisabled: true, breaker: 'closed', samples: 0 });
    expect(read(health, clock.nowMs, sameKey)?.credentialDisabled).toBe(true);
    expect(read(health, clock.nowMs, otherKey)?.credentialDisabled).toBe(false);
  });

  it('R18: a credential rests 60 s, is tried once, and rests twice as long when refused again', () => {
    const { health, clock } = setUp();
    fail(health.begin(OFFER, FACTS), 'credential');
    clock.nowMs += 59_999;
    expect(read(health, clock.nowMs)?.credentialDisabled).toBe(true);
    clock.nowMs += 1;
    expect(read(health, clock.nowMs)?.credentialDisabled).toBe(false);
    const retry = health.begin(OFFER, FACTS);
    expect(read(health, clock.nowMs)?.credentialDisabled).toBe(true);
    fail(retry, 'credential');
    clock.nowMs += 119_999;
    expect(read(health, clock.nowMs)?.credentialDisabled).toBe(true);
    clock.nowMs += 1;
    succeed(health.begin(OFFER, FACTS));
    expect(read(health, clock.nowMs)?.credentialDisabled).toBe(false);
  });
});

describe('capacity', () => {
  it('a refusal without a hint backs off 2-4-8 s up to 60 s, and is no failure', () => {
    const { health, clock } = setUp();
    const waitsMs = Array.from({ length: 7 }, () => {
      fail(health.begin(OFFER, FACTS), 'capacity');
      const untilMs = read(health, clock.nowMs)?.backoffUntilMs ?? 0;
      const waitMs = untilMs - clock.nowMs;
      clock.nowMs = untilMs;
      return waitMs;
    });
    expect(waitsMs).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(read(health, clock.nowMs)).toMatchObject({ samples: 0, breaker: 'closed' });
  });

  it('refusals that come together count once', () => {
    const { health, clock } = setUp();
    const flights = Array.from({ length: 8 }, () => health.begin(OFFER, FACTS));
    for (const flight of flights) fail(flight, 'capacity');
    expect(read(health, clock.nowMs)?.backoffUntilMs).toBe(clock.nowMs + 2_000);
  });

  it.each([
    { hint: 5_000, waitMs: 5_000 },
    { hint: 10 ** 12, waitMs: 300_000 },
    { hint: Infinity, waitMs: 300_000 },
    { hint: -1, waitMs: 2_000 },
    { hint: Number.NaN, waitMs: 2_000 },
    { hint: 0, waitMs: 2_000 },
  ])('R2: a Retry-After of $hint ms benches for $waitMs ms', ({ hint, waitMs }) => {
    const { health, clock } = setUp();
    fail(health.begin(OFFER, FACTS), 'capacity', hint);
    expect(read(health, clock.nowMs)?.backoffUntilMs).toBe(clock.nowMs + waitMs);
  });

  it('an older answer that still completes does not end the back-off', () => {
    const { health, clock } = setUp();
    const older = health.begin(OFFER, FACTS);
    fail(health.begin(OFFER, FACTS), 'capacity', 30_000);
    succeed(older);
    expect(read(health, clock.nowMs)?.backoffUntilMs).toBe(clock.nowMs + 30_000);
  });

  it('starts at the declared slots or 8, grows when fast and full, never past what was declared', () => {
    const { health, clock } = setUp();
    const declared = offerOf({ endpointId: 'declared', maxConcurrency: 4 });
    const fill = (offer: Offer): void => {
      const flights = Array.from({ length: 8 }, () => health.begin(offer, FACTS));
      for (const flight of flights) succeed(flight);
    };
    health.begin(OFFER, FACTS);
    expect(read(health, clock.nowMs)?.cap).toBe(8);
    fill(OFFER);
    expect(read(health, clock.nowMs)?.cap).toBeGreaterThan(8);
    fill(declared);
    expect(read(health, clock.nowMs, declared)?.cap).toBe(4);
  });

  it('shrinks when TTFT doubles under load, at most twice a second, and when refused, never below 2', () => {
    const { health, clock } = setUp();
    repeat(10, () => succeed(health.begin(OFFER, FACTS), 500));
    const flights = Array.from({ length: 8 }, () => health.begin(OFFER, FACTS));
    for (const flight of flights) flight.firstToken(5_000);
    const cut = read(health, clock.nowMs)?.cap ?? Number.NaN;
    expect(cut).toBeCloseTo(5 * 0.9, 1);
    repeat(50, () => fail(health.begin(OFFER, FACTS), 'capacity'));
    expect(read(health, clock.nowMs)?.cap).toBeGreaterThanOrEqual(2);
  });
});

describe('the breaker', () => {
  function opened() {
    const { health, clock } = setUp();
    repeat(3, () => fail(health.begin(OFFER, FACTS), 'upstream_error'));
    return { health, clock };
  }

  it('R4: half open lets exactly one probe through', () => {
    const { health, clock } = opened();
    clock.nowMs += 2_000;
    expect(read(health, clock.nowMs)?.breaker).toBe('half_open');
    const leaves = Array.from({ length: 50 }, () => health.tryAcquireProbe('rig'));
    expect(leaves.filter(Boolean)).toHaveLength(1);
    expect(read(health, clock.nowMs)?.breaker).toBe('open');
  });

  it('R4: a probe whose client leaves hands the leave on', () => {
    const { health, clock } = opened();
    clock.nowMs += 2_000;
    health.tryAcquireProbe('rig');
    const probe = health.begin(OFFER, FACTS);
    expect(health.tryAcquireProbe('rig')).toBe(false);
    probe.end({ outcome: 'cancelled', failure: null, completionTokens: 0, durationMs: 10 });
    expect(health.tryAcquireProbe('rig')).toBe(true);
  });

  it('R4: a probe that never reports is given up after a minute', () => {
    const { health, clock } = opened();
    clock.nowMs += 2_000;
    health.tryAcquireProbe('rig');
    clock.nowMs += 59_999;
    expect(health.tryAcquireProbe('rig')).toBe(false);
    clock.nowMs += 1;
    expect(health.tryAcquireProbe('rig')).toBe(true);
  });

  it('closes on the first token of its probe', () => {
    const { health, clock } = opened();
    clock.nowMs += 2_000;
    health.tryAcquireProbe('rig');
    health.begin(OFFER, FACTS).firstToken(100);
    expect(read(health, clock.nowMs)?.breaker).toBe('closed');
    expect(health.tryAcquireProbe('rig')).toBe(true);
  });

  it.each([
    { supply: 'centralized', longestMs: 60_000 },
    { supply: 'subnet', longestMs: 300_000 },
  ] as const)('stays open twice as long after every failed probe, up to $longestMs ms for $supply', ({ supply, longestMs }) => {
    const { health, clock } = setUp();
    const offer = offerOf({ endpointId: 'rig', supply });
    repeat(3, () => fail(health.begin(offer, FACTS), 'connect'));
    for (let openMs = 2_000; openMs < longestMs * 4; openMs *= 2) {
      clock.nowMs += Math.min(openMs, longestMs) - 1;
      expect(read(health, clock.nowMs, offer)?.breaker).toBe('open');
      clock.nowMs += 1;
      expect(read(health, clock.nowMs, offer)?.breaker).toBe('half_open');
      health.tryAcquireProbe('rig');
      fail(health.begin(offer, FACTS), 'connect');
    }
  });

  it('older requests that fail while it is open do not prolong it', () => {
    const { health, clock } = setUp();
    const older = Array.from({ length: 10 }, () => health.begin(OFFER, FACTS));
    for (const flight of older) fail(flight, 'connect');
    expect(read(health, clock.nowMs + 2_000)?.breaker).toBe('half_open');
  });

  it('R5: with everything open, one request at a time is let through', () => {
    const { health, clock } = opened();
    const { candidates, relaxed } = plan(inputOf([OFFER], { health: health.view(clock.nowMs), nowMs: clock.nowMs }));
    expect(candidates).toHaveLength(1);
    expect(relaxed).toEqual(['breaker']);
    expect([health.tryAcquireProbe('rig'), health.tryAcquireProbe('rig')]).toEqual([true, false]);
  });
});

describe('R15: a clock that jumps backward', () => {
  it('neither benches an endpoint nor a key for hours', () => {
    const { health, clock } = setUp();
    repeat(3, () => fail(health.begin(OFFER, FACTS), 'connect'));
    fail(health.begin(OFFER, FACTS), 'capacity', 300_000);
    fail(health.begin(OFFER, FACTS), 'credential');
    clock.nowMs -= 6 * 3_600_000;
    expect(read(health, clock.nowMs)).toMatchObject({ backoffUntilMs: 0, breaker: 'half_open', credentialDisabled: false });
  });

  it('keeps every reading in its range, wherever the clock goes and whatever happens', () => {
    const step = fc.record({
      moveMs: fc.integer({ min: -10_000_000, max: 1_000_000 }),
      event: fc.constantFrom('ok', 'leave', 'probe', ...attemptFailureKind.options),
      ttftMs: fc.integer({ min: 0, max: 60_000 }),
      hint: fc.option(fc.double(), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { health, clock } = setUp();
        succeed(health.begin(OFFER, FACTS));
        for (const { moveMs, event, ttftMs, hint } of steps) {
          clock.nowMs += moveMs;
          if (event === 'probe') health.tryAcquireProbe('rig');
          else if (event === 'ok') succeed(health.begin(OFFER, FACTS), ttftMs);
          else if (event === 'leave')
            health.begin(OFFER, FACTS).end({ outcome: 'cancelled', failure: null, completionTokens: 0, durationMs: 1 });
          else fail(health.begin(OFFER, FACTS), event, hint);
          const known = read(health, clock.nowMs);
          if (known === undefined) throw new Error('an endpoint that was called must be known');
          expect(known.failureProbability).toBeGreaterThan(0);
          expect(known.failureProbability).toBeLessThan(1);
          expect(known.cap).toBeGreaterThanOrEqual(2);
          expect(known.inFlight).toBe(0);
          expect(known.backoffUntilMs - clock.nowMs).toBeLessThanOrEqual(300_000);
          expect(known.ttftNormalisedMs ?? 1).toBeGreaterThan(0);
          expect(Number.isFinite(known.ttftNormalisedMs ?? 1)).toBe(true);
        }
      }),
      { seed, numRuns: 200 },
    );
  });
});
