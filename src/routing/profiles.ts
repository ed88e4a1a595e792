/**
 * Offers of one model, laid out for fast filtering: those that differ only in identity and price share a profile,
 * and prices stand in columns. Worked out once for each list of offers; lists are frozen with their snapshot.
 */
import type { Offer } from '#schema/catalog';

/** One list of offers by row. */
export interface Profiles {
  /** Profile of each row. */
  profileOf: Uint32Array;
  /** One offer for each profile, without endpoint id, so that no list can name it. */
  examples: readonly Offer[];
  /** Row of each endpoint id. */
  rowOf: ReadonlyMap<string, number>;
  /** What the KV cache holds, by row; Infinity where nothing says so. */
  poolTokens: Float64Array;
  /** Prices by row; all NaN where none is known. */
  promptPicoUsd: Float64Array;
  completionPicoUsd: Float64Array;
  unitPicoUsd: Float64Array;
  requestNanoUsd: Float64Array;
}

const known = new WeakMap<readonly Offer[], Profiles>();

/** Lays a list of offers out, or finds the layout made before. */
export function profilesOf(offers: readonly Offer[]): Profiles {
  const found = known.get(offers);
  if (found !== undefined) return found;
  const made = toProfiles(offers);
  known.set(offers, made);
  return made;
}

function toProfiles(offers: readonly Offer[]): Profiles {
  const count = offers.length;
  const profileOf = new Uint32Array(count);
  const poolTokens = new Float64Array(count);
  const promptPicoUsd = new Float64Array(count).fill(Number.NaN);
  const completionPicoUsd = new Float64Array(count).fill(Number.NaN);
  const unitPicoUsd = new Float64Array(count).fill(Number.NaN);
  const requestNanoUsd = new Float64Array(count).fill(Number.NaN);
  const examples: Offer[] = [];
  const rowOf = new Map<string, number>();
  const numbers = new Map<string, number>();

  for (const [row, offer] of offers.entries()) {
    const key = profileKey(offer);
    let profile = numbers.get(key);
    if (profile === undefined) {
      profile = examples.push({ ...offer, endpointId: '' }) - 1;
      numbers.set(key, profile);
    }
    profileOf[row] = profile;
    rowOf.set(offer.endpointId, row);
    poolTokens[row] = offer.capacity?.poolTokens ?? Infinity;
    if (offer.price !== null) {
      promptPicoUsd[row] = offer.price.promptPicoUsdPerToken;
      completionPicoUsd[row] = offer.price.completionPicoUsdPerToken;
      unitPicoUsd[row] = offer.price.unitPicoUsd ?? 0;
      requestNanoUsd[row] = offer.price.requestNanoUsd;
    }
  }
  return { profileOf, examples, rowOf, poolTokens, promptPicoUsd, completionPicoUsd, unitPicoUsd, requestNanoUsd };
}

/** Everything that hard filters read of an offer, except its id, its price, its KV cache and whether we can call it. */
function profileKey(offer: Offer): string {
  return JSON.stringify([
    offer.providerId,
    offer.tag,
    offer.supply,
    offer.ownerTeamId,
    offer.context,
    offer.maxOutput,
    offer.quantization,
    offer.kvCache,
    [...offer.capabilities],
    [...offer.operations],
    offer.jurisdiction,
    offer.dataPolicy,
    offer.claims,
    offer.verification,
  ]);
}
