/** What the audit trail says of changes to supply that registers itself, in the words of the API. Pure; no key comes in. */
import { fieldChanges, type AuditEntry } from '#schema/audit';
import type { StoredEndpoint, StoredOffer } from './registrations-store.ts';

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

/** Tells of an endpoint what its operator has stated; of its key only whether there is one. */
export function endpointFields(endpoint: StoredEndpoint, offer: StoredOffer | null, operator: string): Record<string, unknown> {
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
    price: offer && {
      prompt_pico_usd: offer.promptPicoUsdPerToken,
      completion_pico_usd: offer.completionPicoUsdPerToken,
      request_nano_usd: offer.requestNanoUsd,
    },
  };
}
