/** Rows become the immutable snapshot that routing chooses from. Pure. */
import {
  operationsOf,
  type Capability,
  type CatalogSnapshot,
  type Claim,
  type DataPolicy,
  type DialectId,
  type KvCodec,
  type Model,
  type ModelEntry,
  type Offer,
  type Quantization,
  type SupplyKind,
  type VerificationState,
} from '#schema/catalog';
import { isAllowedDestination } from '#schema/destination';
import type { Price } from '#schema/money';
import { isNodeAddress } from '#schema/registration';
import { asSeen, registeredTerms } from './registered.ts';
import type { CatalogRows, ClaimRow, EndpointRow, OfferRow, RegistrationRow } from './rows.ts';

export interface SnapshotSettings {
  nowMs: number;
  version: string;
  allowedHosts: readonly string[];
  /** Absent: every provider is known. */
  isKnownProvider?(providerId: string): boolean;
}

export interface BuiltSnapshot {
  snapshot: CatalogSnapshot;
  /** Endpoints left out although enabled, with the reason; ids only, no addresses. */
  leftOut: readonly { endpointId: string; reason: string }[];
}

/** What the Messages API cannot be asked for, whatever its endpoints declare. */
const UNSAID_IN_MESSAGES: ReadonlySet<Capability> = new Set(['n', 'logprobs', 'seed', 'completion']);

interface Parts {
  provider: CatalogRows['providers'][number] | undefined;
  terms: OfferRow | undefined;
  claims: readonly ClaimRow[];
  registration: RegistrationRow | undefined;
}

/**
 * Flattens rows into a frozen snapshot: each endpoint with the price that holds at `nowMs` and its claims.
 * Endpoints whose address breaks the destination rule, or whose provider is unknown here, are left out.
 */
export function buildSnapshot(rows: CatalogRows, settings: SnapshotSettings): BuiltSnapshot {
  const { offers, leftOut } = offersByModel(rows, settings);
  const snapshot: CatalogSnapshot = Object.freeze({
    version: settings.version,
    takenAtMs: settings.nowMs,
    models: toEntries(rows.models, offers),
    aliases: new Map(rows.aliases.map(({ alias, modelId }) => [alias, modelId])),
    providers: new Map(rows.providers.map(({ id, name, supply }) => [id, { id, name, supply: supply as SupplyKind }])),
  });
  return { snapshot, leftOut };
}

function offersByModel(
  rows: CatalogRows,
  settings: SnapshotSettings,
): { offers: ReadonlyMap<string, Offer[]>; leftOut: BuiltSnapshot['leftOut'] } {
  const providers = new Map(rows.providers.map((provider) => [provider.id, provider]));
  const terms = currentOffers(rows.offers, settings.nowMs);
  const claims = Map.groupBy(rows.claims, (claim) => claim.subject);
  const registrations = new Map(rows.registrations.map((registration) => [registration.endpointId, registration]));
  const offers = new Map<string, Offer[]>();
  const leftOut: { endpointId: string; reason: string }[] = [];

  for (const declared of rows.endpoints) {
    if (declared.disabled) continue;
    const registration = declared.source === 'registered' ? registrations.get(declared.id) : undefined;
    if (declared.source === 'registered' && registration === undefined) continue;
    const row = registration === undefined ? declared : asSeen(declared, registration);
    const reason = whyLeftOut(row, settings);
    if (reason !== null) {
      leftOut.push({ endpointId: row.id, reason });
      continue;
    }
    // What a provider promises holds at its own address, not at a custom one under its name.
    const inherited = row.source === 'catalogue' ? (claims.get(`provider:${row.providerId}`) ?? []) : [];
    const own = claims.get(row.id) ?? [];
    const parts = { provider: providers.get(row.providerId), terms: terms.get(row.id), claims: [...own, ...inherited], registration };
    const offer = toOffer(row, parts);
    const others = offers.get(row.modelId);
    if (others) others.push(offer);
    else offers.set(row.modelId, [offer]);
  }
  return { offers, leftOut };
}

/** Says why an enabled endpoint may not be called from here; null where it may. */
function whyLeftOut({ providerId, url }: EndpointRow, { allowedHosts, isKnownProvider }: SnapshotSettings): string | null {
  if (isKnownProvider && !isKnownProvider(providerId)) return 'its provider is unknown here';
  if (isNodeAddress(url)) return null;
  const destination = isAllowedDestination(url, allowedHosts);
  return destination.ok ? null : destination.reason;
}

function toEntries(rows: CatalogRows['models'], offers: ReadonlyMap<string, Offer[]>): Map<string, ModelEntry> {
  const entries = new Map<string, ModelEntry>();
  for (const { source: _, ...model } of rows) {
    entries.set(model.id, Object.freeze({ model: Object.freeze(model), offers: Object.freeze(offers.get(model.id) ?? []) }));
  }
  for (const [id, offersOfModel] of offers) {
    if (!entries.has(id)) entries.set(id, Object.freeze({ model: Object.freeze(bareModel(id)), offers: Object.freeze(offersOfModel) }));
  }
  return entries;
}

/** Finds the row with the latest `valid_from` at or before `nowMs` for each endpoint. */
function currentOffers(rows: readonly OfferRow[], nowMs: number): Map<string, OfferRow> {
  const current = new Map<string, OfferRow>();
  for (const row of rows) {
    if (row.validFromMs > nowMs) continue;
    const other = current.get(row.endpointId);
    if (!other || row.validFromMs > other.validFromMs) current.set(row.endpointId, row);
  }
  return current;
}

function toOffer(row: EndpointRow, { provider, terms, claims, registration }: Parts): Offer {
  const dataPolicy = row.dataPolicy as DataPolicy;
  const inherits = row.source === 'catalogue';
  return Object.freeze({
    endpointId: row.id,
    providerId: row.providerId,
    // A custom endpoint's provider is whoever operates it, not the word for all of them.
    providerName: row.operatorId === row.providerId ? (provider?.name ?? row.providerId) : row.operatorId,
    tag: row.tag,
    operatorId: row.operatorId,
    supply: row.supply as SupplyKind,
    modelId: row.modelId,
    upstreamModel: row.upstreamModel,
    url: row.url,
    dialect: row.dialect as DialectId,
    // Our key belongs to the provider's own address: a custom endpoint under its name never gets it.
    keySecret: row.keySecret ?? (inherits ? (provider?.keySecret ?? null) : null),
    ownerTeamId: row.ownerTeamId,
    context: row.context,
    maxOutput: row.maxOutput,
    quantization: row.quantization as Quantization,
    kvCache: row.kvCache as KvCodec,
    engine: row.engine,
    hardware: row.hardware,
    maxConcurrency: row.maxConcurrency,
    capabilities: capabilitiesOf(row),
    operations: operationsOf(capabilitiesOf(row)),
    jurisdiction: Object.freeze([...row.jurisdiction]),
    dataPolicy: Object.freeze(dataPolicy),
    claims: Object.freeze([...claims.map(toClaim), ...statedClaims(dataPolicy)]),
    verification: row.verification as VerificationState,
    price: toPrice(terms),
    priceValidFromMs: terms?.validFromMs ?? 0,
    ...(registration !== undefined && registeredTerms(registration)),
  });
}

/** What an endpoint declares, as far as the dialect that it speaks can say it, and what follows from that dialect. */
function capabilitiesOf(row: EndpointRow): ReadonlySet<Capability> {
  const declared = row.capabilities as Capability[];
  if (row.dialect !== 'anthropic-messages') return new Set(declared);
  return new Set([...declared.filter((capability) => !UNSAID_IN_MESSAGES.has(capability)), 'messages']);
}

function toClaim(row: ClaimRow): Claim {
  const { kind, source, evidence, observedAtMs, expiresAtMs } = row;
  return Object.freeze({ kind: kind as Claim['kind'], source: source as Claim['source'], evidence, observedAtMs, expiresAtMs });
}

/** Reads claims out of a data policy. They carry no date, so they count as old as can be. */
function statedClaims(policy: DataPolicy): Claim[] {
  if (policy.trains !== false) return [];
  const claim = { source: policy.source ?? 'operator', evidence: 'data_policy', observedAtMs: 0, expiresAtMs: null };
  const claims: Claim[] = [Object.freeze({ kind: 'no_training', ...claim })];
  if (policy.retention_days === 0) claims.push(Object.freeze({ kind: 'zero_retention', ...claim }));
  return claims;
}

function toPrice(row: OfferRow | undefined): Price | null {
  if (!row || row.promptPicoUsdPerToken === null || row.completionPicoUsdPerToken === null) return null;
  return Object.freeze({
    promptPicoUsdPerToken: row.promptPicoUsdPerToken,
    completionPicoUsdPerToken: row.completionPicoUsdPerToken,
    ...(row.cacheReadPicoUsdPerToken !== null && { cacheReadPicoUsdPerToken: row.cacheReadPicoUsdPerToken }),
    ...(row.cacheWritePicoUsdPerToken !== null && { cacheWritePicoUsdPerToken: row.cacheWritePicoUsdPerToken }),
    requestNanoUsd: row.requestNanoUsd,
    ...(row.unitPicoUsd !== null && { unitPicoUsd: row.unitPicoUsd }),
  });
}

/** Stands in for a model that an endpoint names but no row describes. */
function bareModel(id: string): Model {
  return { id, name: id, createdAtS: 0, context: null, inputModalities: ['text'], outputModalities: ['text'] };
}
