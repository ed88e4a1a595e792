/** What a NodeLink reads of its node in D1. */
import { and, eq, isNull, ne } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { NodeLoadReport } from '#schema/node-load-report';
import { TUNNEL_SCHEME } from '#schema/registration';
import { nodes, registrations } from '#schema/supply-tables';
import { endpoints } from '#schema/tables';
import { within } from '#schema/within';

/** Endpoints of one node that are known here at most; the wire names no more. */
const ENDPOINTS_MAX = 200;
const READ_TIMEOUT_MS = 5_000;

/** A node that belongs to this deployment. */
export interface KnownNode {
  /** Ed25519, raw, base64. */
  publicKey: string;
  /** Its operator wants it to get nothing new. */
  drained: boolean;
  /** What stands on it: registered with it, or under its name in the manifest. */
  endpoints: NodeLoadReport['endpoints'];
}

/** Finds a node; null where there is none of that name, or it has left. Never rejects. */
export async function findNode(db: D1Database, nodeId: string): Promise<KnownNode | null | 'unreadable'> {
  return within(readKnownNode(db, nodeId), READ_TIMEOUT_MS).catch(() => 'unreadable' as const);
}

async function readKnownNode(db: D1Database, nodeId: string): Promise<KnownNode | null> {
  const orm = drizzle(db);
  const named = { endpointId: endpoints.id, modelId: endpoints.modelId, operatorId: endpoints.operatorId };
  const [[node], registered, written] = await orm.batch([
    orm
      .select({ publicKey: nodes.publicKey, drained: nodes.drained })
      .from(nodes)
      .where(and(eq(nodes.id, nodeId), isNull(nodes.leftAtMs))),
    orm
      .select(named)
      .from(registrations)
      .innerJoin(endpoints, eq(endpoints.id, registrations.endpointId))
      .where(and(eq(registrations.nodeId, nodeId), ne(registrations.state, 'retired')))
      .limit(ENDPOINTS_MAX),
    orm
      .select(named)
      .from(endpoints)
      .where(and(eq(endpoints.id, nodeId), eq(endpoints.url, TUNNEL_SCHEME + nodeId))),
  ]);
  if (node === undefined) return null;
  const standing = new Map([...written, ...registered].map((endpoint) => [endpoint.endpointId, endpoint]));
  return { ...node, endpoints: [...standing.values()].slice(0, ENDPOINTS_MAX) };
}
