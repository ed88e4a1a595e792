/** A deployment in memory with operators, nodes and registered endpoints at any stage. */
import type { NodeDescription, NodeModel } from '#schema/node';
import type { RegistrationState } from '#schema/registration';
import { readRegistered, type RegisteredEndpoint, type StoredRegistration } from '#src/nodes/register/registrations-store';
import { NOW_MS } from '#test/support/fake-clock';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';
import { HONEST } from './probe/fake-engine.ts';

export function nodeModelOf(over: Partial<NodeModel> = {}): NodeModel {
  return {
    upstreamModel: HONEST.model,
    context: 32_768,
    quantization: 'fp8',
    kvCache: 'fp8',
    capabilities: [],
    capacity: { poolTokens: 60_000, maxSequences: 16 },
    measured: null,
    predicted: null,
    ...over,
  };
}

export function descriptionOf(...models: NodeModel[]): NodeDescription {
  return { agentVersion: '1', engine: { name: 'vllm', version: null }, gpu: null, models: models.length === 0 ? [nodeModelOf()] : models };
}

export interface Supply extends SqliteD1 {
  operator(id: string, over?: { teamId?: string | null; cleanCompletions?: number; countedToMs?: number }): void;
  node(id: string, over?: { linkedAtMs?: number | null; unlinkedAtMs?: number | null; description?: NodeDescription }): void;
  /** Registers an endpoint; one with a `nodeId` stands on that node. */
  endpoint(
    id: string,
    over?: Partial<StoredRegistration> & { url?: string; kvCache?: string; capabilities?: string[]; keySecret?: string | null },
  ): void;
  read(id: string): Promise<RegisteredEndpoint>;
  stateOf(id: string): Promise<RegistrationState>;
  /** The states that an endpoint has been through, oldest first. */
  historyOf(id: string): string[];
  catalogueVersion(): string;
}

export function openSupply(): Supply {
  const d1 = openSqliteD1();
  d1.insert('meta', { name: 'catalogue_version', value: 'one' });
  const read = async (id: string) => {
    const found = await readRegistered(d1.db, id);
    if (found === null) throw new Error(`no endpoint ${id}`);
    return found;
  };
  return {
    ...d1,
    operator(id, { teamId = null, cleanCompletions = 0, countedToMs = NOW_MS } = {}) {
      d1.insert('operators', {
        id,
        name: id,
        team_id: teamId,
        clean_completions: cleanCompletions,
        counted_to_ms: countedToMs,
        created_at_ms: NOW_MS,
      });
    },
    node(id, { linkedAtMs = NOW_MS, unlinkedAtMs = null, description = descriptionOf() } = {}) {
      d1.insert('nodes', {
        id,
        operator_id: 'op',
        public_key: 'k',
        description: JSON.stringify(description),
        drained: 0,
        joined_at_ms: NOW_MS,
        linked_at_ms: linkedAtMs,
        unlinked_at_ms: unlinkedAtMs,
      });
    },
    endpoint(id, { url, kvCache = 'fp8', capabilities = [], keySecret = null, ...row } = {}) {
      const nodeId = row.nodeId ?? null;
      const isVouched = nodeId === null && row.challenge == null && row.provenAtMs != null;
      d1.insert('endpoints', {
        id,
        provider_id: 'selfhosted',
        operator_id: row.operatorId ?? 'op',
        tag: 'selfhosted',
        supply: 'selfhosted',
        model_id: 'qwen/qwen3-8b',
        upstream_model: HONEST.model,
        url: url ?? (nodeId === null ? 'https://203.1.1.1/v1' : `tunnel:${nodeId}`),
        dialect: 'openai-chat',
        key_secret: keySecret,
        engine: nodeId === null ? null : 'vllm',
        quantization: 'fp8',
        kv_cache: kvCache,
        context: 32_768,
        max_concurrency: 4,
        capabilities: JSON.stringify(capabilities),
        jurisdiction: '[]',
        data_policy: '{"trains":null,"retention_days":null}',
        verification: 'verified',
        disabled: 0,
        source: 'registered',
      });
      d1.insert('registrations', {
        endpoint_id: id,
        operator_id: row.operatorId ?? 'op',
        node_id: nodeId,
        state: row.state ?? 'pending',
        reason: row.reason ?? null,
        since_ms: row.sinceMs ?? NOW_MS,
        challenge: row.challenge ?? null,
        proven_at_ms: row.provenAtMs ?? null,
        // Without a challenge an address is proven by a manager's word.
        vouched_by: row.vouchedBy ?? (isVouched ? 'key-admin' : null),
        vouched_at_ms: row.vouchedAtMs ?? (isVouched ? row.provenAtMs : null),
        addresses: row.addresses == null ? null : JSON.stringify(row.addresses),
        seen: row.seen == null ? null : JSON.stringify(row.seen),
        probed_at_ms: row.probedAtMs ?? null,
        next_probe_at_ms: row.nextProbeAtMs ?? NOW_MS,
        failed_probes: row.failedProbes ?? 0,
        created_at_ms: NOW_MS,
        updated_at_ms: NOW_MS,
      });
    },
    read,
    stateOf: async (id) => (await read(id)).registration.state,
    historyOf: (id) =>
      d1.rows(`select to_state from registration_events where endpoint_id = '${id}' order by id`).map((row) => String(row['to_state'])),
    catalogueVersion: () => String(d1.rows("select value from meta where name = 'catalogue_version'")[0]?.['value']),
  };
}

/** A `fetch` that stands for the network: hosts by origin, and a resolver that knows what the test says. */
export function networkOf(
  hosts: Record<string, typeof fetch>,
  dns: Record<string, string[]> = {},
): { fetch: typeof fetch; asked: string[] } {
  const asked: string[] = [];
  const reach = async (input: unknown, init?: RequestInit): Promise<Response> => {
    const url = new URL(String(input));
    asked.push(url.href);
    if (url.hostname === 'dns.example') {
      const addresses = url.searchParams.get('type') === 'A' ? dns[url.searchParams.get('name') ?? ''] : [];
      return Response.json({ Status: addresses === undefined ? 3 : 0, Answer: addresses?.map((data) => ({ type: 1, data })) ?? [] });
    }
    const host = hosts[url.origin];
    if (host === undefined) throw new TypeError('connection refused');
    return host(url.href, init);
  };
  return { fetch: reach as typeof fetch, asked };
}
