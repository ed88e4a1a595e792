import { describe, expect, it } from 'vitest';
import type { Fleet, SimRequest } from '#bench/sim/contract';
import { SCENARIOS } from '#bench/sim/scenarios';
import { chanceOf } from '#bench/sim/world/chance';
import { defaultFleet } from '#bench/sim/world/default-fleet';
import { createTimeline } from '#bench/sim/world/timeline';
import { requestOf } from './world/fixtures.ts';

const DURATION_MS = 600_000;
const NAMES = [
  'calm',
  'outage-fast',
  'outage-hang',
  'brown-out',
  'drift',
  'silent',
  'churn',
  'operator-shock',
  'flash-crowd',
  '429-storm',
  'price-war',
  'kv-full',
  'herd',
  'poisoned',
  'liar',
  'hollow',
  'retry-after-abuse',
  'probe-cheat',
];

function at(seed: number) {
  return { durationMs: DURATION_MS, random: chanceOf(seed, 'scenario') };
}

function find(name: string) {
  return SCENARIOS.find((scenario) => scenario.name === name) as (typeof SCENARIOS)[number];
}

function stage(name: string, seed = 1): Fleet {
  return find(name).stage(defaultFleet(seed), at(seed));
}

describe('scenarios', () => {
  it('are the usual ones, and one of empty first chunks', () => {
    expect(SCENARIOS.map(({ name }) => name)).toEqual(NAMES);
  });

  it.each(SCENARIOS.filter(({ isFault }) => isFault).map((scenario) => [scenario.name, scenario] as const))(
    '%s breaks something after a warm-up and mends it before the end, for every seed',
    (name, { trouble }) => {
      const window = trouble(DURATION_MS);
      expect(window?.fromMs).toBeGreaterThanOrEqual(0.25 * DURATION_MS);
      expect(window?.untilMs).toBeLessThanOrEqual(0.7 * DURATION_MS);
      for (let seed = 1; seed <= 20; seed++) {
        const fleet = stage(name, seed);
        expect(fleet.spells.length).toBeGreaterThan(0);
        for (const { fromMs, untilMs } of fleet.spells) {
          expect(fromMs).toBeGreaterThanOrEqual(window?.fromMs as number);
          expect(untilMs).toBeLessThanOrEqual(window?.untilMs as number);
        }
        expect(() => createTimeline(fleet)).not.toThrow();
      }
    },
  );

  it.each(SCENARIOS.map(({ name }) => name))('%s is the same for the same seed', (name) => {
    expect(stage(name)).toEqual(stage(name));
  });

  it('always leaves at least half of the slots to fall back on', () => {
    for (const { name } of SCENARIOS) {
      for (let seed = 1; seed <= 20; seed++) {
        const { endpoints, spells } = stage(name, seed);
        const hit = new Set(spells.map(({ endpointId }) => endpointId));
        const slots = (list: readonly { slots: number }[]) => list.reduce((sum, own) => sum + own.slots, 0);
        expect(slots(endpoints.filter(({ id }) => !hit.has(id)))).toBeGreaterThan(slots(endpoints) / 2);
      }
    }
  });

  it('hit the cheapest endpoint, where the traffic is', () => {
    for (const name of ['outage-fast', 'outage-hang', 'brown-out', 'drift', 'silent', '429-storm', 'poisoned', 'liar', 'probe-cheat']) {
      expect(stage(name).spells.map(({ endpointId }) => endpointId)).toContain('miner-ash');
    }
  });

  it('flash-crowd: five times the traffic for a minute, the rest as it was, numbered in order', () => {
    const requests = Array.from({ length: 6_000 }, (_, id): SimRequest => requestOf({ id, arrivedAtMs: id * 100 }));
    const crowd = find('flash-crowd').load?.(requests, at(1)) as SimRequest[];
    const window = find('flash-crowd').trouble(DURATION_MS) as { fromMs: number; untilMs: number };
    const within = (list: readonly SimRequest[]) =>
      list.filter(({ arrivedAtMs }) => arrivedAtMs >= window.fromMs && arrivedAtMs < window.untilMs).length;
    expect(within(crowd)).toBe(5 * within(requests));
    expect(crowd.length - within(crowd)).toBe(requests.length - within(requests));
    expect(crowd.every(({ id }, place) => id === place)).toBe(true);
    expect(crowd.every(({ arrivedAtMs }, place) => place === 0 || arrivedAtMs >= (crowd[place - 1] as SimRequest).arrivedAtMs)).toBe(true);
  });

  it('price-war moves prices, herd multiplies isolates that hear of each other seldom', () => {
    expect(stage('price-war').prices.length).toBeGreaterThan(5);
    expect(find('herd')).toMatchObject({ isolates: 64, syncMs: 10_000 });
  });
});
