import { describe, expect, it } from 'vitest';
import { factsOf } from '#test/src/routing/fleet';
import { at, openRegion, type Region } from './region.ts';
import { fail, FACTS, OFFER, read, repeat, succeed } from './scene.ts';

/** Four isolates that all know of each other, and an endpoint that has failed three times at the first one for several tenants. */
async function openedRegion(): Promise<Region> {
  const region = openRegion(4);
  for (const place of region.isolates.keys()) {
    succeed(at(region, place).begin(OFFER, FACTS));
    region.sync(place);
    await region.pass(50);
  }
  for (const teamId of ['a', 'b', 'c']) fail(at(region, 0).begin(OFFER, factsOf({ teamId })), 'connect');
  await exchange(region);
  return region;
}

/** Everybody, but perhaps one, considers the endpoint and exchanges. */
async function exchange(region: Region, except = -1): Promise<void> {
  for (const place of region.isolates.keys()) {
    if (place === except) continue;
    read(at(region, place), region.clock.nowMs);
    at(region, place).begin(OFFER, FACTS).end({ outcome: 'cancelled', failure: null, completionTokens: 0, durationMs: 1 });
    region.sync(place);
  }
  await region.pass(2_100);
}

describe('breakers over isolates', () => {
  it('what has failed at one isolate is shut at all of them with its next report, 200 ms later at most', async () => {
    const region = openRegion(2);
    for (const place of [0, 1]) {
      at(region, place).begin(OFFER, FACTS);
      region.sync(place);
    }
    await region.pass(300);
    for (const teamId of ['a', 'b', 'c']) fail(at(region, 0).begin(OFFER, factsOf({ teamId })), 'connect');
    region.sync(0);
    await region.pass(20);
    succeed(at(region, 1).begin(OFFER, FACTS));
    repeat(50, () => fail(at(region, 1).begin(OFFER, FACTS), 'rejected'));
    expect(read(at(region, 1), region.clock.nowMs)?.breaker).toBe('closed');
    region.sync(1);
    await region.pass(2_000);
    expect(region.reports.at(-2)?.isolateId).toBe('isolate 0');
    expect(read(at(region, 1), region.clock.nowMs)?.breaker).toBe('open');
  });

  it("R4: half open, exactly one isolate may probe: the others wait for its result, or for its turn's end", async () => {
    const region = await openedRegion();
    const leaves = (): boolean[] => region.isolates.map((health) => health.tryAcquireProbe('rig', FACTS.teamId));
    expect(region.isolates.map((health) => read(health, region.clock.nowMs)?.breaker)).toEqual(['open', 'open', 'open', 'open']);
    expect(leaves()).toEqual([false, false, false, false]);
    for (const place of region.isolates.keys()) region.sync(place);
    await region.pass(250);
    const first = leaves();
    expect(first.filter(Boolean)).toHaveLength(1);
    await exchange(region, first.indexOf(true));
    expect(leaves()).toEqual([false, false, false, false]);

    const prober = at(region, first.indexOf(true));
    succeed(prober.begin(OFFER, FACTS));
    void prober.sync();
    await region.pass(2_100);
    await exchange(region);
    expect(region.isolates.map((health) => read(health, region.clock.nowMs)?.breaker)).toEqual(['closed', 'closed', 'closed', 'closed']);
  });

  it('R4: the turn to probe moves on when its isolate does not use it', async () => {
    const region = await openedRegion();
    const holders: number[] = [];
    for (let round = 0; round < 12; round++) {
      await exchange(region);
      const shut = region.isolates.map((health) => read(health, region.clock.nowMs)?.breaker);
      holders.push(shut.indexOf('half_open'));
      expect(shut.filter((breaker) => breaker === 'half_open').length).toBeLessThanOrEqual(1);
    }
    expect(holders.some((holder) => holder >= 0)).toBe(true);
  });

  it("R9: a tenant's own breaker is the same at every isolate, and nobody else's", async () => {
    const region = openRegion(2);
    succeed(at(region, 0).begin(OFFER, FACTS));
    repeat(3, () => fail(at(region, 0).begin(OFFER, factsOf({ teamId: 'a' })), 'connect'));
    region.sync(0);
    await region.pass(50);
    at(region, 1).begin(OFFER, FACTS);
    region.sync(1);
    await region.pass(50);
    expect(read(at(region, 1), region.clock.nowMs, OFFER, 'a')?.breaker).toBe('open');
    expect(read(at(region, 1), region.clock.nowMs, OFFER, 'b')?.breaker).toBe('closed');
    expect(JSON.stringify(region.board.save())).not.toContain('"a"');
  });

  it('without a board for 15 s every isolate probes on its own', async () => {
    const region = await openedRegion();
    region.fault = 'dead';
    await region.pass(15_001);
    expect(region.isolates.map((health) => health.tryAcquireProbe('rig', FACTS.teamId))).toEqual([true, true, true, true]);
  });

  it('R2: a refusal with any Retry-After benches the endpoint at every isolate for the same bounded time', async () => {
    for (const hint of [Infinity, 10 ** 12, Number.NaN, -5, 7_000]) {
      const region = openRegion(2);
      at(region, 1).begin(OFFER, FACTS);
      fail(at(region, 0).begin(OFFER, FACTS), 'capacity', hint);
      const untilMs = read(at(region, 0), region.clock.nowMs)?.backoffUntilMs;
      region.sync(0);
      await region.pass(30);
      region.sync(1);
      await region.pass(30);
      expect(Math.abs((read(at(region, 1), region.clock.nowMs)?.backoffUntilMs ?? 0) - (untilMs ?? 0))).toBeLessThanOrEqual(20);
      expect(read(at(region, 0), region.clock.nowMs)?.backoffUntilMs).toBeLessThanOrEqual(region.clock.nowMs + 300_000);
    }
  });
});
