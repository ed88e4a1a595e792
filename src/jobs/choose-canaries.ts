/**
 * Which endpoints are asked for a canary: those whose breaker waits for a probe, and those of which nothing was seen lately although their
 * model has traffic. Pure. docs/routing.md.
 */
import type { Offer } from '#schema/catalog';
import { costNanoUsd, type Price } from '#schema/money';
import { NOTHING_USED } from '#schema/receipt';
import type { SharedEndpoint } from '#src/health/board-port';
import { medianInPlace } from '#src/routing/median';

/** Canaries of one run at most. */
export const CANARIES_PER_RUN = 30;
/** Runs are a minute apart, give or take: an endpoint is asked once in each at most. */
const EVERY_MS = 45_000;
/** An endpoint that costs more than this many times its model's median is out of contention, and asked as seldom as this. */
const DEAR_FACTOR = 2;
const DEAR_EVERY_MS = 10 * 60_000;
/** Decayed attempts that mean traffic: one in the last 45 seconds. Canaries alone, one a minute, stay below it. */
const ALIVE_ATTEMPTS = 0.1;
/** Samples older than this say nothing of an endpoint's latency any more. */
const LATENCY_KNOWN_MS = 300_000;
/** Endpoints with samples are as urgent as these are old, in ms. */
const URGENCY_OF_UNSEEN = LATENCY_KNOWN_MS + 1;
const URGENCY_OF_PROBES = URGENCY_OF_UNSEEN + 1;
/** What a request of ordinary size is taken to use when prices are compared, and what a canary is taken to use at worst. */
const TYPICAL = { ...NOTHING_USED, promptTokens: 1000, completionTokens: 250 };
const CANARY = { ...NOTHING_USED, promptTokens: 64, completionTokens: 16 };

/** What one health board knows and the catalogue offers, with what canaries have done lately. */
export interface CanaryScene {
  shared: readonly SharedEndpoint[];
  /** All offers of the models for which the board stands. */
  offers: readonly Offer[];
  nowMs: number;
  /** When endpoints were asked last, epoch ms; absent: not within ten minutes. */
  askedAtMs: ReadonlyMap<string, number>;
  /** What may still be spent now. */
  budgetNanoUsd: number;
  /** How many may still be asked in this run. */
  canariesMax: number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Answers whether this deployment has the endpoint's key. */
  isCallable(offer: Offer): boolean;
}

/** One endpoint to be asked. */
export interface Canary {
  offer: Offer;
  /** It is the request that a half-open breaker waits for, or would be if the breaker of an endpoint that the board did not name is one. */
  isProbe: boolean;
  /** Traffic has shown how fast it is: what a canary sees says no better (R8). */
  isTimed: boolean;
  /** What it costs at worst, as far as can be told. */
  worstNanoUsd: number;
}

/** Chooses canaries: probes first, then what was never seen, then what was seen longest ago; chance decides between equals. */
export function chooseCanaries(scene: CanaryScene): Canary[] {
  const known = new Map(scene.shared.map((endpoint) => [endpoint.endpointId, endpoint]));
  const models = Map.groupBy(scene.offers, ({ modelId }) => modelId);
  const due = [...models.values()].flatMap((offers) => dueOf(offers, known, scene));
  const inOrder = due
    .map((canary) => ({ canary, urgency: urgencyOf(known.get(canary.offer.endpointId)), draw: scene.random() }))
    .toSorted((a, b) => b.urgency - a.urgency || a.draw - b.draw);
  let leftNanoUsd = scene.budgetNanoUsd;
  const affordable = inOrder.filter(({ canary: { worstNanoUsd } }) => {
    if (worstNanoUsd > leftNanoUsd) return false;
    leftNanoUsd -= worstNanoUsd;
    return true;
  });
  return affordable.slice(0, scene.canariesMax).map(({ canary }) => canary);
}

/** Lists the endpoints of one model that are due. */
function dueOf(offers: readonly Offer[], known: ReadonlyMap<string, SharedEndpoint>, scene: CanaryScene): Canary[] {
  const hasTraffic = offers.some(({ endpointId }) => isAlive(known.get(endpointId)));
  const open = offers.filter(isForEveryone);
  const dearNanoUsd = DEAR_FACTOR * medianInPlace(Float64Array.from(open, ({ price }) => costNanoUsd(price, TYPICAL)));
  return open.flatMap((offer): Canary[] => {
    const state = known.get(offer.endpointId);
    const everyMs = costNanoUsd(offer.price, TYPICAL) > dearNanoUsd ? DEAR_EVERY_MS : EVERY_MS;
    const askedAgoMs = scene.nowMs - (scene.askedAtMs.get(offer.endpointId) ?? -Infinity);
    // A clock that jumped back must not keep canaries away (R15).
    if ((askedAgoMs >= 0 && askedAgoMs < everyMs) || isAway(state) || !scene.isCallable(offer)) return [];

    // Whoever is there is the probe (R4).
    const isDue = isShut(state) ? state?.inFlight === 0 : hasTraffic && !isAlive(state);
    const isProbe = state === undefined || isShut(state);
    return isDue ? [{ offer, isProbe, isTimed: isTimed(state), worstNanoUsd: costNanoUsd(offer.price, CANARY) }] : [];
  });
}

type PricedOffer = Offer & { price: Price };

/** Tells whether an endpoint chats, has a price and belongs to no team: what a team's own endpoint does is its own business, and cost. */
function isForEveryone(offer: Offer): offer is PricedOffer {
  return offer.operations.has('chat') && offer.ownerTeamId === null && offer.price !== null;
}

function isShut(state: SharedEndpoint | undefined): boolean {
  return state !== undefined && state.breaker.state !== 'closed';
}

function isAlive(state: SharedEndpoint | undefined): boolean {
  return state !== undefined && state.counters.fastOk + state.counters.fastBad >= ALIVE_ATTEMPTS;
}

/** Tells whether an endpoint is to be left alone: it asked for that, or its breaker has just opened. */
function isAway(state: SharedEndpoint | undefined): boolean {
  if (state === undefined) return false;
  return state.backoff.remainingMs > 0 || (state.breaker.state === 'open' && state.breaker.remainingMs > 0);
}

function isTimed(state: SharedEndpoint | undefined): boolean {
  return state !== undefined && state.ttft.recentMs.length > 0 && state.ttft.ageMs <= LATENCY_KNOWN_MS;
}

function urgencyOf(state: SharedEndpoint | undefined): number {
  if (isShut(state)) return URGENCY_OF_PROBES;
  return state !== undefined && isTimed(state) ? state.ttft.ageMs : URGENCY_OF_UNSEEN;
}
