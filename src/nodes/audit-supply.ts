/** What the audit trail says of changes to supply that registers itself, in the words of the API. Pure; no key comes in. */
import { fieldChanges, type AuditEntry } from '#schema/audit';
import type { AskedHeld } from './price/held-price-store.ts';
import type { RegisteredEndpoint, StoredEndpoint, StoredOffer } from './register/registrations-store.ts';

export type SupplyAction =
  | 'operator.create'
  | 'operator.delete'
  | 'operator.add_key'
  | 'operator.revoke_key'
  | 'endpoint.register'
  | 'endpoint.update'
  | 'endpoint.retire'
  | 'endpoint.prove'
  | 'node.token'
  | 'node.join'
  | 'node.update'
  | 'node.drain'
  | 'node.leave';

/** A record before or after a change; null where it does not exist. */
export type Fields = Readonly<Record<string, unknown>> | null;

/** Writes a change down. `object`: `operator:<id>`, `endpoint:<id>` or `node:<id>`. */
export function supplyEntry(
  { action, object, before, after }: { action: SupplyAction; object: string; before: Fields; after: Fields },
  { id, actor, atMs }: Pick<AuditEntry, 'id' | 'actor' | 'atMs'>,
): AuditEntry {
  return { id, atMs, actor, action, object, fromVersion: null, toVersion: null, changes: fieldChanges(before, after) };
}

/** Writes a change of a registered endpoint down, with where it stands; null before it was there. */
export function registrationEntry(
  action: SupplyAction,
  [before, after]: [before: RegisteredEndpoint | null, after: RegisteredEndpoint],
  who: Pick<AuditEntry, 'id' | 'actor' | 'atMs'>,
): AuditEntry {
  const fields = (one: RegisteredEndpoint) => ({
    ...endpointFields(one.endpoint, one, one.registration.operatorId),
    state: one.registration.state,
  });
  return supplyEntry({ action, object: `endpoint:${after.endpoint.id}`, before: before && fields(before), after: fields(after) }, who);
}

/** Tells of an endpoint what its operator has stated; of its key only whether there is one. */
export function endpointFields(
  endpoint: StoredEndpoint,
  { offer, held = null }: { offer: StoredOffer | null; held?: Pick<AskedHeld, 'price'> | null },
  operator: string,
): Record<string, unknown> {
  return {
    operator,
    team: endpoint.ownerTeamId,
    model: endpoint.modelId,
    upstream_model: endpoint.upstreamModel,
    url: endpoint.url,
    supply: endpoint.supply,
    dialect: endpoint.dialect,
    engine: endpoint.engine,
    hardware: endpoint.hardware,
    weights: endpoint.quantization,
    kv_cache: endpoint.kvCache,
    context: endpoint.context,
    max_output: endpoint.maxOutput,
    max_concurrency: endpoint.maxConcurrency,
    capabilities: endpoint.capabilities,
    jurisdiction: endpoint.jurisdiction,
    data_policy: endpoint.dataPolicy,
    has_key: endpoint.keySecret !== null,
    price: offer && priceFields(offer),
    ...(held !== null && { held_price: priceFields(held.price) }),
  };
}

function priceFields(price: Pick<StoredOffer, 'promptPicoUsdPerToken' | 'completionPicoUsdPerToken' | 'requestNanoUsd'>) {
  return {
    prompt_pico_usd: price.promptPicoUsdPerToken,
    completion_pico_usd: price.completionPicoUsdPerToken,
    request_nano_usd: price.requestNanoUsd,
  };
}
