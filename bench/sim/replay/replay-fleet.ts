/**
 * Turns measured endpoints into a fleet. Successes, absences, prices, contexts and quantizations are theirs; what public statistics don't tell
 * (speed, slots) is drawn, seeded, from those of hosted models (docs/routing.md, llmperf-leaderboard raw data).
 */
import type { Fleet, ListingChange, PriceChange, SimEndpoint, SimRequest, Spell } from '#bench/sim/contract';
import { createRandom, drawLognormal, hashText, type Random } from '#devnet/random';
import type { Price } from '#schema/money';
import { slotsNeeded } from '../load.ts';
import type { Replay, ReplayEndpoint, ReplayPrice } from './replay.ts';

/** Polls are a quarter of an hour apart and tell about five minutes; one a minute lets a short run see a few hours of trouble. */
export const POLL_PLAYS_MS = 60_000;
const HARD_OUTAGE_SHARE = 0.5;
const FAILURE_SHARE_MIN = 0.0005; // below it a percentage with two digits is noise

/** Slots that hosts have to spare for one more customer; most are small, a few are large. */
const SLOTS_P50 = 12;
const SLOTS_SIGMA = 0.7;
const SLOTS_MIN = 4;
/** All slots together are at least this multiple of what the traffic needs, so that heavy traces meet larger hosts. */
const SPARE_FACTOR = 3;

const PICO = 1e12;

/** Builds the fleet of one seed, which also chooses where in the recording the run begins. */
export function replayFleet(replay: Replay, { seed, requests }: { seed: number; requests: readonly SimRequest[] }): Fleet {
  const durationMs = requests.at(-1)?.arrivedAtMs ?? 0;
  const window = choosePolls(replay.pollsMs, durationMs, createRandom(hashText(`replay window ${seed}`)));
  const present = replay.endpoints.filter(({ polls, prices }) => {
    const isPolled = polls.some(({ atMs }) => atMs >= window.fromMs && atMs <= window.lastMs);
    return isPolled && prices.some(({ atMs }) => atMs <= window.lastMs);
  });
  const drafts = present.map((endpoint) => ({ endpoint, body: drawBody(endpoint, window, seed) }));
  const slots = drawSlots(
    drafts.map(({ body }) => body),
    requests,
    seed,
  );
  return {
    endpoints: drafts.map(({ body }, place) => ({ ...body, slots: slots[place] as number, queueMax: slots[place] as number })),
    spells: drafts.flatMap(({ endpoint }) => toSpells(endpoint, window, seed)),
    prices: drafts.flatMap(({ endpoint }) => toPriceChanges(endpoint, window)),
    listings: drafts.flatMap(({ endpoint }) => toListings(endpoint, window)),
    isReplay: true,
  };
}

/** Polls that are played, with the instants of the recording that they stand for. */
interface PollWindow {
  pollsMs: readonly number[];
  fromMs: number;
  lastMs: number;
}

function choosePolls(pollsMs: readonly number[], durationMs: number, random: Random): PollWindow {
  const wanted = Math.min(pollsMs.length, Math.ceil((durationMs + 1) / POLL_PLAYS_MS) + 1);
  const first = Math.floor(random() * (pollsMs.length - wanted + 1));
  const played = pollsMs.slice(first, first + wanted);
  return { pollsMs: played, fromMs: played[0] ?? 0, lastMs: played.at(-1) ?? 0 };
}

function drawBody(endpoint: ReplayEndpoint, window: PollWindow, seed: number): SimEndpoint {
  const random = createRandom(hashText(`${seed} ${endpoint.id}`));
  const isSteady = random() < 0.8;
  const firstPrice = endpoint.prices.findLast(({ atMs }) => atMs <= window.fromMs) ?? (endpoint.prices[0] as ReplayPrice);
  return {
    id: endpoint.id,
    operatorId: endpoint.operatorId,
    supply: 'centralized',
    price: toPrice(firstPrice),
    declaredSlots: null,
    context: endpoint.context,
    quantization: endpoint.quantization,
    continues: random() < 0.5,
    slots: SLOTS_MIN,
    queueMax: SLOTS_MIN,
    firstTokenMsP50: between(drawLognormal(random, 500, 0.5), 150, 4_000),
    firstTokenSigma: isSteady ? 0.12 + 0.13 * random() : 0.6 + 0.4 * random(),
    prefillTokensPerSecond: between(drawLognormal(random, 12_000, 0.5), 2_000, 60_000),
    tpotMs: between(drawLognormal(random, 18, 0.5), 4, 70),
    tpotSigma: 0.03 + 0.17 * random(),
    cache: firstPrice.cacheReadUsd === null ? null : { blocks: 20_000, ttlMs: 300_000 },
    failureShare: 0, // all that is known of failures is in the polls
    breakShare: 0.0005,
    billing: { onFailure: false, onCancel: true },
  };
}

function drawSlots(bodies: readonly SimEndpoint[], requests: readonly SimRequest[], seed: number): number[] {
  const drawn = bodies.map(({ id }) => drawLognormal(createRandom(hashText(`${seed} slots ${id}`)), SLOTS_P50, SLOTS_SIGMA));
  const all = drawn.reduce((sum, slots) => sum + slots, 0);
  const stretch = Math.max(1, (SPARE_FACTOR * slotsNeeded(bodies, requests)) / all);
  return drawn.map((slots) => Math.max(SLOTS_MIN, Math.round(slots * stretch)));
}

function toSpells(endpoint: ReplayEndpoint, window: PollWindow, seed: number): Spell[] {
  const shares = new Map(endpoint.polls.map(({ atMs, successShare }) => [atMs, successShare]));
  const random = createRandom(hashText(`${seed} outages ${endpoint.id}`));
  let hangs = false;
  let wasHard = false;
  return window.pollsMs.flatMap((atMs, place) => {
    const success = shares.get(atMs) ?? 1;
    const share = 1 - success;
    const isHard = share >= HARD_OUTAGE_SHARE;
    // Half of the hard outages hang; one that goes on keeps its kind.
    if (isHard && !wasHard) hangs = random() < 0.5;
    wasHard = isHard;
    if (share < FAILURE_SHARE_MIN) return [];
    const fault: Spell['fault'] = isHard && hangs ? { kind: 'hang' } : { kind: 'error', status: isHard ? 503 : 502 };
    const fromMs = place * POLL_PLAYS_MS;
    return [{ endpointId: endpoint.id, fromMs, untilMs: fromMs + POLL_PLAYS_MS, fault, share: Math.min(1, share) }];
  });
}

function toPriceChanges(endpoint: ReplayEndpoint, { pollsMs, fromMs, lastMs }: PollWindow): PriceChange[] {
  return endpoint.prices
    .filter(({ atMs }) => atMs > fromMs && atMs <= lastMs)
    .map((change) => ({
      endpointId: endpoint.id,
      atMs: pollsMs.findLastIndex((pollMs) => pollMs <= change.atMs) * POLL_PLAYS_MS,
      price: toPrice(change),
    }));
}

/** An endpoint that a poll doesn't list is out of the catalogue until one does. */
function toListings(endpoint: ReplayEndpoint, { pollsMs }: PollWindow): ListingChange[] {
  const seen = new Set(endpoint.polls.map(({ atMs }) => atMs));
  const changes: ListingChange[] = [];
  let isListed = true;
  for (const [place, pollMs] of pollsMs.entries()) {
    if (seen.has(pollMs) === isListed) continue;
    isListed = !isListed;
    changes.push({ endpointId: endpoint.id, atMs: place * POLL_PLAYS_MS, isListed });
  }
  return changes;
}

function toPrice({ promptUsd, completionUsd, cacheReadUsd }: ReplayPrice): Price {
  return {
    promptPicoUsdPerToken: Math.round(promptUsd * PICO),
    completionPicoUsdPerToken: Math.round(completionUsd * PICO),
    ...(cacheReadUsd !== null && { cacheReadPicoUsdPerToken: Math.round(cacheReadUsd * PICO) }),
    requestNanoUsd: 0,
  };
}

function between(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
