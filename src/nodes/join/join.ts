/** How a node joins: its token is taken, its endpoints are registered, and its link may open; all at once or not at all. */
import { GatewayError } from '#schema/error';
import { createOrUnavailable } from '#schema/or-unavailable';
import type { JoinNode } from '#schema/registration';
import { endpointFields, supplyEntry } from '../audit-supply.ts';
import { refuseField } from '../register/endpoint-wish.ts';
import { readAllRegistered, type RegisteredEndpoint } from '../register/registrations-store.ts';
import type { SupplyManager } from '../supply-manager.ts';
import type { SupplyPorts } from '../supply-ports.ts';
import { createBringing, NOTHING_BROUGHT, type Brought } from './brought-by-node.ts';
import { enrol, ENDPOINTS_MAX, isChanged, NODES_MAX, readTaken, type StoredNode } from './enrol-store.ts';
import { mayBring, spent, type JoinTokens } from './join-tokens.ts';
import { readManifestNode, readNode, readNodes, type KnownToken, type ManifestNode, type OwnedNode } from './nodes-store.ts';

/** A node that has joined, and the ids of its endpoints. */
export interface Joined {
  node: StoredNode;
  teamId: string | null;
  endpoints: string[];
}

/** With what a node comes: a join token, or the signature of its own key, where it belongs here already. */
export type JoinProof = { token: string | null } | { signer: SupplyManager };

/**
 * Lets nodes in; what one wishes is read once it is known that it may. Of what a node that comes with its own key does not say, price, countries
 * and concurrency stay, and what it serves as before stays where it stands. Throws GatewayError: `invalid_api_key`, `permission_denied`, `conflict`,
 * `invalid_request` with `param`, `limit_exceeded`, `ledger_unavailable`.
 */
export type Join = (proof: JoinProof, readWish: () => Promise<JoinNode>) => Promise<Joined>;

const TIMEOUT_MS = 5_000;
/** A wish that may be fulfilled. */
interface Admitted {
  wish: JoinNode;
  /** What lets it in; null where it has signed with its own key. */
  permit: KnownToken | null;
  token: string | null;
  /** Null where the manifest does not name it. */
  manifestNode: ManifestNode | null;
  operatorId: string;
}

/** How often it is made anew because a manager or a probe has changed what it would write over. */
const WRITES_MAX = 4;

/** Prepares the door. */
export function createJoin(ports: SupplyPorts, tokens: JoinTokens): Join {
  const { db, now, newId, log } = ports;
  const sentence = 'Nodes cannot join right now';
  const ask = createOrUnavailable({ sentence, event: 'joining_unavailable', timeoutMs: TIMEOUT_MS, log });
  const bring = createBringing(ports, ask);

  /** Refuses a name that is another node's, and finds the node. One that comes again has the same key; one that has left may bring a new one. */
  async function refuseOther(wish: JoinNode, operatorId: string): Promise<OwnedNode | null> {
    const known = await ask(readNode(db, wish.node));
    if (known === null) {
      const own = await ask(readNodes(db, { operatorId, teamId: null }));
      if (own.length >= NODES_MAX)
        throw new GatewayError('limit_exceeded', `An operator may have ${NODES_MAX} nodes at a time.`, { param: 'node' });
      return null;
    }
    const isSame = known.operatorId === operatorId && (known.leftAtMs !== null || known.publicKey === wish.public_key);
    if (!isSame) throw new GatewayError('conflict', 'There is another node of that name: choose another.', { param: 'node' });
    return known;
  }

  async function refuseTaken(ids: readonly string[], operatorId: string, node: string): Promise<void> {
    const [taken] = await ask(readTaken(db, ids, operatorId, node));
    if (taken !== undefined)
      throw new GatewayError('conflict', `There is an endpoint or provider called ${taken}: give the node another name.`, {
        param: 'node',
      });
  }

  /** Lets a node in. Null, and nothing is written, where somebody has changed one of its endpoints meanwhile. */
  async function letIn({ wish, permit, token, manifestNode, operatorId }: Admitted): Promise<Joined | null> {
    const present = await refuseOther(wish, operatorId);
    const teamId = manifestNode !== null ? manifestNode.ownerTeamId : permit === null ? (present?.teamId ?? null) : teamOf(permit);
    if (permit === null && present?.leftAtMs != null)
      throw new GatewayError('conflict', 'The node has left: it joins again with a token.', { param: 'node' });
    if (wish.team !== undefined && wish.team !== teamId) throw refuseField('team', 'the node is not of that team');
    const isAgain = permit === null && present !== null;
    const isKeySame = present?.publicKey === wish.public_key;

    const before = await ask(readAllRegistered(db, { operatorId, teamId: null, state: null, nodeId: wish.node, limit: ENDPOINTS_MAX }));
    const brought = manifestNode === null ? await bring(wish, { operatorId, teamId, isAgain, isKeySame }, before) : NOTHING_BROUGHT;
    const ids = brought.endpoints.map(({ id }) => id);
    await refuseTaken(ids, operatorId, wish.node);
    if (isAgain && hasNoNews(brought, before)) return { node: present, teamId, endpoints: manifestNode === null ? ids : [wish.node] };
    const nowMs = now();
    // Whoever comes with the key that the node has is the node: its link stands, and hears what is new.
    const standing = isKeySame && present?.leftAtMs === null ? present : null;
    const joinedAtMs = standing && isAgain ? standing.joinedAtMs : nowMs;
    const row = { id: wish.node, operatorId, publicKey: wish.public_key, description: wish.description, joinedAtMs };
    const anew = { drained: false, linkedAtMs: null, unlinkedAtMs: null, leftAtMs: null, trouble: null };
    const known = before.filter(({ endpoint }) => ids.includes(endpoint.id)).map(({ registration }) => registration);
    const offerOf = (id: string) => brought.offers.find(({ endpointId }) => endpointId === id) ?? null;
    const audit = supplyEntry(
      {
        action: isAgain ? 'node.update' : 'node.join',
        object: `node:${wish.node}`,
        before: null,
        after: {
          operator: operatorId,
          team: teamId,
          public_key: wish.public_key,
          engine: wish.description.engine,
          endpoints: Object.fromEntries(
            brought.endpoints.map((endpoint) => [endpoint.id, endpointFields(endpoint, { offer: offerOf(endpoint.id) }, operatorId)]),
          ),
        },
      },
      { id: newId(), actor: `node:${wish.node}`, atMs: nowMs },
    );
    try {
      // Whether it is drained, and how its link stands, is written by others, perhaps at this moment.
      const node = standing ? row : { ...row, ...anew };
      const tokenHash = permit?.hash ?? null;
      await ask(enrol(db, { ...brought, operatorId, atMs: nowMs, keys: [], places: [], node, tokenHash, known, audit }));
    } catch (failure) {
      if (await ask(isChanged(db, known))) return null;
      // Whoever was faster says why.
      if (permit !== null && (await tokens.admit(token)).usedAtMs !== null) throw spent();
      await refuseOther(wish, operatorId);
      await refuseTaken(ids, operatorId, wish.node);
      throw failure;
    }
    const link = ports.node(wish.node);
    await Promise.allSettled([ports.renewCatalogue(), standing ? link.renew(wish.description) : link.forgetKey()]);
    return {
      node: standing ? { ...withoutTeam(standing), ...row } : { ...row, ...anew },
      teamId,
      endpoints: manifestNode === null ? ids : [wish.node],
    };
  }

  return async (proof, readWish) => {
    const token = 'token' in proof ? proof.token : null;
    const permit = 'token' in proof ? await tokens.admit(token) : null;
    const signer = 'signer' in proof ? proof.signer : null;
    const wish = await readWish();
    checkModels(wish);
    const nodeId = permit?.nodeId ?? signer?.nodeId ?? null;
    if (nodeId !== null && nodeId !== wish.node)
      throw refuseField('node', permit === null ? 'the signature is that of another node' : 'the token is for a node of another name');
    const manifestNode = await ask(readManifestNode(db, wish.node));
    if (manifestNode !== null && permit !== null && !mayBring(permit, wish.node, manifestNode))
      throw new GatewayError(
        'permission_denied',
        'The node is one of the manifest’s: a manager must make its token, for exactly this node.',
        {
          param: 'node',
        },
      );
    const operatorId = permit?.operatorId ?? signer?.operatorId ?? '';
    for (let writes = 0; writes < WRITES_MAX; writes++) {
      const joined = await letIn({ wish, permit, token, manifestNode, operatorId });
      if (joined !== null) return joined;
    }
    throw new GatewayError('conflict', 'Others are changing endpoints of this node at the same time. Try again.', { param: 'node' });
  };
}

/** Finds the team of a token's operator. Throws GatewayError `invalid_api_key` where the operator is gone. */
function teamOf({ operator }: KnownToken): string | null {
  if (operator !== null) return operator.teamId;
  throw new GatewayError('invalid_api_key', 'The operator of this join token is gone.');
}

/** A node that says the same again, as after each of its starts, changes nothing; what it says of itself goes over its link. */
function hasNoNews({ endpoints, registrations, offers, held, gone }: Brought, before: readonly RegisteredEndpoint[]): boolean {
  const written = before.map(({ endpoint }) => JSON.stringify(endpoint));
  const isKnown = endpoints.every((endpoint) => written.includes(JSON.stringify(endpoint)));
  // A price that is charged as stated asks nothing, where nothing was asked before.
  const asks = [...held].some(([id, question]) => question !== null || before.some((one) => one.endpoint.id === id && one.held !== null));
  return isKnown && !asks && registrations.length + offers.length + gone.length === 0;
}

function withoutTeam({ teamId: _team, ...node }: OwnedNode): StoredNode {
  return node;
}

function checkModels({ models }: JoinNode): void {
  const names = models.map(({ upstream_model: name }) => name);
  const twice = names.findIndex((name, place) => names.indexOf(name) !== place);
  if (twice >= 0) throw refuseField(`models.${twice}.upstream_model`, 'it is given twice');
}
