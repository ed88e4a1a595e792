/**
 * The ordinary weather of hosted models: brown-outs, hard outages and operators whose endpoints go together, as often and as long as
 * 1,338 public endpoints showed them in August 2026 (docs/routing.md). Runs start in the middle of it, not on a fine morning.
 */
import type { Fault, Fleet, SimEndpoint, Spell } from '../contract.ts';
import { chanceOf, exponential, type Random } from './chance.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Mean time between bad spells and mean length of one. */
interface Rhythm {
  fineMs: number;
  badMs: number;
}

const BROWN_OUTS: Rhythm = { fineMs: 16 * HOUR_MS, badMs: 32 * MINUTE_MS };
const OUTAGES: Rhythm = { fineMs: 119 * HOUR_MS, badMs: 23 * MINUTE_MS };
/** Share of attempts that fail in a brown-out. */
const BROWN_OUT_SHARE_MIN = 0.1;
const BROWN_OUT_SHARE_MAX = 0.5;
/** A sibling of an endpoint that goes down goes with it this often: 2.5 % are down then, against 0.6 % at other times. */
const SIBLING_JOINS = 0.02;

/** Adds the weather of one run to a fleet; a fleet whose spells were measured has its own already. */
export function withWeather(fleet: Fleet, { durationMs, seed }: { durationMs: number; seed: number }): Fleet {
  if (fleet.isReplay) return fleet;
  const spells = fleet.endpoints.flatMap((endpoint) => {
    const brownOuts = alternate(BROWN_OUTS, durationMs, chanceOf(seed, 'brown-out', endpoint.id));
    const outages = alternate(OUTAGES, durationMs, chanceOf(seed, 'outage', endpoint.id));
    const kinds = chanceOf(seed, 'weather-kind', endpoint.id);
    return [
      ...outages.map((span) => ({ ...span, ...drawOutage(kinds) })),
      ...brownOuts.map((span) => ({ ...span, ...drawBrownOut(kinds) })),
    ].flatMap((spell) => [{ ...spell, endpointId: endpoint.id }, ...joinedBy(siblingsOf(endpoint, fleet), spell, kinds)]);
  });
  return { ...fleet, spells: [...fleet.spells, ...spells] };
}

/** Draws the bad spans of an alternating process that has been going on for ever; they may begin before the run and end after it. */
function alternate({ fineMs, badMs }: Rhythm, durationMs: number, random: Random): Pick<Spell, 'fromMs' | 'untilMs'>[] {
  const spans: Pick<Spell, 'fromMs' | 'untilMs'>[] = [];
  // Times without memory look the same from any instant on, so the state at the start is all that matters.
  let fromMs = random() < badMs / (fineMs + badMs) ? 0 : exponential(random, fineMs);
  while (fromMs < durationMs) {
    const untilMs = fromMs + exponential(random, badMs);
    spans.push({ fromMs, untilMs });
    fromMs = untilMs + exponential(random, fineMs);
  }
  return spans;
}

type Trouble = Pick<Spell, 'fault' | 'share'>;

function drawOutage(random: Random): Trouble {
  const fault: Fault = random() < 0.5 ? { kind: 'error', status: 503 } : { kind: 'hang' };
  return { fault, share: 1 };
}

function drawBrownOut(random: Random): Trouble {
  return {
    fault: { kind: 'error', status: 502 },
    share: BROWN_OUT_SHARE_MIN + (BROWN_OUT_SHARE_MAX - BROWN_OUT_SHARE_MIN) * random(),
  };
}

function siblingsOf({ id, operatorId }: SimEndpoint, { endpoints }: Fleet): SimEndpoint[] {
  return endpoints.filter((other) => other.operatorId === operatorId && other.id !== id);
}

function joinedBy(siblings: readonly SimEndpoint[], spell: Omit<Spell, 'endpointId'>, random: Random): Spell[] {
  return siblings.filter(() => random() < SIBLING_JOINS).map(({ id }) => ({ ...spell, endpointId: id }));
}
