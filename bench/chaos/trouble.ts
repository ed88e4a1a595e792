/** Switches the faults of a schedule on and off while the load runs. */
import { setTimeout as pause } from 'node:timers/promises';
import { FLEET } from '#devnet/fleet';
import { createRandom } from '#devnet/random';
import type { FleetControl } from './fleet-control.ts';
import { chooseStruck, type Phase } from './schedule.ts';

/** A phase as it went: the moments at which its switches had been thrown, and who was struck. */
export interface PlayedPhase extends Phase {
  struck: string[];
  /** Upstream calls to each endpoint until the end of the phase, since the start of the run. */
  requestsAtEnd: Readonly<Record<string, number>>;
}

/** Plays the schedule to its end. `now` in milliseconds from the start of the run; `onPhase` is told of each as it begins. */
export async function makeTrouble(
  {
    phases,
    models,
    seed,
    fleet,
    now,
  }: { phases: readonly Phase[]; models: readonly string[]; seed: number; fleet: FleetControl; now(): number },
  onPhase: (phase: Phase, struck: readonly string[]) => void,
): Promise<PlayedPhase[]> {
  const random = createRandom(seed ^ 0xfa17);
  const played: PlayedPhase[] = [];
  for (const phase of phases) {
    const struck = phase.fault === null ? [] : chooseStruck(suppliersOf(models, played), models, random);
    for (const id of struck) await fleet.set(id, { faults: phase.fault === null ? [] : [phase.fault], cut: random() * 0.95 });
    const startMs = now();
    onPhase(phase, struck);
    await pause(Math.max(0, phase.endMs - now()));
    for (const id of struck) await fleet.set(id, { faults: [] });
    const states = await fleet.states();
    const requestsAtEnd = Object.fromEntries(states.map(({ id, counters }) => [id, counters.requests]));
    played.push({ ...phase, startMs, endMs: now(), struck, requestsAtEnd });
  }
  return played;
}

/** Lists the endpoints that serve one of the models, with what they were asked in the phase before. */
function suppliersOf(models: readonly string[], played: readonly PlayedPhase[]) {
  const [before, last] = [played.at(-2)?.requestsAtEnd, played.at(-1)?.requestsAtEnd];
  const cards = FLEET.filter((card) => card.models.some(({ id }) => models.includes(id)));
  return cards.map((card) => ({ card, recentRequests: (last?.[card.id] ?? 0) - (before?.[card.id] ?? 0) }));
}
