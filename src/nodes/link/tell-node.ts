/** What a node is told over its link. A node that cannot be told reads it when it comes again: nothing waits for it, and nothing fails. */
import { within } from '#schema/within';
import type { StoredRegistration } from '../register/registrations-store.ts';
import type { LinkPort } from '../supply-ports.ts';

const TIMEOUT_MS = 2_000;

/** What telling uses. `Link`: as much of a link as is told. */
export interface TellPorts<Link> {
  node(nodeId: string): Link;
  log(event: Record<string, unknown>): void;
}

/** Tells the link of a node something. Never rejects. */
export async function tellNode<Link>(
  { node, log }: TellPorts<Link>,
  nodeId: string,
  what: (link: Link) => Promise<unknown>,
): Promise<void> {
  try {
    await within(what(node(nodeId)), TIMEOUT_MS);
  } catch (failure) {
    log({ event: 'node_not_told', nodeId, cause: failure instanceof Error ? failure.name : 'unknown' });
  }
}

/** Tells a node where one of its endpoints stands from now on, if that has changed; endpoints at addresses of their own have nobody to tell. Never rejects. */
export async function tellState(
  ports: TellPorts<Pick<LinkPort, 'tell'>>,
  before: StoredRegistration,
  now: StoredRegistration,
): Promise<void> {
  const { nodeId, endpointId, state, reason } = now;
  if (nodeId === null || state === before.state) return;
  await tellNode(ports, nodeId, (link) => link.tell({ endpoint: endpointId, state, reason }));
}
