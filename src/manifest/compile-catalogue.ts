/** Turns the published catalogue (cards, models, dated prices) into rows. */
import type { Capability, Quantization } from '#schema/catalog';
import type { Price } from '#schema/money';
import type { CardFacts } from './card-facts.ts';
import type { DeploymentRows } from './deployment-rows.ts';

/** The catalogue as it was published: models, and what each provider asked for them on a date. */
export interface CatalogueSeed {
  models: readonly { id: string; name: string; context: number | null; inputModalities: string[]; outputModalities: string[] }[];
  offers: readonly CatalogueOffer[];
}

export interface CatalogueOffer {
  endpointId: string;
  providerId: string;
  modelId: string;
  upstreamModel: string;
  tag: string;
  /** Null: no price was published. */
  price: Price | null;
  /** When the price was read. */
  priceValidFromMs: number;
  /** Tokens. */
  context: number | null;
  maxOutput: number | null;
  quantization: Quantization | null;
  capabilities: Capability[];
  source: string;
}

/**
 * Context in tokens where neither endpoint nor model states one: what every chat model of the catalogue has at least, and more than
 * a request for an image, speech or a transcript holds.
 */
export const CONTEXT_DEFAULT = 8192;

/** Compiles cards and seed. `secrets` maps provider ids to the secret that the manifest names instead of the card's. */
export function compileCatalogue(
  seed: CatalogueSeed,
  cards: ReadonlyMap<string, CardFacts>,
  secrets: ReadonlyMap<string, string>,
): Pick<DeploymentRows, 'providers' | 'models' | 'endpoints' | 'claims' | 'offers'> {
  const source = 'catalogue';
  const contexts = new Map(seed.models.map((model) => [model.id, model.context]));
  const firstSeenMs = new Map<string, number>();
  for (const { modelId, priceValidFromMs } of seed.offers)
    firstSeenMs.set(modelId, Math.min(priceValidFromMs, firstSeenMs.get(modelId) ?? Infinity));
  const callable = seed.offers.flatMap((offer) => {
    const card = cards.get(offer.providerId);
    return card === undefined || card.baseUrl === null ? [] : [{ offer, card, url: card.baseUrl }];
  });
  return {
    providers: [...cards.values()].map((card) => ({
      id: card.id,
      name: card.name,
      supply: card.supply,
      keySecret: keySecretOf(card, secrets),
      source,
    })),
    models: seed.models.map(({ id, name, context, inputModalities, outputModalities }) => ({
      id,
      name,
      createdAtS: Math.floor((firstSeenMs.get(id) ?? 0) / 1000),
      context,
      inputModalities,
      outputModalities,
      source,
    })),
    endpoints: callable.map(({ offer, card, url }) => ({
      id: offer.endpointId,
      providerId: card.id,
      operatorId: card.id,
      tag: offer.tag,
      supply: card.supply,
      ownerTeamId: null,
      modelId: offer.modelId,
      upstreamModel: offer.upstreamModel,
      url,
      dialect: card.dialect,
      keySecret: keySecretOf(card, secrets),
      engine: null,
      hardware: null,
      quantization: offer.quantization ?? 'unknown',
      kvCache: 'unknown',
      context: offer.context ?? contexts.get(offer.modelId) ?? CONTEXT_DEFAULT,
      maxOutput: offer.maxOutput,
      maxConcurrency: null,
      capabilities: offer.capabilities,
      jurisdiction: card.jurisdiction.countries,
      dataPolicy: dataPolicyOf(card),
      verification: verificationOf(card.supply),
      disabled: false,
      source,
    })),
    claims: [...cards.values()].flatMap(claimsOf),
    offers: callable.map(({ offer }) => ({
      endpointId: offer.endpointId,
      validFromMs: offer.priceValidFromMs,
      ...termsOf(offer.price),
      source: offer.source,
    })),
  };
}

/** Names the secret of a provider: the manifest's choice, else the card's; null where it takes none. */
export function keySecretOf(card: CardFacts, secrets: ReadonlyMap<string, string>): string | null {
  return secrets.get(card.id) ?? (card.auth === 'none' ? null : card.keyName);
}

/** Restates a card's published data policy in the words of the catalogue. */
export function dataPolicyOf({ dataPolicy }: CardFacts): { trains: boolean | null; retention_days: number | null; source: string } {
  return { trains: dataPolicy.trains, retention_days: dataPolicy.retentionDays, source: dataPolicy.claimSource };
}

/** Says what is known before any probe: anonymous miners prove themselves first. */
export function verificationOf(supply: CardFacts['supply']): 'verified' | 'unverified' {
  return supply === 'subnet' ? 'unverified' : 'verified';
}

/** Writes a price as columns; null columns mean unknown, never free. */
export function termsOf(price: Price | null): Omit<DeploymentRows['offers'][number], 'endpointId' | 'validFromMs' | 'source'> {
  return {
    promptPicoUsdPerToken: price?.promptPicoUsdPerToken ?? null,
    completionPicoUsdPerToken: price?.completionPicoUsdPerToken ?? null,
    cacheReadPicoUsdPerToken: price?.cacheReadPicoUsdPerToken ?? null,
    cacheWritePicoUsdPerToken: price?.cacheWritePicoUsdPerToken ?? null,
    requestNanoUsd: price?.requestNanoUsd ?? 0,
    unitPicoUsd: price?.unitPicoUsd ?? null,
  };
}

function claimsOf({ id, dataPolicy }: CardFacts): DeploymentRows['claims'] {
  const claim = {
    subject: `provider:${id}`,
    source: dataPolicy.claimSource,
    evidence: dataPolicy.source,
    observedAtMs: Date.parse(dataPolicy.date),
    expiresAtMs: null,
  };
  if (dataPolicy.trains !== false) return [];
  const noTraining = { ...claim, kind: 'no_training' };
  return dataPolicy.retentionDays === 0 ? [noTraining, { ...claim, kind: 'zero_retention' }] : [noTraining];
}
