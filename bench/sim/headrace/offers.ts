/** The catalogue of the simulation in the router's own terms. */
import type { Model, ModelEntry, Offer } from '#schema/catalog';
import type { Listing } from '../contract.ts';

const MODEL: Model = {
  id: 'sim/model',
  name: 'Simulated model',
  createdAtS: 0,
  context: 131_072,
  inputModalities: ['text'],
  outputModalities: ['text'],
};

const CHAT = new Set(['chat'] as const);
const PLAIN = new Set(['tools'] as const);
const CONTINUING = new Set(['tools', 'continuation'] as const);

/** The one model with what is listed now; the same object for the same listings, as a snapshot of the catalogue would be. */
export function createCatalogue({ tellsCapacity }: { tellsCapacity: boolean }): (listings: readonly Listing[]) => readonly ModelEntry[] {
  const offers = new WeakMap<Listing, Offer>();
  let known: readonly Listing[] | null = null;
  let entries: readonly ModelEntry[] = [];
  return (listings) => {
    if (listings === known) return entries;
    known = listings;
    entries = [
      {
        model: MODEL,
        offers: listings.map((listing) => {
          const offer = offers.get(listing) ?? toOffer(listing, tellsCapacity);
          offers.set(listing, offer);
          return offer;
        }),
      },
    ];
    return entries;
  };
}

function toOffer(listing: Listing, tellsCapacity: boolean): Offer {
  const { poolTokens, declaredSlots: maxSequences } = listing;
  return {
    endpointId: listing.id,
    providerId: listing.operatorId,
    providerName: listing.operatorId,
    tag: listing.operatorId,
    operatorId: listing.operatorId,
    supply: listing.supply,
    modelId: MODEL.id,
    upstreamModel: MODEL.id,
    url: `https://${listing.id}.example/v1`,
    dialect: 'openai-chat',
    keySecret: null,
    ownerTeamId: null,
    context: listing.context,
    maxOutput: null,
    quantization: listing.quantization,
    kvCache: 'unknown',
    engine: null,
    hardware: null,
    maxConcurrency: listing.declaredSlots,
    capabilities: listing.continues ? CONTINUING : PLAIN,
    operations: CHAT,
    jurisdiction: [],
    dataPolicy: { trains: null, retention_days: null },
    claims: [],
    verification: 'verified',
    price: listing.price,
    priceValidFromMs: 0,
    ...(tellsCapacity && poolTokens !== undefined && { capacity: { poolTokens, maxSequences } }),
  };
}
