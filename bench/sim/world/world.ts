/** The world of one run: all endpoints, the catalogue as it stands, and the truth. The same for every policy of one seed. */
import type { Clock } from '../clock.ts';
import type { CallOrder, CallRecord, EndpointUse, Fleet, Listing, LiveCall, SimEndpoint, Truth } from '../contract.ts';
import { createServer } from './server.ts';
import { createTimeline } from './timeline.ts';
import { createTruth } from './truth.ts';

export interface World {
  call(order: CallOrder): { live: LiveCall; record: CallRecord };
  /** The catalogue now; the same array until it changes. */
  listings(): readonly Listing[];
  use(): EndpointUse[];
  truth: Truth;
}

/** Builds the world of a fleet. */
export function createWorld(fleet: Fleet, { clock, seed, durationMs }: { clock: Clock; seed: number; durationMs: number }): World {
  const timeline = createTimeline(fleet);
  const servers = new Map(fleet.endpoints.map((endpoint) => [endpoint.id, createServer(endpoint, { clock, timeline, seed })]));
  /** How often each request has called each endpoint; canaries are counted as one request. */
  const attempts = new Map<string, number>();
  let listed: readonly Listing[] = list(0);
  let changes = 0;

  function list(atMs: number): readonly Listing[] {
    return fleet.endpoints
      .filter(({ id }) => timeline.isListedAt(id, atMs))
      .map((endpoint) => toListing(endpoint, timeline.priceAt(endpoint.id, atMs)));
  }

  return {
    call(order) {
      const server = servers.get(order.endpointId);
      if (server === undefined) throw new Error(`the policy called '${order.endpointId}', which does not exist`);
      const key = `${order.request?.id ?? 'canary'} ${order.endpointId}`;
      const attempt = attempts.get(key) ?? 0;
      attempts.set(key, attempt + 1);
      return server.call(order, attempt);
    },
    listings() {
      const before = changes;
      while ((timeline.catalogueChangesMs[changes] ?? Infinity) <= clock.now()) changes++;
      if (changes !== before) listed = list(clock.now());
      return listed;
    },
    use: () => [...servers.values()].map((server) => server.use()),
    truth: createTruth(fleet, timeline, durationMs),
  };
}

function toListing(endpoint: SimEndpoint, price: Listing['price']): Listing {
  const { id, operatorId, supply, declaredSlots, context, quantization, continues, poolTokens } = endpoint;
  return Object.freeze({
    id,
    operatorId,
    supply,
    price,
    declaredSlots,
    context,
    quantization,
    continues,
    ...(poolTokens !== undefined && { poolTokens }),
  });
}
