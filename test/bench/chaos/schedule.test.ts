import { expect, test } from 'vitest';
import { MODELS } from '#bench/chaos/requests';
import { chooseStruck, layOut, type Supplier } from '#bench/chaos/schedule';
import { FLEET } from '#devnet/fleet';
import { createRandom } from '#devnet/random';

const SUPPLIERS: Supplier[] = FLEET.filter((card) => card.models.some(({ id }) => MODELS.includes(id))).map((card, place) => ({
  card,
  recentRequests: place === 4 ? 100 : place,
}));

test.each([40_000, 180_000, 3_600_000])('a run of %i ms begins and ends calm, with calm between any two faults', (durationMs) => {
  const phases = layOut(durationMs, 1);
  phases.forEach((phase, at) => {
    expect(phase.fault === null).toBe(at % 2 === 0);
    expect(phase.startMs).toBe(phases[at - 1]?.endMs ?? 0);
    expect(phase.endMs).toBeGreaterThan(phase.startMs);
  });
  expect(phases.at(-1)?.fault).toBeNull();
  expect(phases.at(-1)?.endMs).toBeLessThanOrEqual(durationMs);
  expect(phases.at(-1)?.endMs).toBeGreaterThan(durationMs * 0.85);
});

test('the shortest run still has the faults that break streams, and three minutes have ten kinds', () => {
  expect(layOut(40_000, 3).map(({ fault }) => fault)).toEqual(expect.arrayContaining(['die-mid-stream', 'hang-mid-stream', 'down']));
  expect(new Set(layOut(180_000, 3).map(({ fault }) => fault)).size).toBeGreaterThan(10);
});

test('the same seed gives the same schedule, another seed another order of the same faults', () => {
  const faults = (seed: number) => layOut(180_000, seed).map(({ fault }) => String(fault));
  expect(faults(1)).toEqual(faults(1));
  expect(faults(2)).not.toEqual(faults(1));
  expect(faults(2).toSorted()).toEqual(faults(1).toSorted());
});

test('a third is struck, the busiest among them, and every model keeps two sound suppliers of which one can continue', () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const struck = chooseStruck(SUPPLIERS, MODELS, createRandom(seed));
    expect(struck).toHaveLength(Math.floor(SUPPLIERS.length / 3));
    expect(struck).toContain(SUPPLIERS[4]?.card.id);
    const sound = SUPPLIERS.filter(({ card }) => !struck.includes(card.id));
    for (const model of MODELS) {
      const servers = sound.filter(({ card }) => card.models.some(({ id }) => id === model));
      expect(servers.length).toBeGreaterThanOrEqual(2);
      expect(servers.some(({ card }) => card.capabilities.includes('continuation'))).toBe(true);
    }
  }
});

test('whoever alone keeps a model going is spared, however busy', () => {
  const [first, second, third] = SUPPLIERS.slice(0, 3) as [Supplier, Supplier, Supplier];
  expect(chooseStruck([{ ...first, recentRequests: 9 }, second], MODELS.slice(0, 1), createRandom(1))).toEqual([]);
  expect(chooseStruck([first, second, third], MODELS.slice(0, 1), createRandom(1))).toHaveLength(1);
});
