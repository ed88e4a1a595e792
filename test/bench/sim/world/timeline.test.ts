import { describe, expect, it } from 'vitest';
import { chanceOf } from '#bench/sim/world/chance';
import { defaultFleet, usdPerMillion } from '#bench/sim/world/default-fleet';
import { createTimeline } from '#bench/sim/world/timeline';
import { createTruth } from '#bench/sim/world/truth';
import { withWeather } from '#bench/sim/world/weather';
import { createLab, fleetOf, PLAIN, spellOf } from './fixtures.ts';

const ANY = { atMs: 0, promptTokens: 1_000, isCanary: false, random: () => 0.5 };

describe('timeline', () => {
  it('meets spells from their start up to their end, and only as often as their share', () => {
    const timeline = createTimeline(fleetOf([PLAIN], [spellOf({ kind: 'hang' }, { fromMs: 59_000, untilMs: 181_000, share: 0.3 })]));
    const hitAt = (atMs: number, roll: number) => timeline.meet(PLAIN.id, { ...ANY, atMs, random: () => roll }).fault?.kind;
    expect([58_999, 59_000, 120_000, 180_999, 181_000].map((atMs) => hitAt(atMs, 0.2))).toEqual([
      undefined,
      'hang',
      'hang',
      'hang',
      undefined,
    ]);
    expect(hitAt(120_000, 0.3)).toBeUndefined();
  });

  it('lets the spell that is listed first decide, and multiplies slownesses', () => {
    const slow = spellOf({ kind: 'slow', factor: 3, rampMs: 0 });
    const fleet = fleetOf([PLAIN], [slow, spellOf({ kind: 'stall' }), spellOf({ kind: 'hang' }), slow]);
    expect(createTimeline(fleet).meet(PLAIN.id, ANY)).toEqual({ slowFactor: 9, fault: { kind: 'stall' } });
  });

  it('changes prices and the catalogue at their instants', () => {
    const dearer = usdPerMillion(9, 9);
    const lab = createLab({
      ...fleetOf([PLAIN, { ...PLAIN, id: 'new' }]),
      prices: [{ endpointId: PLAIN.id, atMs: 1_000, price: dearer }],
      listings: [
        { endpointId: 'new', atMs: 2_000, isListed: true },
        { endpointId: PLAIN.id, atMs: 3_000, isListed: false },
      ],
    });
    const seen = [0, 999, 1_000, 2_000, 3_000].map((atMs) => {
      lab.run(atMs);
      return lab.world.listings().map(({ id, price }) => (price === dearer ? `${id} dearer` : id));
    });
    expect(seen).toEqual([['plain'], ['plain'], ['plain dearer'], ['plain dearer', 'new'], ['new']]);
    expect(lab.world.listings()).toBe(lab.world.listings());
  });

  it('refuses a history of endpoints that do not exist', () => {
    expect(() => createTimeline(fleetOf([PLAIN], [spellOf({ kind: 'hang' }, { endpointId: 'ghost' })]))).toThrow(/'ghost'/);
  });

  it('knows the truth: how much of a time an endpoint works, and how slow it is', () => {
    const fleet = fleetOf(
      [PLAIN],
      [
        spellOf({ kind: 'error', status: 500 }, { fromMs: 10_000, untilMs: 20_000, share: 0.5 }),
        spellOf({ kind: 'error', status: 500 }, { promptTokensMin: 4_000 }),
        spellOf({ kind: 'slow', factor: 5, rampMs: 20_000 }, { fromMs: 30_000, untilMs: 50_000 }),
      ],
    );
    const truth = createTruth(fleet, createTimeline(fleet), 60_000);
    expect(truth.upShare(PLAIN.id, 0, 20_000)).toBeCloseTo(0.75, 9);
    expect(truth.slowdown(PLAIN.id, 30_000, 50_000)).toBeCloseTo(3, 9);
  });
});

describe('weather', () => {
  const HOURS = 40_000;
  const durationMs = HOURS * 3_600_000;
  const spells = withWeather({ ...defaultFleet(1), endpoints: defaultFleet(1).endpoints.slice(0, 2) }, { durationMs, seed: 5 }).spells;
  const perEndpoint = (kind: (share: number) => boolean) => {
    const own = spells.filter(({ share, endpointId }) => kind(share) && endpointId === 'miner-ash');
    const badMs = own.reduce((sum, { fromMs, untilMs }) => sum + untilMs - fromMs, 0);
    return { hoursBetween: (HOURS - badMs / 3_600_000) / own.length, minutes: badMs / 60_000 / own.length };
  };

  it('brings brown-outs every 16 hours for half an hour, and hard outages every 119 for 23 minutes', () => {
    const brownOuts = perEndpoint((share) => share < 1);
    const outages = perEndpoint((share) => share === 1);
    expect(Math.abs(brownOuts.hoursBetween / 16 - 1)).toBeLessThan(0.07);
    expect(Math.abs(brownOuts.minutes / 32 - 1)).toBeLessThan(0.07);
    expect(Math.abs(outages.hoursBetween / 119 - 1)).toBeLessThan(0.2);
    expect(Math.abs(outages.minutes / 23 - 1)).toBeLessThan(0.2);
  });

  it('finds as many endpoints in trouble at the start of a run as at any time', () => {
    const seeds = 3_000;
    let bad = 0;
    for (let seed = 0; seed < seeds; seed++) {
      const weather = withWeather({ ...defaultFleet(1), endpoints: defaultFleet(1).endpoints.slice(0, 1) }, { durationMs: 1, seed });
      if (weather.spells.some(({ share }) => share < 1)) bad++;
    }
    expect(Math.abs(bad / seeds - 32 / (16 * 60 + 32))).toBeLessThan(0.01);
  });

  it('leaves fleets alone whose history was measured', () => {
    const fleet = fleetOf([PLAIN]);
    expect(withWeather(fleet, { durationMs, seed: 1 })).toBe(fleet);
  });

  it('gives endpoints ordinary failure shares with a median of 0.6 % and a ninth decile of 3.5 %', () => {
    const shares = Array.from({ length: 400 }, (_, seed) => defaultFleet(seed).endpoints.map(({ failureShare }) => failureShare))
      .flat()
      .sort((a, b) => a - b);
    expect(Math.abs((shares[Math.floor(0.5 * shares.length)] as number) / 0.006 - 1)).toBeLessThan(0.1);
    expect(Math.abs((shares[Math.floor(0.9 * shares.length)] as number) / 0.035 - 1)).toBeLessThan(0.1);
  });

  it('draws the same world for a seed, and another for another', () => {
    const draw = (seed: number) => withWeather(defaultFleet(seed), { durationMs: 1e8, seed });
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(chanceOf(1, 'a', 2)()).not.toBe(chanceOf(1, 'a', 3)());
  });
});
