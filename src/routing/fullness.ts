/**
 * How full an endpoint is and what it can hold still: by our own count, and by its node's word where that says more. A node that lies low
 * gains nothing over our count, one that lies high only loses traffic. docs/routing.md.
 */
import type { Offer } from '#schema/catalog';
import type { EndpointHealth } from '#schema/health';

/** How fast a count of requests ages: they end, and others are sent elsewhere because of it. What is in the KV cache stays longer. */
const COUNT_TAU_MS = 4_000;

/** Requests at an endpoint against how many may be; `source` is whose count it is. */
export interface Load {
  inFlight: number;
  cap: number;
  source: 'node' | 'counted';
}

/** Reads how many requests of ours an endpoint may have at once: what was learned, and no more than it runs. */
export function capOf({ capacity }: Offer, health: EndpointHealth): number {
  return Math.min(health.cap, capacity?.maxSequences ?? Infinity);
}

/** How many sequences the engine runs at once: as it says, else as its operator does, else as many as we have learned to give it. */
function seatsOf(offer: Offer, health: EndpointHealth): number {
  return Math.max(1, offer.capacity?.maxSequences ?? offer.maxConcurrency ?? health.cap);
}

/** How much of what a node counted is likely to be there still, 0 to 1. */
export function fadingOf({ ageMs }: { ageMs: number }): number {
  return Math.exp(-ageMs / COUNT_TAU_MS);
}

/**
 * Measures how full an endpoint is, 1 and above being full: the largest of our requests over the cap, the node's running and waiting ones
 * over its seats, the share of its KV cache in use, and our tokens over its pool. With `fades` the node's count of requests is taken for
 * what is left of it by now.
 */
export function fullnessOf(offer: Offer, health: EndpointHealth, { fades }: { fades: boolean }): number {
  const { nodeLoad } = health;
  const ours = health.inFlight / Math.max(1, capOf(offer, health));
  const poolTokens = offer.capacity?.poolTokens ?? null;
  // What others are likely to have sent moves an endpoint back, but never out: it may not be there.
  const tokens = poolTokens === null ? 0 : (health.likelyInFlightTokens ?? health.inFlightTokens ?? 0) / Math.max(1, poolTokens);
  if (nodeLoad === undefined) return Math.max(ours, tokens);
  const theirs = ((fades ? fadingOf(nodeLoad) : 1) * (nodeLoad.running + nodeLoad.waiting)) / seatsOf(offer, health);
  return Math.max(ours, tokens, theirs, nodeLoad.kvUsage ?? 0);
}

/**
 * Counts the tokens that the KV cache of an endpoint has room for now: what the node says is free, and what our own requests leave of the
 * pool, whichever is less. Infinity where nobody knows the pool. A node's word is fresh or it is not there.
 */
export function freeTokens({ capacity }: Offer, health: EndpointHealth | undefined): number {
  const poolTokens = capacity?.poolTokens ?? null;
  if (poolTokens === null) return Infinity;
  if (health === undefined) return poolTokens;
  const unused = poolTokens - poolTokens * (health.nodeLoad?.kvUsage ?? 0);
  return Math.max(0, Math.min(unused, poolTokens - (health.inFlightTokens ?? 0)));
}

/** Reads the load that counts: our requests against the cap, or the node's against its seats where that is fuller. */
export function loadOf(offer: Offer, health: EndpointHealth): Load {
  const { nodeLoad, inFlight } = health;
  const cap = capOf(offer, health);
  const ours: Load = { inFlight, cap, source: 'counted' };
  if (nodeLoad === undefined) return ours;
  const theirs: Load = { inFlight: nodeLoad.running + nodeLoad.waiting, cap: seatsOf(offer, health), source: 'node' };
  return theirs.inFlight / theirs.cap > inFlight / Math.max(1, cap) ? theirs : ours;
}
