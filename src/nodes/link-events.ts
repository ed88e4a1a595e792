/** What follows when a node's link opens or breaks: its endpoints are looked at and enter the catalogue, or leave it. */
import type { EngineName, NodeDescription, NodeModel } from '#schema/node';
import { SERVING_STATES } from '#schema/registration';
import type { Timers } from '#schema/timers';
import { declaredOf, tagOf } from './endpoint-row.ts';
import { look, type LookPorts } from './look.ts';
import { readProbedNode, writeLinked, writeUnlinked } from './probing-store.ts';
import { changeRegistration, readOfNode, type RegisteredEndpoint, type StoredEndpoint } from './registrations-store.ts';

/** What link events use. */
export interface LinkEventsPorts {
  db: D1Database;
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  timers: Timers;
  /** Asks the node over its link, whatever the host says: `http://node/v1/models`, `http://node/metrics`. */
  fetch: typeof fetch;
  /** Tells the node how one of its endpoints stands. */
  tell(told: { endpoint: string; state: string; reason: string | null }): void;
  log(event: Record<string, unknown>): void;
}

export interface LinkEvents {
  /** Notes that a node is connected, and probes those of its endpoints that are not in traffic. Resolves when they stand where they belong. Never rejects. */
  onLinked(nodeId: string, description: NodeDescription): Promise<void>;
  /** Notes that a node's link is gone; a sweep takes its endpoints out of traffic when it stays away. Never rejects. */
  onUnlinked(nodeId: string): Promise<void>;
}

/** Who was well a day ago at most needs one good answer to be back where it was. */
const QUICK_WITHIN_MS = 24 * 60 * 60_000;
/** Endpoints of one node are looked at one after the other, because they share its GPU; the schedule looks at what is left. */
const LOOKS_MAX = 8;

/** Prepares what one NodeLink does when its link opens or breaks. */
export function createLinkEvents(ports: LinkEventsPorts): LinkEvents {
  const { db, now, tell, log } = ports;
  const lookPorts: LookPorts = {
    ...ports,
    nodeFetch: () => ports.fetch,
    keyOf: async () => null,
    // Endpoints of a node have no address that could be looked up.
    dohUrl: '',
    allowedHosts: [],
  };

  async function arrive(nodeId: string, description: NodeDescription): Promise<void> {
    const known = await readProbedNode(db, nodeId);
    if (known === null) return;
    await writeLinked(db, nodeId, description, now());
    let looks = 0;
    for (const found of await readOfNode(db, nodeId)) {
      const current = await adopt(found, description, ports);
      const { endpointId, state, reason } = current.registration;
      const isDue = !SERVING_STATES.has(state) || current !== found;
      const looked =
        isDue && looks++ < LOOKS_MAX ? await look(current, { actor: `node:${nodeId}`, isQuick: wasWell(current, now()) }, lookPorts) : null;
      tell({ endpoint: endpointId, state: looked?.registration.state ?? state, reason: looked ? looked.registration.reason : reason });
    }
  }

  async function unlessItFails(event: string, nodeId: string, work: Promise<void>): Promise<void> {
    try {
      await work;
      log({ event, nodeId });
    } catch (failure) {
      log({ event: `${event}_failed`, nodeId, cause: failure instanceof Error ? failure.name : 'unknown' });
    }
  }

  return {
    onLinked: (nodeId, description) => unlessItFails('node_linked', nodeId, arrive(nodeId, description)),
    onUnlinked: (nodeId) => unlessItFails('node_unlinked', nodeId, writeUnlinked(db, nodeId, now())),
  };
}

function wasWell({ registration: { seen, probedAtMs, failedProbes } }: RegisteredEndpoint, nowMs: number): boolean {
  return seen !== null && seen.completed && failedProbes === 0 && probedAtMs !== null && nowMs - probedAtMs < QUICK_WITHIN_MS;
}

/** Takes over what the node says of a model now, as after a restart with another cache; what was seen of the former one is forgotten. */
async function adopt(
  found: RegisteredEndpoint,
  { engine, models }: NodeDescription,
  { db, now }: LinkEventsPorts,
): Promise<RegisteredEndpoint> {
  const { endpoint, registration: before } = found;
  const described = models.find(({ upstreamModel }) => upstreamModel === endpoint.upstreamModel);
  const columns = described === undefined ? {} : differences(endpoint, engine.name, described);
  if (Object.keys(columns).length === 0) return found;
  const registration = await changeRegistration(db, { before, changes: { seen: null }, event: null, endpoint: columns, atMs: now() });
  return registration === null ? found : { ...found, registration, endpoint: { ...endpoint, ...columns } };
}

/** Columns of an endpoint that its node describes in another way now. */
function differences(endpoint: StoredEndpoint, engine: EngineName, described: NodeModel): Partial<StoredEndpoint> {
  const capabilities = declaredOf(described);
  const isSame = JSON.stringify([...endpoint.capabilities].sort()) === JSON.stringify([...capabilities].sort());
  return {
    ...(engine !== endpoint.engine && { engine }),
    ...(described.kvCache !== endpoint.kvCache && { kvCache: described.kvCache }),
    ...(described.quantization !== endpoint.quantization && {
      quantization: described.quantization,
      tag: tagOf(described.quantization),
    }),
    ...(described.context !== null && described.context !== endpoint.context && { context: described.context }),
    ...(!isSame && { capabilities }),
  };
}
