/** Nodes that have joined: who they are, how their links stand, and how they leave. */
import { GatewayError } from '#schema/error';
import { requestStatement } from '#schema/node-link';
import { createOrUnavailable } from '#schema/or-unavailable';
import { within } from '#schema/within';
import { supplyEntry, type Fields, type SupplyAction } from '../audit-supply.ts';
import { tellNode } from '../link/tell-node.ts';
import {
  changeRegistration,
  readOfNode,
  readOfNodes,
  type RegisteredEndpoint,
  type StoredRegistration,
} from '../register/registrations-store.ts';
import { move, NODE_DRAINED } from '../states.ts';
import { mayTouch, type SupplyManager } from '../supply-manager.ts';
import type { LinkPort, LinkStanding, SupplyPorts } from '../supply-ports.ts';
import { readNode, readNodes, writeDrained, writeLeft, type OwnedNode } from './nodes-store.ts';
import { isSignedBy } from './signature.ts';

/** Every method throws GatewayError: `not_found`, also for what is out of reach, `invalid_api_key`, `ledger_unavailable`. */
export interface Nodes {
  /** Finds who signed a request of a node: `Node <id>.<epoch ms>.<signature in base64url>`, at most a minute old, bound to method and path. */
  authenticate(signed: { authorization: string; method: string; path: string }): Promise<SupplyManager>;
  list(manager: SupplyManager, page: { afterId: string | null; limit: number }): Promise<OwnedNode[]>;
  find(manager: SupplyManager, id: string): Promise<OwnedNode>;
  endpoints(ids: readonly string[]): Promise<RegisteredEndpoint[]>;
  /** Asks a node's link how it stands; null when it does not answer in time. */
  status(id: string): Promise<LinkStanding | null>;
  /** Lets a node finish and gives it nothing new, or takes that back: its endpoints are then looked at again. */
  drain(manager: SupplyManager, id: string, on: boolean): Promise<OwnedNode>;
  /** Takes a node out; its endpoints retire. */
  leave(manager: SupplyManager, id: string): Promise<OwnedNode>;
}

const SIGNED_SHAPE = /^node +([A-Za-z0-9][A-Za-z0-9._-]{0,63})\.(\d{13})\.([\w-]{86})={0,2}$/i;
/** How far a node's clock may be from ours. */
const CLOCK_MS_MAX = 60_000;
const TIMEOUT_MS = 5_000;
/** How often endpoints are moved anew because somebody else changed one of them meanwhile. */
const WRITES_MAX = 3;
const STATUS_TIMEOUT_MS = 2_000;
const LEFT = 'it has left';

/** Opens the management of nodes. */
export function createNodes({ db, now, newId, log, node: linkOf, renewCatalogue }: SupplyPorts): Nodes {
  const sentence = 'Nodes cannot be read or written right now';
  const ask = createOrUnavailable({ sentence, event: 'nodes_unavailable', timeoutMs: TIMEOUT_MS, log });

  async function find(manager: SupplyManager, id: string): Promise<OwnedNode> {
    const isOwn = manager.nodeId === undefined || manager.nodeId === id;
    const node = isOwn ? await ask(readNode(db, id)) : null;
    if (node !== null && node.leftAtMs === null && mayTouch(manager, node)) return node;
    throw new GatewayError('not_found', 'No node of that id was found.', { param: 'id' });
  }

  function entryOf(manager: SupplyManager, action: SupplyAction, id: string, before: Fields, after: Fields) {
    return supplyEntry({ action, object: `node:${id}`, before, after }, { id: newId(), actor: manager.actor, atMs: now() });
  }

  const tell = (id: string, what: (link: LinkPort) => Promise<unknown>): Promise<void> => tellNode({ node: linkOf, log }, id, what);

  async function moveEndpoints(manager: SupplyManager, id: string, on: boolean): Promise<void> {
    for (let writes = 0, isDone = false; !isDone && writes < WRITES_MAX; writes++) {
      const moves = (await ask(readOfNode(db, id))).map(({ registration }) => moveEndpoint(manager, registration, on));
      isDone = (await Promise.all(moves)).every((done) => done);
    }
  }

  /** False where somebody else, such as a probe, has changed it meanwhile. */
  async function moveEndpoint({ actor }: SupplyManager, before: StoredRegistration, on: boolean): Promise<boolean> {
    // What was drained by itself stays so.
    if (!on && (before.state !== 'draining' || before.reason !== NODE_DRAINED)) return true;
    const [to, reason] = on ? (['draining', NODE_DRAINED] as const) : (['probing', null] as const);
    const moved = move(before, to, { reason, actor, atMs: now() });
    if (moved?.event == null) return true;
    const changes = { ...moved.changes, ...(!on && { nextProbeAtMs: now() }) };
    return (await ask(changeRegistration(db, { before, changes, event: moved.event, atMs: now() }))) !== null;
  }

  return {
    async authenticate({ authorization, method, path }) {
      const [, id, at, signature] = SIGNED_SHAPE.exec(authorization.trim()) ?? [];
      if (id === undefined || at === undefined || signature === undefined) throw refuseSignature();
      const atMs = Number(at);
      if (Math.abs(now() - atMs) > CLOCK_MS_MAX)
        throw new GatewayError('invalid_api_key', 'The signature is more than a minute old, or the clock of the node is wrong.');
      const node = await ask(readNode(db, id));
      const statement = requestStatement({ node: id, atMs, method, path });
      const isGood = node !== null && node.leftAtMs === null && (await isSignedBy(node.publicKey, toBase64(signature), statement));
      if (!isGood) throw refuseSignature();
      return { actor: `node:${id}`, operatorId: node.operatorId, teamId: null, nodeId: id };
    },
    list: async (manager, page) => {
      if (manager.nodeId !== undefined) return [await find(manager, manager.nodeId)];
      return ask(readNodes(db, manager, page));
    },
    find,
    endpoints: (ids) => ask(readOfNodes(db, ids)),

    async status(id) {
      try {
        return await within(linkOf(id).status(), STATUS_TIMEOUT_MS);
      } catch {
        return null;
      }
    },

    async drain(manager, id, on) {
      const node = await find(manager, id);
      const entry = entryOf(manager, 'node.drain', id, { drained: node.drained }, { drained: on });
      if (!(await ask(writeDrained(db, id, on, entry)))) return find(manager, id);
      await moveEndpoints(manager, id, on);
      await Promise.all([renewCatalogue(), tell(id, (link) => link.drain(on))]);
      return { ...node, drained: on };
    },

    async leave(manager, id) {
      const node = await find(manager, id);
      const entry = entryOf(manager, 'node.leave', id, { operator: node.operatorId, team: node.teamId }, null);
      await ask(writeLeft(db, id, 'its node has left', entry));
      await Promise.all([renewCatalogue(), tell(id, (link) => link.leave(LEFT))]);
      return { ...node, leftAtMs: now() };
    },
  };
}

function toBase64(base64Url: string): string {
  return `${base64Url.replaceAll('-', '+').replaceAll('_', '/')}==`;
}

/** The same for a node that nobody knows and a signature that is not its own. */
function refuseSignature(): GatewayError {
  return new GatewayError('invalid_api_key', 'The node is unknown here, or the signature is not its own.');
}
