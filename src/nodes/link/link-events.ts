/** What follows when a node's link opens or breaks: its endpoints are looked at and enter the catalogue, or leave it. */
import type { Capability } from '#schema/catalog';
import { isBilledAlike } from '#schema/manifest';
import type { EngineName, NodeDescription, NodeModel } from '#schema/node';
import { SERVING_STATES, type RegistrationState } from '#schema/registration';
import type { Timers } from '#schema/timers';
import { look, takeOut, whyNotServed, type Looked, type LookPorts } from '../probe/look.ts';
import { comparedOnly } from '../probe/probe.ts';
import { readProbedNode, writeDescribed, writeLinked, writeUnlinked } from '../probe/probing-store.ts';
import { declaredOf, tagOf } from '../register/endpoint-row.ts';
import { changeRegistration, readOfNode, type RegisteredEndpoint, type StoredEndpoint } from '../register/registrations-store.ts';

/** What link events use. */
export interface LinkEventsPorts {
  db: D1Database;
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  timers: Timers;
  /** Asks the node over its link, whatever the host says: `http://node/v1/models`, `http://node/metrics`. */
  fetch: typeof fetch;
  say: LookPorts['say'];
  /** Tells the node how one of its endpoints stands. */
  tell(told: { endpoint: string; state: string; reason: string | null }): void;
  log(event: Record<string, unknown>): void;
}

/** What a node says of itself. `trouble`: why it can serve nothing now; null where it can. */
export interface ToldOfItself {
  description: NodeDescription;
  trouble: string | null;
}

/** What to call when a link opens, breaks, or its node says something of itself. */
export interface LinkEvents {
  /** Notes that a node is connected, and probes those of its endpoints that are not in traffic. Resolves when they stand where they belong. Never rejects. */
  onLinked(nodeId: string, told: ToldOfItself): Promise<void>;
  /** Notes what a connected node says of itself now: what is gone or in trouble leaves the traffic, what is new or other is probed. Never rejects. */
  onDescribed(nodeId: string, told: ToldOfItself): Promise<void>;
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

  async function arrive(nodeId: string, told: ToldOfItself): Promise<void> {
    const known = await readProbedNode(db, nodeId);
    if (known === null) return;
    await writeLinked(db, nodeId, { ...told, atMs: now() });
    await settle(nodeId, told, known.description);
  }

  async function change(nodeId: string, told: ToldOfItself): Promise<void> {
    const known = await readProbedNode(db, nodeId);
    // Whoever is not connected any more says it again when it comes.
    if (known === null || !known.isLinked) return;
    await writeDescribed(db, nodeId, told);
    await settle(nodeId, told, known.description);
  }

  /** Brings every endpoint of a node to where it belongs by what the node says, and tells the node. */
  async function settle(nodeId: string, { description, trouble }: ToldOfItself, before: NodeDescription): Promise<void> {
    const actor = `node:${nodeId}`;
    let looks = 0;
    for (const found of await readOfNode(db, nodeId)) {
      const stuck = whyNotServed(found.endpoint.upstreamModel, { description, trouble });
      const current = stuck === null ? await adopt(found, description, ports) : found;
      const { endpointId, state, reason } = current.registration;
      const isDue = !SERVING_STATES.has(state) || current !== found || isOther(found.endpoint, description, before);
      let looked: Looked | null = null;
      if (stuck !== null) looked = isUnderWay(state) ? await takeOut(current, { actor }, ports, stuck) : null;
      else if (isDue && looks++ < LOOKS_MAX) looked = await look(current, { actor, isQuick: wasWell(current, now()) }, lookPorts);
      tell({ endpoint: endpointId, state: looked?.registration.state ?? state, reason: looked ? looked.registration.reason : reason });
    }
  }

  /** One after the other: what a node says must not be overtaken by its own arrival. */
  let last = Promise.resolve();
  function inTurn(work: () => Promise<void>): Promise<void> {
    last = last.then(work);
    return last;
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
    onLinked: (nodeId, told) => inTurn(() => unlessItFails('node_linked', nodeId, arrive(nodeId, told))),
    onDescribed: (nodeId, told) => inTurn(() => unlessItFails('node_described', nodeId, change(nodeId, told))),
    onUnlinked: (nodeId) => unlessItFails('node_unlinked', nodeId, writeUnlinked(db, nodeId, now())),
  };
}

function wasWell({ registration: { seen, probedAtMs, failedProbes } }: RegisteredEndpoint, nowMs: number): boolean {
  return seen !== null && seen.completed && failedProbes === 0 && probedAtMs !== null && nowMs - probedAtMs < QUICK_WITHIN_MS;
}

/** What a drain or a quarantine has stopped stays where it is. */
function isUnderWay(state: RegistrationState): boolean {
  return state !== 'draining' && state !== 'quarantined' && state !== 'retired';
}

/** Whether the engine behind an endpoint is another one now in what no column of the endpoint says: its version, or what it holds. */
function isOther({ upstreamModel }: StoredEndpoint, now: NodeDescription, before: NodeDescription): boolean {
  const capacityIn = ({ models }: NodeDescription) => models.find((model) => model.upstreamModel === upstreamModel)?.capacity;
  return now.engine.version !== before.engine.version || JSON.stringify(capacityIn(now)) !== JSON.stringify(capacityIn(before));
}

/** Takes over what the node says of a model now, as after a restart with another cache; what was seen of the former one is forgotten, but not how it compared. */
async function adopt(
  found: RegisteredEndpoint,
  { engine, models }: NodeDescription,
  { db, now }: LinkEventsPorts,
): Promise<RegisteredEndpoint> {
  const { endpoint, registration: before } = found;
  const described = models.find(({ upstreamModel }) => upstreamModel === endpoint.upstreamModel);
  const columns = described === undefined ? {} : differences(endpoint, engine.name, described);
  if (Object.keys(columns).length === 0) return found;
  const registration = await changeRegistration(db, {
    before,
    changes: { seen: comparedOnly(before.seen?.comparison, now()) },
    event: null,
    endpoint: columns,
    atMs: now(),
  });
  return registration === null ? found : { ...found, registration, endpoint: { ...endpoint, ...columns } };
}

/** Columns of an endpoint that its node describes in another way now. */
function differences(endpoint: StoredEndpoint, engine: EngineName, described: NodeModel): Partial<StoredEndpoint> {
  const capabilities = declaredOf(described);
  const before = endpoint.capabilities as Capability[];
  // What it is billed by comes with a price, when it joins.
  const isSame = !isBilledAlike(before, capabilities) || JSON.stringify([...before].sort()) === JSON.stringify([...capabilities].sort());
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
