/** The world as nobody in it can see it: how much of the time each endpoint truly works. */
import type { Fleet, Spell, Truth } from '../contract.ts';
import { slowFactorAt, type Timeline } from './timeline.ts';

/** Conditions are read at the middle of steps this long. */
const STEP_MS = 1_000;

/** Opens the truth of a run. */
export function createTruth(fleet: Fleet, timeline: Timeline, durationMs: number): Truth {
  return {
    fleet,
    durationMs,
    upShare: (endpointId, fromMs, untilMs) =>
      meanOver(fromMs, untilMs, (atMs) =>
        timeline.isListedAt(endpointId, atMs)
          ? timeline.spellsAt(endpointId, atMs).reduce((share, spell) => share * (isOutage(spell) ? 1 - spell.share : 1), 1)
          : 0,
      ),
    slowdown: (endpointId, fromMs, untilMs) =>
      meanOver(fromMs, untilMs, (atMs) =>
        timeline
          .spellsAt(endpointId, atMs)
          .reduce(
            (factor, { fault, fromMs: since, share }) =>
              fault.kind === 'slow' ? factor * (1 + share * (slowFactorAt(fault, atMs - since) - 1)) : factor,
            1,
          ),
      ),
    priceAt: timeline.priceAt,
    isListedAt: timeline.isListedAt,
  };
}

function isOutage({ fault, promptTokensMin }: Spell): boolean {
  return fault.kind !== 'slow' && fault.kind !== 'hollow' && promptTokensMin === undefined;
}

function meanOver(fromMs: number, untilMs: number, valueAt: (atMs: number) => number): number {
  const steps = Math.max(1, Math.round((untilMs - fromMs) / STEP_MS));
  const stepMs = (untilMs - fromMs) / steps;
  let sum = 0;
  for (let step = 0; step < steps; step++) sum += valueAt(fromMs + (step + 0.5) * stepMs);
  return sum / steps;
}
