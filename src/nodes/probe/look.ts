/** One look at a registered endpoint: is it still its operator's, what does a probe see, and where does it stand from now on? */
import type { NodeDescription, NodeModel } from '#schema/node';
import { NODE_URL } from '#schema/node-link';
import type { ProbeReport } from '#schema/probe';
import type { RegistrationState } from '#schema/registration';
import { prove, type ProvePorts } from '../address/prove.ts';
import { readShared, type Place } from '../address/shared-address-store.ts';
import { placeOf } from '../address/shared-address.ts';
import {
  changeRegistration,
  readRegistered,
  type RegisteredEndpoint,
  type RegistrationChanges,
  type StoredEndpoint,
  type StoredRegistration,
} from '../register/registrations-store.ts';
import { isServing, mayMove, move, NODE_DRAINED, type Step } from '../states.ts';
import { FAILED_PROBES_MAX, judge, type Judgement } from './judge.ts';
import { probe, unprobed } from './probe.ts';
import { readProbedNode } from './probing-store.ts';
import type { ProbePorts, ProbeTarget } from './target.ts';

/** Nobody else looks at an endpoint for as long as this once a look has begun; a look takes less. */
const LEASE_MS = 30_000;
/** A challenge is asked for often at first, then ever more rarely. */
const UNPROVEN_PAUSE_MIN_MS = 60_000;
const UNPROVEN_PAUSE_MAX_MS = 60 * 60_000;
const LOST_PAUSE_MS = 60 * 60_000;
const UNKNOWN_PAUSE_MS = 60_000;
const HOUR_MS = 60 * 60_000;
/** How often a verdict is written anew because something else of the endpoint was changed meanwhile, such as its price. */
const WRITES_MAX = 5;

/** What a look uses. */
export interface LookPorts extends ProbePorts, ProvePorts {
  db: D1Database;
  /** The link of a node, as a `fetch` for its own paths. */
  nodeFetch(nodeId: string): typeof fetch;
  /** Opens the key that an endpoint asks for: null where it asks for none, undefined where it cannot be opened. */
  keyOf(endpoint: StoredEndpoint): Promise<string | null | undefined>;
}

export interface Looked {
  before: StoredRegistration;
  registration: StoredRegistration;
  /** Null where there was nothing to probe: not proven, not connected. */
  report: ProbeReport | null;
}

/** `actor`: who asks, for the history. `isQuick`: one answer is enough, because not long ago all was well. */
export interface LookWish {
  actor: string;
  isQuick?: boolean;
}

/**
 * Looks at an endpoint now and writes down what follows. Null where somebody else is at it, or has changed it meanwhile; nothing is half written.
 * Draining and retired endpoints are not looked at, nor are those that a manager has quarantined.
 */
export async function look(found: RegisteredEndpoint, wish: LookWish, ports: LookPorts): Promise<Looked | null> {
  const { endpoint, registration } = found;
  if (!isProbeable(registration)) return postpone(found, ports);
  const held = await lease(registration, ports);
  if (held === null) return null;
  const leased = { ...found, registration: held };

  if (held.nodeId === null) {
    const proven = await prove(endpoint.url, held, ports);
    if (proven.kind !== 'proven') return turnAway(leased, proven, wish, ports);
    const place = placeAt(leased, ports);
    if (!isServing(held.state) && (await readShared(ports.db, place)) !== null) return keepOut(leased, wish, ports);
    return probeIt(leased, { ...wish, proof: proven.changes, place, node: null, fetch: ports.fetch }, ports);
  }
  const node = await readProbedNode(ports.db, held.nodeId);
  if (node === null || !node.isLinked) return takeOut(leased, wish, ports);
  if (node.isDrained && held.state !== 'quarantined')
    return write(leased, { to: 'draining', reason: NODE_DRAINED, actor: wish.actor, changes: {}, report: null }, ports);
  const stuck = whyNotServed(endpoint.upstreamModel, node);
  if (stuck !== null) return takeOut(leased, wish, ports, stuck);
  const described = node.description.models.find(({ upstreamModel }) => upstreamModel === endpoint.upstreamModel) ?? null;
  return probeIt(leased, { ...wish, proof: {}, node: described, fetch: ports.nodeFetch(held.nodeId) }, ports);
}

/** Says why a node does not serve a model now, by what it says itself; null where it does. */
export function whyNotServed(
  upstreamModel: string,
  { description, trouble }: { description: NodeDescription; trouble: string | null },
): string | null {
  if (trouble !== null) return `its node: ${trouble}`;
  return description.models.some((model) => model.upstreamModel === upstreamModel) ? null : 'its node does not have its model now';
}

/** Takes an endpoint out of traffic because its node is not connected, or cannot serve it; it comes back with its node. */
export function takeOut(
  found: RegisteredEndpoint,
  wish: LookWish,
  ports: Pick<LookPorts, 'db' | 'now'>,
  reason = 'its node is not connected',
): Promise<Looked | null> {
  const nowMs = ports.now();
  const to: RegistrationState = found.registration.state === 'quarantined' ? 'quarantined' : 'pending';
  return write(found, { to, reason, actor: wish.actor, changes: { nextProbeAtMs: nowMs + LOST_PAUSE_MS }, report: null }, ports);
}

/** Where an endpoint stands that asks to come into traffic. */
function placeAt({ endpoint, registration: { operatorId, vouchedAtMs } }: RegisteredEndpoint, { allowedHosts }: LookPorts): Place {
  return placeOf(endpoint, { operatorId, isManagers: vouchedAtMs !== null, isRegistered: true, allowedHosts });
}

/** Keeps an endpoint out whose machine serves the model already, in another operator's name (R6). */
function keepOut(found: RegisteredEndpoint, { actor }: LookWish, ports: LookPorts): Promise<Looked | null> {
  const to: RegistrationState = found.registration.state === 'quarantined' ? 'quarantined' : 'pending';
  const changes = { nextProbeAtMs: ports.now() + LOST_PAUSE_MS };
  return write(found, { to, reason: 'another endpoint serves this model at its address', actor, changes, report: null }, ports);
}

/** A quarantine that failed probes have not brought about is a manager's, and only a manager ends it. */
function isProbeable({ state, failedProbes }: StoredRegistration): boolean {
  return state !== 'retired' && state !== 'draining' && (state !== 'quarantined' || failedProbes >= FAILED_PROBES_MAX);
}

async function postpone({ registration: before }: RegisteredEndpoint, { db, now }: LookPorts): Promise<null> {
  await changeRegistration(db, { before, changes: { nextProbeAtMs: now() + LOST_PAUSE_MS }, event: null, atMs: now() });
  return null;
}

/** Puts the next look off, so that nobody else begins one: a run that dies leaves an endpoint that is due again soon. */
function lease(before: StoredRegistration, { db, now }: LookPorts): Promise<StoredRegistration | null> {
  return changeRegistration(db, { before, changes: { nextProbeAtMs: now() + LEASE_MS }, event: null, atMs: now() });
}

/** What an address that may not be called now means for the endpoint. */
function turnAway(
  found: RegisteredEndpoint,
  { kind, reason }: { kind: 'unproven' | 'refused' | 'unknown'; reason: string },
  { actor }: LookWish,
  ports: LookPorts,
): Promise<Looked | null> {
  const { state, sinceMs } = found.registration;
  const nowMs = ports.now();
  const failedProbes = found.registration.failedProbes + 1;
  if (kind === 'refused') {
    const changes = { failedProbes: FAILED_PROBES_MAX, nextProbeAtMs: nowMs + HOUR_MS };
    return write(found, { to: 'quarantined', reason: `its address: ${reason}`, actor, changes, report: null }, ports);
  }
  // A name that stays unknown would be a way to serve and never be looked at.
  const mayStay = kind === 'unknown' && isServing(state) && failedProbes < FAILED_PROBES_MAX;
  const stays = state === 'quarantined' || mayStay;
  const waitedMs = state === 'pending' ? nowMs - sinceMs : 0;
  const pauseMs = kind === 'unknown' ? UNKNOWN_PAUSE_MS : Math.min(UNPROVEN_PAUSE_MAX_MS, Math.max(UNPROVEN_PAUSE_MIN_MS, waitedMs / 10));
  const changes = {
    nextProbeAtMs: nowMs + Math.round(pauseMs),
    ...(isServing(state) && { failedProbes: mayStay ? failedProbes : 0 }),
    ...(kind === 'unproven' && { provenAtMs: null }),
  };
  const words = kind === 'unproven' ? `not proven: ${reason}` : `its address: ${reason}`;
  return write(found, { to: stays ? state : 'pending', reason: words, actor, changes, report: null }, ports);
}

interface ProbeWish extends LookWish {
  proof: RegistrationChanges;
  /** Where it stands; absent for nodes. */
  place?: Place;
  node: NodeModel | null;
  fetch: typeof fetch;
}

async function probeIt(
  found: RegisteredEndpoint,
  { actor, isQuick = false, proof, place, node, fetch }: ProbeWish,
  ports: LookPorts,
): Promise<Looked | null> {
  const { endpoint, registration, operator } = found;
  const key = await ports.keyOf(endpoint);
  const probePorts = { fetch, now: ports.now, timers: ports.timers, random: ports.random, say: ports.say };
  const report =
    key === undefined
      ? unprobed(ports.now(), { what: 'reachable', declared: null, seen: 'its key cannot be opened', severity: 'fatal' })
      : await probe(targetOf(endpoint, registration, key), probePorts, isQuick ? 'quick' : 'thorough');
  const judged = judge({
    state: registration.state,
    failedProbes: registration.failedProbes,
    isVouchedFor: registration.vouchedAtMs !== null,
    operator: operator ?? { teamId: null, cleanCompletions: 0 },
    before: registration.seen,
    expectedBefore: registration.expected,
    report,
    node,
    nowMs: ports.now(),
    random: ports.random(),
  });
  return write(
    found,
    { to: judged.state, reason: judged.reason, actor, changes: { ...proof, ...columnsOf(judged), probedAtMs: ports.now() }, report, place },
    ports,
  );
}

function columnsOf({ seen, expected, capacity, failedProbes, nextProbeAtMs }: Judgement): RegistrationChanges {
  return { seen, expected, capacity, failedProbes, nextProbeAtMs };
}

function targetOf(endpoint: StoredEndpoint, { nodeId }: StoredRegistration, key: string | null): ProbeTarget {
  return {
    url: nodeId === null ? endpoint.url : NODE_URL,
    dialect: endpoint.dialect as ProbeTarget['dialect'],
    upstreamModel: endpoint.upstreamModel,
    engine: endpoint.engine,
    key,
    declared: {
      context: endpoint.context,
      quantization: endpoint.quantization as ProbeTarget['declared']['quantization'],
      kvCache: endpoint.kvCache as ProbeTarget['declared']['kvCache'],
      capabilities: endpoint.capabilities as ProbeTarget['declared']['capabilities'],
      maxConcurrency: endpoint.maxConcurrency,
    },
  };
}

interface Outcome {
  to: RegistrationState;
  reason: string | null;
  actor: string;
  changes: RegistrationChanges;
  report: ProbeReport | null;
  /** The place that it takes where it comes into traffic. */
  place?: Place | undefined;
}

/** Writes what follows, as long as it is of the endpoint as it was looked at: no stream of small changes keeps a verdict away. */
async function write(found: RegisteredEndpoint, outcome: Outcome, ports: Pick<LookPorts, 'db' | 'now'>): Promise<Looked | null> {
  let current: RegisteredEndpoint | null = found;
  for (let writes = 0; writes < WRITES_MAX && current !== null && isAsLookedAt(current, found); writes++) {
    const looked = await writeOnce(current.registration, outcome, ports);
    if (looked !== null) return { ...looked, before: found.registration };
    current = await readRegistered(ports.db, found.registration.endpointId);
  }
  return null;
}

/** Tells whether an endpoint stands where it stood when it was looked at, is the same, and nobody else has looked at it since. */
function isAsLookedAt(current: RegisteredEndpoint, found: RegisteredEndpoint): boolean {
  const partsOf = ({ endpoint, registration }: RegisteredEndpoint) => [
    registration.state,
    registration.probedAtMs,
    registration.challenge,
    endpoint.modelId,
    endpoint.keySecret,
    targetOf(endpoint, registration, null),
  ];
  return JSON.stringify(partsOf(current)) === JSON.stringify(partsOf(found));
}

/** Writes it once, by way of `probing` where the table of transitions asks for it. */
async function writeOnce(
  before: StoredRegistration,
  { to, reason, actor, changes, report, place }: Outcome,
  ports: Pick<LookPorts, 'db' | 'now'>,
): Promise<Looked | null> {
  const step: Step = { reason, actor, atMs: ports.now() };
  let from = before;
  if (!mayMove(from.state, to)) {
    const onTheWay = move(from, 'probing', { ...step, reason: null });
    const between = onTheWay && (await changeRegistration(ports.db, { before, ...onTheWay, atMs: step.atMs }));
    if (between === null) return null;
    from = between;
  }
  const moved = move(from, to, step);
  if (moved === null) return null;
  // A reason holds only while it is true.
  const registration = await changeRegistration(ports.db, {
    before: from,
    changes: { ...changes, ...moved.changes, reason: step.reason },
    event: moved.event,
    atMs: step.atMs,
    place: isServing(to) && !isServing(before.state) ? place : undefined,
  });
  return registration && { before, registration, report };
}
