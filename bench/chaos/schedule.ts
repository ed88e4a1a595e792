/** When which fault strikes whom. Pure: the same seed gives the same schedule. */
import type { EndpointCard } from '#devnet/card';
import type { FaultName } from '#devnet/faults';
import { createRandom, type Random } from '#devnet/random';

/** A stretch of the run, in milliseconds from its start. A calm one has no fault. */
export interface Phase {
  fault: FaultName | null;
  startMs: number;
  endMs: number;
}

/**
 * The faults of a run, the telling ones first: a short run takes the head of the list. Those that need other load are left out:
 * long prompts are not sent here, and an absurd Retry-After would keep its endpoint away for the rest of the run.
 */
const FAULTS_BY_WEIGHT: readonly FaultName[] = [
  'die-mid-stream',
  'down',
  'hang-mid-stream',
  'error-500',
  'hang-after-headers',
  'rate-limit',
  'die-mid-event',
  'error-in-200',
  'slow',
  'malformed-sse',
  'hang',
  'truncated-json',
  'no-usage',
  'over-report-usage',
  'empty-200',
  'html-200',
  'stall-mid-stream',
  'empty-first-event',
  'error-503',
  'redirect',
  'probe-cheat',
];

const CALM_SHARE_AT_FIRST = 0.1;
const CALM_MS_MIN = 5000;
/** Long enough to see the service recover, and a breaker open. */
const LONG = { faultMs: 10_000, calmMs: 5000 };
const SHORT = { faultMs: 7000, calmMs: 4000 };
const SHORT_RUN_MS = 90_000;

/** Lays calm and fault out in turn, calm first and last. The order of the faults follows the seed. */
export function layOut(durationMs: number, seed: number): Phase[] {
  const { faultMs, calmMs } = durationMs < SHORT_RUN_MS ? SHORT : LONG;
  const openingMs = Math.max(CALM_MS_MIN, durationMs * CALM_SHARE_AT_FIRST);
  const count = Math.max(1, Math.floor((durationMs - openingMs) / (faultMs + calmMs)));
  const faults = Array.from({ length: count }, (_, index) => FAULTS_BY_WEIGHT[index % FAULTS_BY_WEIGHT.length] as FaultName);
  const phases: Phase[] = [{ fault: null, startMs: 0, endMs: openingMs }];
  for (const fault of shuffle(faults, createRandom(seed))) {
    const startMs = phases.at(-1)?.endMs ?? 0;
    phases.push({ fault, startMs, endMs: startMs + faultMs });
    phases.push({ fault: null, startMs: startMs + faultMs, endMs: startMs + faultMs + calmMs });
  }
  return phases;
}

/** Puts the items into an order that follows the dice; the argument keeps its own. */
function shuffle<Item>(items: readonly Item[], random: Random): Item[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((left, right) => left.key - right.key)
    .map(({ item }) => item);
}

/** An endpoint of the fleet with how much it has been asked lately. */
export interface Supplier {
  card: EndpointCard;
  recentRequests: number;
}

/**
 * Chooses a third of the suppliers: the busiest, because a fault that nobody meets shows nothing, and others by the dice.
 * Every model of `models` keeps two sound suppliers, and one that can continue a broken answer.
 */
export function chooseStruck(suppliers: readonly Supplier[], models: readonly string[], random: Random): string[] {
  const [busiest, ...others] = suppliers.toSorted((left, right) => right.recentRequests - left.recentRequests);
  if (busiest === undefined) return [];
  const struck = new Set<Supplier>();
  for (const supplier of [busiest, ...shuffle(others, random)]) {
    if (struck.size >= Math.floor(suppliers.length / 3)) break;
    const sound = suppliers.filter((other) => other !== supplier && !struck.has(other));
    if (models.every((model) => isServed(model, sound))) struck.add(supplier);
  }
  return [...struck].map(({ card }) => card.id);
}

function isServed(model: string, sound: readonly Supplier[]): boolean {
  const servers = sound.filter(({ card }) => card.models.some(({ id }) => id === model));
  return servers.length >= 2 && servers.some(({ card }) => card.capabilities.includes('continuation'));
}
