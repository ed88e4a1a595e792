import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createVisit, lease, type Visit } from '#src/health/slot-leases';
import { offerOf } from '#test/src/routing/fleet';
import { SEED } from '#test/support/seed';
import { at, openRegion } from './region.ts';
import { FACTS, OFFER, read, repeat, succeed } from './scene.ts';

describe('load over isolates', () => {
  it('R10: is what the board counted, and since then the own change times the active isolates', async () => {
    const region = openRegion(3);
    for (const place of [0, 1, 2]) {
      repeat(2, () => at(region, place).begin(OFFER, FACTS));
      region.sync(place);
      await region.pass(50);
    }
    const last = at(region, 2);
    expect(read(last, region.clock.nowMs)?.inFlight).toBe(6);
    const flights = [last.begin(OFFER, FACTS), last.begin(OFFER, FACTS)];
    expect(read(last, region.clock.nowMs)?.inFlight).toBe(12);
    for (const flight of flights) succeed(flight);
    expect(read(last, region.clock.nowMs)?.inFlight).toBe(6);
  });

  it('is never below what this isolate has there itself', async () => {
    const region = openRegion(2);
    const flights = Array.from({ length: 5 }, () => at(region, 0).begin(OFFER, FACTS));
    region.sync(0);
    await region.pass(50);
    at(region, 1).begin(OFFER, FACTS);
    region.sync(1);
    await region.pass(2_000);
    at(region, 0).begin(OFFER, FACTS);
    region.sync(0);
    await region.pass(2_000);
    for (const flight of flights.slice(0, 4)) succeed(flight);
    expect(read(at(region, 0), region.clock.nowMs)?.inFlight).toBe(2);
  });

  it('without an answer for 15 s it is the own load alone', async () => {
    const region = openRegion(2);
    repeat(5, () => at(region, 0).begin(OFFER, FACTS));
    region.sync(0);
    await region.pass(50);
    at(region, 1).begin(OFFER, FACTS);
    region.sync(1);
    await region.pass(50);
    expect(read(at(region, 1), region.clock.nowMs)?.inFlight).toBe(6);
    await region.pass(14_900);
    expect(read(at(region, 1), region.clock.nowMs)?.inFlight).toBe(6);
    await region.pass(100);
    expect(read(at(region, 1), region.clock.nowMs)?.inFlight).toBe(1);
  });

  it('requests of an isolate that died are given up 30 s after its last report', async () => {
    const region = openRegion(3);
    repeat(5, () => at(region, 0).begin(OFFER, FACTS));
    region.sync(0);
    await region.pass(50);
    const other = offerOf({ endpointId: 'other', operatorId: 'op' });
    const inFlight: (number | undefined)[] = [];
    for (let second = 0; second < 34; second += 2) {
      succeed(at(region, 1).begin(other, FACTS));
      region.sync(1);
      await region.pass(2_000);
      inFlight.push(read(at(region, 1), region.clock.nowMs)?.inFlight);
    }
    expect(inFlight.slice(0, 14)).toEqual(Array.from({ length: 14 }, () => 5));
    expect(inFlight.at(-1)).toBe(0);
    at(region, 2).begin(other, FACTS);
    region.sync(2);
    await region.pass(50);
    expect(read(at(region, 2), region.clock.nowMs)?.inFlight).toBe(0);
  });

  it('a long answer stays counted while its isolate reports anything', async () => {
    const region = openRegion(2);
    const other = offerOf({ endpointId: 'other', operatorId: 'op' });
    at(region, 0).begin(OFFER, FACTS);
    for (let second = 0; second < 60; second += 4) {
      succeed(at(region, 0).begin(other, FACTS));
      region.sync(0);
      await region.pass(4_000);
    }
    at(region, 1).begin(other, FACTS);
    region.sync(1);
    await region.pass(50);
    expect(read(at(region, 1), region.clock.nowMs)?.inFlight).toBe(1);
  });
});

describe('leases of scarce slots', () => {
  const small = offerOf({ endpointId: 'small', operatorId: 'op', maxConcurrency: 2 });

  it('an isolate with leases has them as its cap; one without sees the endpoint full', async () => {
    const region = openRegion(3);
    for (let round = 0; round < 3; round++) {
      for (const place of [0, 1, 2]) {
        succeed(at(region, place).begin(small, FACTS));
        read(at(region, place), region.clock.nowMs, small);
        region.sync(place);
        await region.pass(700);
      }
    }
    const free = [0, 1, 2].map((place) => {
      const known = read(at(region, place), region.clock.nowMs, small);
      return Math.max(0, (known?.cap ?? Number.NaN) - (known?.inFlight ?? Number.NaN));
    });
    expect(free.toSorted((one, other) => one - other)).toEqual([0, 1, 1]);
  });

  it('with one isolate nothing is leased', async () => {
    const region = openRegion(1);
    succeed(at(region, 0).begin(small, FACTS));
    read(at(region, 0), region.clock.nowMs, small);
    region.sync(0);
    await region.pass(50);
    expect(read(at(region, 0), region.clock.nowMs, small)).toMatchObject({ cap: 2, inFlight: 0 });
  });

  it('never add up to more than the cap, whoever asks for how much and whoever falls silent', () => {
    const step = fc.record({
      isolate: fc.integer({ min: 0, max: 5 }),
      wanted: fc.integer({ min: 0, max: 5 }),
      ends: fc.integer({ min: 0, max: 4 }),
      starts: fc.integer({ min: 0, max: 4 }),
      moveMs: fc.integer({ min: 0, max: 4_000 }),
    });
    const property = fc.property(fc.double({ min: 1, max: 4.9, noNaN: true }), fc.array(step, { maxLength: 80 }), (cap, steps) => {
      const visits = new Map<string, Visit>();
      let nowMs = 1_800_000_000_000;
      for (const { isolate, wanted, ends, starts, moveMs } of steps) {
        nowMs += moveMs;
        const visit = visits.get(`${isolate}`) ?? createVisit();
        visits.set(`${isolate}`, visit);
        // An isolate starts no more than it holds leases for.
        const leased = visit.slotsUntilMs > nowMs ? visit.slots : 0;
        visit.inFlight = Math.max(0, visit.inFlight - ends);
        visit.inFlight += Math.min(starts, Math.max(0, leased - visit.inFlight));
        visit.reportedAtMs = nowMs;
        visit.wanted = wanted;
        visit.askedAtMs = nowMs;
        expect(lease(visits, `${isolate}`, { cap, nowMs })).toBeLessThanOrEqual(wanted);
        const live = [...visits.values()].filter(({ slotsUntilMs }) => slotsUntilMs > nowMs);
        expect(live.reduce((sum, { slots }) => sum + slots, 0)).toBeLessThanOrEqual(Math.floor(cap));
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 500 });
  });

  it('go round among isolates that keep asking', () => {
    const visits = new Map<string, Visit>();
    const served = new Map<string, number>();
    let nowMs = 1_800_000_000_000;
    for (let turn = 0; turn < 300; turn++) {
      nowMs += 400;
      const isolate = `${turn % 5}`;
      const visit = visits.get(isolate) ?? createVisit();
      visits.set(isolate, visit);
      Object.assign(visit, { reportedAtMs: nowMs, askedAtMs: nowMs, wanted: 2 });
      served.set(isolate, (served.get(isolate) ?? 0) + lease(visits, isolate, { cap: 2, nowMs }));
    }
    for (const isolate of ['0', '1', '2', '3', '4']) expect(served.get(isolate)).toBeGreaterThan(10);
  });

  it('of an isolate that has fallen silent are free after five seconds', () => {
    const nowMs = 1_800_000_000_000;
    const asking = (atMs: number): Visit => ({ ...createVisit(), wanted: 4, askedAtMs: atMs, reportedAtMs: atMs });
    const visits = new Map([['silent', asking(nowMs)]]);
    expect(lease(visits, 'silent', { cap: 4, nowMs })).toBe(4);
    visits.set('other', asking(nowMs + 4_999));
    expect(lease(visits, 'other', { cap: 4, nowMs: nowMs + 4_999 })).toBe(0);
    expect(lease(visits, 'other', { cap: 4, nowMs: nowMs + 5_000 })).toBe(4);
  });
});
