/** `/endpoints`: endpoints that operators register, and how they stand. */
import type { Context } from 'hono';
import { z } from 'zod';
import { GatewayError } from '#schema/error';
import { readContract } from '#schema/read-contract';
import { createEndpoint, registrationState, updateEndpoint } from '#schema/registration';
import type { RegisteredEndpoint } from '#src/nodes/register/registrations-store';
import type { Hall } from '#src/serve';
import { requireSupplyManager, waitUntilOf } from './caller.ts';
import { readBody } from './read-body.ts';
import { pageFields, toPage } from './read-page.ts';
import { readQuery } from './read-query.ts';
import { toRegisteredBody } from './registered-endpoint-body.ts';

const BODY_BYTES_MAX = 64 * 1024;
const LIST_MAX = 1_000;
/** A probe costs the endpoint real completions: the next one waits. */
const PROBE_EVERY_MS = 10_000;

/** Query of `GET /endpoints`. */
export const registeredQuery = z
  .strictObject({
    operator: z.string().max(64).optional().describe('Only this operator’s.'),
    state: registrationState.optional().describe('Only those in this state.'),
    node: z.string().max(64).optional().describe('Only those of this node.'),
    ...pageFields(LIST_MAX),
  })
  .meta({ id: 'RegisteredEndpointsQuery' });

/** Lists registered endpoints by id, a page at a time, as far as the caller may manage them. */
export async function serveRegisteredEndpoints(hall: Hall, c: Context): Promise<Response> {
  const { operator = null, state = null, node = null, cursor: afterId = null, limit } = readQuery(registeredQuery, c);
  const manager = await requireSupplyManager(hall, c);
  const isForeign = manager.operatorId !== null && operator !== null && operator !== manager.operatorId;
  const found = isForeign
    ? []
    : await hall.register.endpoints.list(manager, { operatorId: operator, state, nodeId: node, afterId, limit: limit + 1 });
  return c.json(
    toPage(
      found.map((one) => toRegisteredBody(one)),
      limit,
    ),
  );
}

/** Registers an endpoint: 201. Where a manager vouches for it, its first probe begins at once. */
export async function serveRegisterEndpoint(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireSupplyManager(hall, c);
  const wish = readContract(createEndpoint, await readBody(c.req.raw, BODY_BYTES_MAX));
  const made = await hall.register.endpoints.create(manager, wish, c.req.url);
  lookSoon(hall, c, made);
  return c.json({ data: toRegisteredBody(made) }, 201);
}

/** Describes a registered endpoint with its history. Absent and out of reach are the same 404. */
export async function serveRegisteredEndpoint(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireSupplyManager(hall, c);
  const found = await hall.register.endpoints.find(manager, idOf(c));
  return c.json({ data: toRegisteredBody(found, await hall.register.endpoints.history(found.endpoint.id)) });
}

/** Changes what the body names. */
export async function serveChangeEndpoint(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireSupplyManager(hall, c);
  const wish = readContract(updateEndpoint, await readBody(c.req.raw, BODY_BYTES_MAX));
  const changed = await hall.register.endpoints.change(manager, idOf(c), wish, c.req.url);
  lookSoon(hall, c, changed);
  return c.json({ data: toRegisteredBody(changed) });
}

/** Retires an endpoint; its history and its receipts stay. */
export async function serveRetireEndpoint(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireSupplyManager(hall, c);
  return c.json({ data: toRegisteredBody(await hall.register.endpoints.retire(manager, idOf(c))) });
}

/** Looks at an endpoint now, its challenge first where it has one, and tells what was seen. */
export async function serveProbeEndpoint(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireSupplyManager(hall, c);
  const found = await hall.register.endpoints.find(manager, idOf(c));
  const retryAfterS = Math.ceil(((found.registration.probedAtMs ?? -Infinity) + PROBE_EVERY_MS - hall.now()) / 1_000);
  if (retryAfterS > 0)
    throw new GatewayError('limit_exceeded', `The endpoint has just been probed. Try again in ${retryAfterS} s.`, { retryAfterS });
  const looked = await hall.register.look(found, manager.actor);
  const after = await hall.register.endpoints.find(manager, idOf(c));
  return c.json({ data: toRegisteredBody(after), report: looked?.report ?? null });
}

/** Probes an endpoint behind the answer where that is its next step; the schedule does it otherwise. */
function lookSoon(hall: Hall, c: Context, found: RegisteredEndpoint): void {
  if (found.registration.state !== 'probing') return;
  const work = hall.register.look(found, 'probe').catch((failure: unknown) => {
    hall.log({ event: 'probe_failed', endpointId: found.endpoint.id, cause: failure instanceof Error ? failure.name : 'unknown' });
  });
  waitUntilOf(c)(work);
}

function idOf(c: Context): string {
  return c.req.param('id') ?? '';
}
