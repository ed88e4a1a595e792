/**
 * The staging of registered supply, once a minute: counts what operators have completed, lets in who has earned it, takes out whose node is lost,
 * and looks at the endpoints that are due. Every step is whole by itself; a run that dies leaves the rest to the next one.
 */
import { TRUSTED_FROM } from '#schema/staging';
import { RUNTIME_TIMERS, type Timers } from '#schema/timers';
import type { Context } from '#src/context';
import { look, takeOut, type LookPorts } from '#src/nodes/probe/look';
import { lookPortsOf, type LookHouse } from '#src/nodes/probe/look-ports';
import { countCompletions } from '#src/nodes/count-store';
import { readGraduates, readLost } from '#src/nodes/probe/probing-store';
import { changeRegistration, readDue, readOfNode, readRegistered, type RegisteredEndpoint } from '#src/nodes/register/registrations-store';
import { isServing, move } from '#src/nodes/states';
import { tellState } from '#src/nodes/link/tell-node';

/** Attempts arrive in D1 after their request by a flush and a drain; a request takes two minutes at most, but where its policy says otherwise. */
const COUNTED_AFTER_MS = 3 * 60_000;
/** A node may be away for this long, to restart or to change networks. */
const LOST_AFTER_MS = 60_000;
/** Nodes that were lost longer ago have been seen to by earlier runs. */
const LOST_LOOK_BACK_MS = 24 * 60 * 60_000;
const LOST_MAX = 100;
const PROMOTED_MAX = 200;
/** Looks of one run, at a time, and until when another one is begun: each takes up to sixteen seconds, the run twenty-five. */
const LOOKS_MAX = 40;
const PARALLEL_MAX = 4;
const LOOK_FOR_MS = 9_000;

/** What the minute uses of the context. */
export type ProbesContext = Pick<Context, 'db' | 'now' | 'random' | 'fetch' | 'secret' | 'allowedHosts' | 'log' | 'node'> &
  Pick<LookHouse, 'endpointKey' | 'say'>;

/** Does a minute's staging and probing. Rejects where D1 does not answer. */
export async function minuteOfProbes(context: ProbesContext, nowMs: number, timers: Timers = RUNTIME_TIMERS): Promise<void> {
  await countCompletions(context.db, nowMs - COUNTED_AFTER_MS);
  await promote(context, nowMs);
  await takeOutLost(context, nowMs);
  await lookAround(context, lookPortsOf(context, timers));
}

/** Ends the probation of endpoints whose operator has completed enough. */
async function promote({ db, log, node }: ProbesContext, nowMs: number): Promise<void> {
  for (const endpointId of await readGraduates(db, TRUSTED_FROM, PROMOTED_MAX)) {
    const before = (await readRegistered(db, endpointId))?.registration;
    if (before?.state !== 'probation') continue;
    const moved = move(before, 'active', { reason: null, actor: 'schedule', atMs: nowMs });
    if (moved === null) continue;
    const changed = await changeRegistration(db, { before, ...moved, changes: { ...moved.changes, reason: null }, atMs: nowMs });
    if (changed !== null) await tellState({ node, log }, before, changed);
    log({ event: 'probation_ended', endpointId });
  }
}

/** Takes the endpoints of nodes that have been away too long out of traffic. */
async function takeOutLost(context: ProbesContext, nowMs: number): Promise<void> {
  const lost = await readLost(context.db, { lostBeforeMs: nowMs - LOST_AFTER_MS, lostAfterMs: nowMs - LOST_LOOK_BACK_MS, limit: LOST_MAX });
  for (const nodeId of lost) {
    for (const found of await readOfNode(context.db, nodeId)) {
      if (isServing(found.registration.state)) await takeOut(found, { actor: 'schedule' }, context);
    }
  }
}

/** Looks at the endpoints that are due, those that have waited longest first. */
async function lookAround(context: ProbesContext, ports: LookPorts): Promise<void> {
  const untilMs = context.now() + LOOK_FOR_MS;
  const due = await readDue(context.db, context.now(), LOOKS_MAX);
  const lane = async (): Promise<void> => {
    for (let found = due.shift(); found !== undefined && context.now() < untilMs; found = due.shift()) await lookAt(found, context, ports);
  };
  await Promise.all(Array.from({ length: PARALLEL_MAX }, lane));
}

async function lookAt(found: RegisteredEndpoint, { node, log }: ProbesContext, ports: LookPorts): Promise<void> {
  const { endpointId } = found.registration;
  try {
    const looked = await look(found, { actor: 'schedule' }, ports);
    if (looked === null) return;
    const { before, registration } = looked;
    log({ event: 'endpoint_probed', endpointId, state: registration.state, failedProbes: registration.failedProbes });
    await tellState({ node, log }, before, registration);
  } catch (failure) {
    // One endpoint's trouble is not the others'.
    log({ event: 'probe_failed', endpointId, cause: failure instanceof Error ? failure.name : 'unknown' });
  }
}
