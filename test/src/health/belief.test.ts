import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factsOf, offerOf } from '#test/src/routing/fleet';
import { SEED } from '#test/support/seed';
import { at, openRegion, type Region } from './region.ts';
import { fail, FACTS, OFFER, read, repeat, setUp, succeed } from './scene.ts';

/** Exchanges at all isolates, twice, so that everybody hears of everything. */
async function exchangeAll(region: Region): Promise<void> {
  for (let round = 0; round < 2; round++) {
    for (const place of region.isolates.keys()) {
      // An attempt that ends cancelled teaches nothing, but there is something to report.
      at(region, place).begin(OFFER, FACTS).end({ outcome: 'cancelled', failure: null, completionTokens: 0, durationMs: 1 });
      region.sync(place);
    }
    await region.pass(2_500);
  }
}

describe('what isolates believe', () => {
  it('a cold isolate knows what the others have seen within one round trip of its first request', async () => {
    const region = openRegion(2);
    repeat(30, () => succeed(at(region, 0).begin(OFFER, FACTS), 900));
    region.sync(0);
    await region.pass(100);

    const other = offerOf({ endpointId: 'other', operatorId: 'op' });
    at(region, 1).begin(other, FACTS);
    expect(read(at(region, 1), region.clock.nowMs)?.samples).toBe(0);
    expect(region.sync(1)).toBe(true);
    await region.pass(20);
    expect(read(at(region, 1), region.clock.nowMs)).toMatchObject({
      samples: expect.closeTo(30, 0),
      ttftNormalisedMs: expect.closeTo(900, 3),
      ttftNormalisedMsP95: 900,
      tpotMs: expect.closeTo(15, 3),
    });
  });

  it('is the shared state and on top of it what was seen since the report was made', async () => {
    const region = openRegion(2);
    repeat(30, () => succeed(at(region, 0).begin(OFFER, FACTS)));
    region.sync(0);
    await region.pass(100);
    const isolate = at(region, 1);
    succeed(isolate.begin(OFFER, FACTS));
    region.sync(1);
    await region.pass(5);
    // On its way: these come after the report.
    repeat(9, () => succeed(isolate.begin(OFFER, FACTS)));
    await region.pass(20);
    expect(read(isolate, region.clock.nowMs)?.samples).toBeCloseTo(40, 1);
    region.sync(1);
    await region.pass(2_100);
    expect(read(isolate, region.clock.nowMs)?.samples).toBeCloseTo(40, 0);
  });

  it('any observations at any isolates, exchanged in any order, make the estimates of one isolate that saw them all', async () => {
    const step = fc.record({
      place: fc.integer({ min: 0, max: 3 }),
      event: fc.constantFrom('ok', 'ok', 'ok', 'ok', 'bad', 'exchange', 'exchange'),
      endpoint: fc.integer({ min: 0, max: 2 }),
      isLong: fc.boolean(),
      ttftMs: fc.integer({ min: 600, max: 800 }),
      moveMs: fc.integer({ min: 0, max: 1_500 }),
    });
    const offers = [0, 1, 2].map((place) => offerOf({ endpointId: `e${place}`, operatorId: `op${place % 2}` }));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), async (steps) => {
        const region = openRegion(4);
        const single = setUp();
        for (const [number, { place, event, endpoint, isLong, ttftMs, moveMs }] of steps.entries()) {
          await region.pass(moveMs);
          single.clock.nowMs = region.clock.nowMs;
          if (event === 'exchange') {
            region.sync(place);
            continue;
          }
          // A tenant each, so that nobody's breaker opens: what is compared is the estimates.
          const facts = factsOf({ teamId: `team ${number % 40}`, promptTokens: isLong ? 4_450 : 1_150 });
          for (const health of [at(region, place), single.health]) {
            const flight = health.begin(offers[endpoint] ?? OFFER, facts);
            if (event === 'ok') succeed(flight, ttftMs * (isLong ? 2 : 1));
            else fail(flight, 'upstream_error');
          }
        }
        await exchangeAll(region);
        single.clock.nowMs = region.clock.nowMs;
        for (const offer of offers) {
          const wanted = read(single.health, region.clock.nowMs, offer);
          if (wanted === undefined || wanted.samples === 0) continue;
          for (const health of region.isolates) {
            const believed = read(health, region.clock.nowMs, offer);
            expect(believed?.samples).toBeCloseTo(wanted.samples, 0);
            expect(Math.abs((believed?.failureProbability ?? Number.NaN) / wanted.failureProbability - 1)).toBeLessThan(0.05);
            if (wanted.failureProbabilityLong !== undefined) {
              expect(Math.abs((believed?.failureProbabilityLong ?? Number.NaN) / wanted.failureProbabilityLong - 1)).toBeLessThan(0.05);
            }
            // The order of samples is another one, and penalties weigh by when they come.
            if (wanted.failureProbability < 0.05) expect(believed?.ttftNormalisedMs).toBeGreaterThan(590);
            expect(believed?.ttftNormalisedMsP95).toBe(wanted.ttftNormalisedMsP95);
            expect(believed?.tpotMs ?? 0).toBeCloseTo(wanted.tpotMs ?? 0, 6);
          }
        }
      }),
      { seed: SEED, numRuns: 25 },
    );
  });

  it('an answer that got lost makes nothing count twice', async () => {
    const region = openRegion(2);
    region.fault = 'answer_lost';
    repeat(20, () => succeed(at(region, 0).begin(OFFER, FACTS)));
    region.sync(0);
    await region.pass(1_600);
    region.fault = 'none';
    repeat(5, () => succeed(at(region, 0).begin(OFFER, FACTS)));
    region.sync(0);
    await region.pass(3_000);
    expect(region.reports).toHaveLength(2);
    expect(read(at(region, 0), region.clock.nowMs)?.samples).toBeCloseTo(25, 0);
    at(region, 1).begin(OFFER, FACTS);
    region.sync(1);
    await region.pass(20);
    expect(read(at(region, 1), region.clock.nowMs)?.samples).toBeCloseTo(25, 0);
  });

  it('R14: a restart of the board keeps the estimates, and drops who was there', async () => {
    const region = openRegion(2);
    repeat(40, () => succeed(at(region, 0).begin(OFFER, FACTS), 900));
    at(region, 0).begin(OFFER, FACTS);
    region.sync(0);
    await region.pass(100);
    region.restart(region.board.save());
    at(region, 1).begin(OFFER, FACTS);
    region.sync(1);
    await region.pass(100);
    expect(read(at(region, 1), region.clock.nowMs)).toMatchObject({
      samples: expect.closeTo(40, 0),
      ttftNormalisedMs: expect.closeTo(900, 3),
      ttftNormalisedMsP95: 900,
      inFlight: 1,
    });
  });

  it('R15: a board whose clock jumps back for hours takes in what comes next', async () => {
    const region = openRegion(1);
    repeat(40, () => succeed(at(region, 0).begin(OFFER, FACTS), 900));
    region.sync(0);
    await region.pass(100);
    region.clock.nowMs -= 6 * 3_600_000;
    repeat(40, () => fail(at(region, 0).begin(OFFER, FACTS), 'capacity', 4_000));
    region.sync(0);
    await region.pass(2_500);
    const known = read(at(region, 0), region.clock.nowMs);
    expect(known?.backoffUntilMs).toBeGreaterThan(region.clock.nowMs);
    expect(known?.backoffUntilMs).toBeLessThan(region.clock.nowMs + 4_000);
    expect(known?.ttftNormalisedMs).toBeCloseTo(900, 3);
  });
});
