import { describe, expect, it } from 'vitest';
import { plan } from '#src/routing/plan';
import { factsOf, inputOf, offerOf } from '#test/src/routing/fleet';
import { fail, FACTS, OFFER, read, repeat, setUp, succeed } from './scene.ts';

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
    const { candidates } = plan(inputOf([failing, honest], { health: health.view(clock.nowMs, FACTS.teamId), nowMs: clock.nowMs }));
    expect(candidates.map(({ offer }) => offer.endpointId)).toEqual(['honest', 'failing']);
  });

  it("does not hold the failures of an outage against an endpoint twice, as its own and as its operator's", () => {
    const { health, clock } = setUp();
    repeat(60, () => fail(health.begin(OFFER, FACTS), 'upstream_error'));
    clock.nowMs += 600_000;
    // Sixty failures fade to eight in ten minutes, which weigh as much as 1.6 against two successes of the prior.
    expect(read(health, clock.nowMs)?.failureProbability).toBeLessThan(0.7);
    const sibling = offerOf({ ...OFFER, endpointId: 'sibling' });
    succeed(health.begin(sibling, FACTS));
    expect(read(health, clock.nowMs, sibling)?.failureProbability).toBeGreaterThan(0.4);
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
