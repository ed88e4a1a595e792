/** `/nodes`: machines that join over a link of their own, their tokens, and how they stand. */
import type { Context } from 'hono';
import { z } from 'zod';
import { drainNode } from '#schema/answers/operators';
import type { NodeDescription } from '#schema/node';
import { readContract } from '#schema/read-contract';
import { createJoinToken, joinNode } from '#schema/registration';
import type { JoinProof } from '#src/nodes/join/join';
import type { OwnedNode } from '#src/nodes/join/nodes-store';
import type { RegisteredEndpoint } from '#src/nodes/register/registrations-store';
import type { LinkStanding } from '#src/nodes/supply-ports';
import type { Hall } from '#src/serve';
import { bearerToken } from './bearer.ts';
import { isSigned, requireNodeManager, requireSupplyManager, waitUntilOf } from './caller.ts';
import { readBody } from './read-body.ts';
import { pageFields, toPage } from './read-page.ts';
import { readQuery } from './read-query.ts';
import { toRegisteredBody } from './registered-endpoint-body.ts';

const BODY_BYTES_MAX = 16 * 1024;
/** Fifty models with all that their node says of them. */
const JOIN_BYTES_MAX = 256 * 1024;

/** Makes a join token: 201, with the token for the only time. */
export async function serveCreateJoinToken(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireSupplyManager(hall, c);
  const wish = readContract(createJoinToken, await readBody(c.req.raw, BODY_BYTES_MAX));
  const { token, expiresAtMs, operatorId } = await hall.register.tokens.mint(manager, wish);
  return c.json({ token, expires_at: new Date(expiresAtMs).toISOString(), operator: operatorId }, 201);
}

/** Lets a node in that brings a join token, or one that signs with the key that it has here: 201. */
export async function serveJoinNode(hall: Hall, c: Context): Promise<Response> {
  const readWish = async () => readContract(joinNode, await readBody(c.req.raw, JOIN_BYTES_MAX));
  const { node, teamId, endpoints } = await hall.register.join(await proofOf(hall, c), readWish);
  const body = toNodeBody({ ...node, teamId }, { standing: UNLINKED, endpoints: await hall.register.nodes.endpoints([node.id]) });
  const link = `/v1/nodes/${encodeURIComponent(node.id)}/link`;
  return c.json({ data: body, endpoints, router: new URL(c.req.url).origin, link }, 201);
}

async function proofOf(hall: Hall, c: Context): Promise<JoinProof> {
  const authorization = c.req.header('authorization') ?? '';
  if (!isSigned(authorization)) return { token: bearerToken(c.req.raw.headers) };
  return { signer: await hall.register.nodes.authenticate({ authorization, method: c.req.method, path: c.req.path }) };
}

/** Query of `GET /nodes`: a node brings all its endpoints along. */
export const nodesQuery = z.strictObject(pageFields(100)).meta({ id: 'NodesQuery' });

/** Lists nodes by id, a page at a time, as they were when their links last opened or closed. */
export async function serveNodes(hall: Hall, c: Context): Promise<Response> {
  const { cursor: afterId = null, limit } = readQuery(nodesQuery, c);
  const manager = await requireNodeManager(hall, c);
  const page = toPage(await hall.register.nodes.list(manager, { afterId, limit: limit + 1 }), limit);
  const endpoints = await hall.register.nodes.endpoints(page.data.map(({ id }) => id));
  const byNode = Map.groupBy(endpoints, ({ registration }) => registration.nodeId ?? '');
  return c.json({
    ...page,
    data: page.data.map((node) => toNodeBody(node, { standing: noted(node), endpoints: byNode.get(node.id) ?? [] })),
  });
}

/** Describes a node as its link says now. Absent and out of reach are the same 404. */
export async function serveNode(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireNodeManager(hall, c);
  return c.json({ data: await describe(hall, await hall.register.nodes.find(manager, idOf(c))) });
}

/** Lets a node finish and sends it nothing new, or takes that back. */
export async function serveDrainNode(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireNodeManager(hall, c);
  const { on } = readContract(drainNode, await readBody(c.req.raw, BODY_BYTES_MAX));
  const node = await hall.register.nodes.drain(manager, idOf(c), on);
  if (!on) waitUntilOf(c)(lookAtAll(hall, node.id));
  return c.json({ data: await describe(hall, node) });
}

/** Takes a node out of the deployment; its endpoints retire. */
export async function serveLeaveNode(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireNodeManager(hall, c);
  await hall.register.nodes.leave(manager, idOf(c));
  return c.json({ deleted: true });
}

async function lookAtAll(hall: Hall, nodeId: string): Promise<void> {
  try {
    for (const found of await hall.register.nodes.endpoints([nodeId]))
      if (found.registration.state === 'probing') await hall.register.look(found, 'probe');
  } catch (failure) {
    hall.log({ event: 'probe_failed', nodeId, cause: failure instanceof Error ? failure.name : 'unknown' });
  }
}

async function describe(hall: Hall, node: OwnedNode): Promise<ReturnType<typeof toNodeBody>> {
  const [standing, endpoints] = await Promise.all([hall.register.nodes.status(node.id), hall.register.nodes.endpoints([node.id])]);
  return toNodeBody(node, { standing, endpoints });
}

/** How a link stands, as far as that is known. */
type Known = Omit<LinkStanding, 'streams'> & { streams: number | null };

const UNLINKED: Known = { linked: false, linkedAtMs: null, draining: false, trouble: null, streams: 0, load: null };

/** What D1 says of a link: when it was last opened and closed. */
function noted({ linkedAtMs, unlinkedAtMs, drained, trouble }: OwnedNode): Known {
  const linked = linkedAtMs !== null && (unlinkedAtMs === null || unlinkedAtMs < linkedAtMs);
  return { linked, linkedAtMs, draining: drained, trouble: linked ? trouble : null, streams: null, load: null };
}

function toNodeBody(node: OwnedNode, { standing, endpoints }: { standing: Known | null; endpoints: readonly RegisteredEndpoint[] }) {
  const linkedAtMs = standing?.linkedAtMs ?? null;
  const load = standing?.load ?? null;
  return {
    id: node.id,
    operator: node.operatorId,
    linked: standing?.linked ?? null,
    linked_at: linkedAtMs === null ? null : new Date(linkedAtMs).toISOString(),
    draining: node.drained || standing?.draining === true,
    trouble: standing?.trouble ?? null,
    streams: standing?.streams ?? null,
    load: load && { running: load.running, waiting: load.waiting, kv_usage: load.kvUsage },
    joined_at: new Date(node.joinedAtMs).toISOString(),
    description: node.description as NodeDescription,
    endpoints: endpoints.map((endpoint) => toRegisteredBody(endpoint)),
  };
}

function idOf(c: Context): string {
  return c.req.param('id') ?? '';
}
