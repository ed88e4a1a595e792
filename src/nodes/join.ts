/** How a node joins: its token is taken, its endpoints are registered, and its link may open; all at once or not at all. */
import { GatewayError } from '#schema/error';
import type { ExpectedService, NodeModel } from '#schema/node';
import { createOrUnavailable } from '#schema/or-unavailable';
import { TUNNEL_SCHEME, type CreateEndpoint, type JoinNode } from '#schema/registration';
import { endpointFields, supplyEntry } from './audit-supply.ts';
import { toNodeEndpointRow } from './endpoint-row.ts';
import { checkPublicPrice, refuseField } from './endpoint-wish.ts';
import { enrol, ENDPOINTS_MAX, NODES_MAX, readTaken, type Enrolment, type StoredNode } from './enrol-store.ts';
import { mayBring, spent, type JoinTokens } from './join-tokens.ts';
import { newRegistration } from './new-registration.ts';
import { readKnownModels, readManifestNode, readNode, readNodes, type KnownToken } from './nodes-store.ts';
import { toOfferRow } from './price-row.ts';
import { quarantineOf, readQuarantines } from './quarantine-store.ts';
import { readAllRegistered, type RegisteredEndpoint } from './registrations-store.ts';
import { endpointIdsOf } from './slug.ts';
import { begin, move } from './states.ts';
import type { SupplyPorts } from './supply-ports.ts';

/** A node that has joined, and the ids of its endpoints. */
export interface Joined {
  node: StoredNode;
  teamId: string | null;
  endpoints: string[];
}

/** Lets nodes in; what one wishes is read once its token is known to be good. Throws GatewayError: `invalid_api_key`, `permission_denied`, `conflict`, `invalid_request` with `param`, `limit_exceeded`, `ledger_unavailable`. */
export type Join = (token: string | null, readWish: () => Promise<JoinNode>) => Promise<Joined>;

type Parts = Pick<Enrolment, 'endpoints' | 'registrations' | 'events' | 'offers' | 'gone'>;

const TIMEOUT_MS = 5_000;
const NOTHING: Parts = { endpoints: [], registrations: [], events: [], offers: [], gone: [] };

/** Prepares the door. */
export function createJoin(ports: SupplyPorts, tokens: JoinTokens): Join {
  const { db, now, newId, log } = ports;
  const sentence = 'Nodes cannot join right now';
  const ask = createOrUnavailable({ sentence, event: 'joining_unavailable', timeoutMs: TIMEOUT_MS, log });

  /** Refuses a name that is another node's. A node that comes again has the same key; one that has left may bring a new one. */
  async function refuseOther(wish: JoinNode, operatorId: string): Promise<void> {
    const known = await ask(readNode(db, wish.node));
    if (known === null) {
      const own = await ask(readNodes(db, { operatorId, teamId: null }));
      if (own.length >= NODES_MAX)
        throw new GatewayError('limit_exceeded', `An operator may have ${NODES_MAX} nodes at a time.`, { param: 'node' });
      return;
    }
    const isSame = known.operatorId === operatorId && (known.leftAtMs !== null || known.publicKey === wish.public_key);
    if (!isSame) throw new GatewayError('conflict', 'There is another node of that name: choose another.', { param: 'node' });
  }

  async function refuseTaken(ids: readonly string[], operatorId: string, node: string): Promise<void> {
    const [taken] = await ask(readTaken(db, ids, operatorId, node));
    if (taken !== undefined)
      throw new GatewayError('conflict', `There is an endpoint or provider called ${taken}: give the node another name.`, {
        param: 'node',
      });
  }

  /** Turns what a node brings into rows, over what it brought before. */
  async function toParts(
    wish: JoinNode,
    { operatorId, teamId }: { operatorId: string; teamId: string | null },
    before: readonly RegisteredEndpoint[],
  ): Promise<Parts> {
    const nowMs = now();
    const actor = `node:${wish.node}`;
    const known = await ask(
      readKnownModels(
        db,
        wish.models.map(({ model }) => model),
      ),
    );
    const ids = endpointIdsOf(
      wish.node,
      wish.models.map(({ upstream_model: name }) => name),
    );
    const quarantines = await ask(readQuarantines(db, { operatorId, ids, url: `${TUNNEL_SCHEME}${wish.node}` }));
    const described = new Map(wish.description.models.map((model) => [model.upstreamModel, model]));
    const parts = wish.models.map(({ upstream_model: upstreamModel, model, price }, place) => {
      const id = ids[place] as string;
      const target = known.aliases.get(model);
      if (target !== undefined) throw refuseField(`models.${place}.model`, `it is an alias here: name the model itself, ${target}`);
      const facts = described.get(upstreamModel);
      if (facts === undefined) throw refuseField(`models.${place}.upstream_model`, 'the description does not tell of it');
      const around = { operatorId, teamId, modelContext: known.contexts.get(model) ?? null };
      const endpoint = toNodeEndpointRow({ id, model, described: facts }, wish, around);
      const terms = ports.priceOf({ price, capabilities: endpoint.capabilities as CreateEndpoint['capabilities'] });
      checkPublicPrice(terms, endpoint);
      const old = before.find(({ registration }) => registration.endpointId === id) ?? null;
      // Whoever was found out does not get away by joining again, nor by leaving before.
      const held =
        old?.registration.state === 'quarantined' ? old.registration : (quarantineOf(quarantines, { id, upstreamModel }) ?? null);
      const state = held === null ? 'pending' : 'quarantined';
      const reason = held === null ? 'its node is not connected yet' : held.reason;
      const step = { reason, actor, atMs: nowMs };
      const registration = newRegistration(id, operatorId, {
        nowMs,
        state,
        reason,
        failedProbes: held?.failedProbes ?? 0,
        nodeId: wish.node,
        provenAtMs: nowMs,
        expected: expectedOf(facts),
        capacity: facts.capacity,
        ...(old !== null && { createdAtMs: old.registration.createdAtMs, seen: old.registration.seen }),
      });
      const event = old === null ? begin(id, state, step) : (move(old.registration, state, step)?.event ?? null);
      const updatedAtMs = Math.max(nowMs, (old?.registration.updatedAtMs ?? 0) + 1);
      return {
        endpoint,
        registration: { ...registration, updatedAtMs },
        event,
        offer: toOfferRow(id, terms, { before: old?.offer ?? null, nowMs }),
      };
    });
    return {
      endpoints: parts.map(({ endpoint }) => endpoint),
      registrations: parts.map(({ registration }) => registration),
      events: parts.flatMap(({ event }) => event ?? []),
      offers: parts.flatMap(({ offer }) => offer ?? []),
      gone: before.map(({ registration }) => registration.endpointId).filter((id) => !ids.includes(id)),
    };
  }

  return async (token, readWish) => {
    const known = await tokens.admit(token);
    const wish = await readWish();
    checkModels(wish);
    if (known.nodeId !== null && known.nodeId !== wish.node) throw refuseField('node', 'the token is for a node of another name');
    const manifestNode = await ask(readManifestNode(db, wish.node));
    if (manifestNode !== null && !mayBring(known, wish.node, manifestNode))
      throw new GatewayError(
        'permission_denied',
        'The node is one of the manifest’s: a manager must make its token, for exactly this node.',
        {
          param: 'node',
        },
      );
    const { operatorId } = known;
    const teamId = manifestNode === null ? teamOf(known) : manifestNode.ownerTeamId;
    if (wish.team !== undefined && wish.team !== teamId) throw refuseField('team', 'the token is not of that team');
    await refuseOther(wish, operatorId);

    const before = await ask(readAllRegistered(db, { operatorId, teamId: null, state: null, nodeId: wish.node, limit: ENDPOINTS_MAX }));
    const parts = manifestNode === null ? await toParts(wish, { operatorId, teamId }, before) : NOTHING;
    const ids = parts.endpoints.map(({ id }) => id);
    await refuseTaken(ids, operatorId, wish.node);
    const nowMs = now();
    const node: StoredNode = {
      id: wish.node,
      operatorId,
      publicKey: wish.public_key,
      description: wish.description,
      drained: false,
      joinedAtMs: nowMs,
      linkedAtMs: null,
      unlinkedAtMs: null,
      leftAtMs: null,
    };
    const offerOf = (id: string) => parts.offers.find(({ endpointId }) => endpointId === id) ?? null;
    const audit = supplyEntry(
      {
        action: 'node.join',
        object: `node:${wish.node}`,
        before: null,
        after: {
          operator: operatorId,
          team: teamId,
          public_key: wish.public_key,
          engine: wish.description.engine,
          endpoints: Object.fromEntries(
            parts.endpoints.map((endpoint) => [endpoint.id, endpointFields(endpoint, offerOf(endpoint.id), operatorId)]),
          ),
        },
      },
      { id: newId(), actor: `node:${wish.node}`, atMs: nowMs },
    );
    try {
      await ask(enrol(db, { ...parts, operatorId, atMs: nowMs, keys: [], node, tokenHash: known.hash, audit }));
    } catch (failure) {
      // Whoever was faster says why.
      if ((await tokens.admit(token)).usedAtMs !== null) throw spent();
      await refuseOther(wish, operatorId);
      await refuseTaken(ids, operatorId, wish.node);
      throw failure;
    }
    await Promise.allSettled([ports.renewCatalogue(), ports.node(wish.node).forgetKey()]);
    return { node, teamId, endpoints: manifestNode === null ? ids : [wish.node] };
  };
}

/** Finds the team of a token's operator. Throws GatewayError `invalid_api_key` where the operator is gone. */
function teamOf({ operator }: KnownToken): string | null {
  if (operator !== null) return operator.teamId;
  throw new GatewayError('invalid_api_key', 'The operator of this join token is gone.');
}

function checkModels({ models }: JoinNode): void {
  const names = models.map(({ upstream_model: name }) => name);
  const twice = names.findIndex((name, place) => names.indexOf(name) !== place);
  if (twice >= 0) throw refuseField(`models.${twice}.upstream_model`, 'it is given twice');
}

/** Reads what to expect of a model until it has been probed: what its node has measured, else what the capacity model says. */
function expectedOf({ measured, predicted }: NodeModel): ExpectedService | null {
  if (measured !== null) return { ttftMs: measured.ttftMs, tpotMs: measured.tpotMs, source: 'node' };
  return predicted && { ttftMs: predicted.ttftMs, tpotMs: predicted.tpotMs, source: 'model' };
}
