import { describe, expect, it } from 'vitest';
import { boardNameOf } from '#src/health/board-name';
import { createHealth } from '#src/health/health';
import { factsOf, offerOf } from '#test/src/routing/fleet';
import { at, openRegion } from './region.ts';
import { fail, FACTS, OFFER, read, repeat, setUp, succeed } from './scene.ts';

/** One request of an isolate: in flight while `health.sync` is asked for the first time, ended before it is asked again. */
function request(region: ReturnType<typeof openRegion>, place = 0): void {
  const flight = at(region, place).begin(OFFER, FACTS);
  region.sync(place);
  succeed(flight);
  region.sync(place);
}

describe('sync', () => {
  it('does nothing without a board, without news, or while another request is at it', () => {
    const { health } = setUp();
    succeed(health.begin(OFFER, FACTS));
    expect(health.sync()).toBeNull();
    const region = openRegion(1);
    expect(region.sync(0)).toBe(false);
    at(region, 0).begin(OFFER, FACTS);
    expect(region.sync(0)).toBe(true);
    expect(region.sync(0)).toBe(false);
  });

  it('exchanges at once at first, and then every two seconds', async () => {
    const region = openRegion(1);
    const atMs: number[] = [];
    const startMs = region.clock.nowMs;
    for (let tick = 0; tick < 60; tick++) {
      const before = region.reports.length;
      request(region);
      await region.pass(100);
      if (region.reports.length > before) atMs.push(region.clock.nowMs - startMs);
    }
    expect(atMs).toEqual([100, 2_100, 4_100]);
  });

  it('exchanges after 200 ms where others should hear soon: a refusal, a breaker that opened, fifty observations', async () => {
    const makers = [
      (region: ReturnType<typeof openRegion>) => fail(at(region, 0).begin(OFFER, FACTS), 'capacity'),
      (region: ReturnType<typeof openRegion>) => repeat(3, () => fail(at(region, 0).begin(OFFER, FACTS), 'connect')),
      (region: ReturnType<typeof openRegion>) => repeat(49, () => succeed(at(region, 0).begin(OFFER, FACTS))),
    ];
    for (const make of makers) {
      const region = openRegion(1);
      request(region);
      await region.pass(50);
      // A sync that waits for its two seconds is overtaken by the one that is urgent.
      request(region);
      make(region);
      expect(region.sync(0)).toBe(true);
      await region.pass(250);
      expect(region.reports).toHaveLength(2);
      await region.pass(3_000);
      expect(region.reports).toHaveLength(2);
    }
  });

  it('tells the end of a burst, although its requests asked while an exchange was under way', async () => {
    const region = openRegion(2);
    const flight = at(region, 0).begin(OFFER, FACTS);
    region.sync(0);
    await region.pass(5);
    succeed(flight);
    expect(region.sync(0)).toBe(false);
    await region.pass(2_100);
    expect(region.reports.at(-1)?.endpoints[0]?.inFlight).toBe(0);
  });

  it('R13: after a failure it rests for two seconds, then twice as long up to thirty, and keeps what it has seen', async () => {
    const region = openRegion(1);
    let calls = 0;
    region.fault = 'dead';
    region.isolates[0] = createHealth({
      now: () => region.clock.nowMs,
      random: () => 0.5,
      board: () => {
        calls++;
        throw new Error('no board');
      },
    });
    const calledAtS: number[] = [];
    for (let second = 0; second < 130; second++) {
      const before = calls;
      succeed(at(region, 0).begin(OFFER, FACTS));
      // Waiting is left to the next request, as if this one had been torn down.
      if (second === 0 || calledAtS.length > 0) void at(region, 0).sync();
      await region.pass(1_000);
      if (calls > before) calledAtS.push(second);
    }
    const restsS = calledAtS.slice(1).map((second, place) => second - (calledAtS[place] ?? 0));
    for (const [place, restS] of restsS.entries()) expect(restS).toBeGreaterThanOrEqual(Math.min(30, 2 ** (place + 1)));
    expect(calledAtS.length).toBeGreaterThanOrEqual(4);
    expect(read(at(region, 0), region.clock.nowMs)?.breaker).toBe('closed');
  });

  it('R13: a board that hangs is left after 1.5 s, and what it has not taken is told again', async () => {
    const region = openRegion(1);
    region.fault = 'hangs';
    request(region);
    await region.pass(1_600);
    region.fault = 'none';
    request(region);
    await region.pass(2_100);
    expect(region.reports).toHaveLength(1);
    expect(region.reports[0]?.endpoints[0]?.observations.filter(({ kind }) => kind === 'first_token')).toHaveLength(2);
  });

  it('a sync whose request was torn down holds back the next ones for ten seconds at most', () => {
    const clock = { nowMs: 1_800_000_000_000 };
    const timers = { set: () => null, clear: () => undefined };
    const board = () => ({ exchange: () => new Promise<never>(() => undefined) });
    const health = createHealth({ now: () => clock.nowMs, timers, board });
    health.begin(OFFER, FACTS);
    expect(health.sync()).not.toBeNull();
    clock.nowMs += 9_999;
    expect(health.sync()).toBeNull();
    clock.nowMs += 1;
    expect(health.sync()).not.toBeNull();
  });

  it('a dead board costs bounded memory: the last 200 observations of an endpoint wait, none older than a minute', async () => {
    const region = openRegion(1);
    region.fault = 'dead';
    for (let second = 0; second < 100; second++) {
      repeat(10, () => fail(at(region, 0).begin(OFFER, FACTS), 'connect'));
      await region.pass(1_000);
    }
    region.fault = 'none';
    region.sync(0);
    await region.pass(100);
    const observations = region.reports[0]?.endpoints[0]?.observations ?? [];
    expect(observations).toHaveLength(200);
    expect(Math.max(...observations.map(({ ageMs }) => ageMs))).toBeLessThanOrEqual(60_000);
  });

  it('tells answers that end together as one, and fifty first tokens at most', async () => {
    const region = openRegion(1);
    repeat(500, () => succeed(at(region, 0).begin(OFFER, FACTS)));
    region.sync(0);
    await region.pass(50);
    const observations = region.reports[0]?.endpoints[0]?.observations ?? [];
    expect(observations).toHaveLength(51);
    expect(observations.find(({ kind }) => kind === 'completed')).toMatchObject({ times: 500, tpotMs: expect.closeTo(15, 6) });
    at(region, 0).begin(OFFER, FACTS);
    region.sync(0);
    await region.pass(2_100);
    expect(read(at(region, 0), region.clock.nowMs)?.samples).toBeCloseTo(500, -1);
  });

  it('asks the board of the model, region by region', async () => {
    const asked = new Set<string>();
    const clock = { nowMs: 1_800_000_000_000 };
    const health = createHealth({
      now: () => clock.nowMs,
      region: () => 'eu',
      board: (name) => {
        asked.add(name);
        throw new Error('no board');
      },
    });
    for (let model = 0; model < 200; model++) health.begin(offerOf({ endpointId: `e${model}`, modelId: `lab/${model}` }), factsOf());
    await health.sync();
    expect([...asked].every((name) => /^eu\/\d+$/.test(name))).toBe(true);
    expect(asked.size).toBe(16);
    expect(asked.has(boardNameOf('eu', 'lab/7'))).toBe(true);
  });
});
