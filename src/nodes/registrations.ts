/** Endpoints that operators register at addresses of their own: made, proven, changed, retired. */
import type { AuditEntry } from '#schema/audit';
import { GatewayError } from '#schema/error';
import { createOrUnavailable } from '#schema/or-unavailable';
import { endpointKeyName, type CreateEndpoint, type RegistrationState, type UpdateEndpoint } from '#schema/registration';
import { endpointFields, supplyEntry, type SupplyAction } from './audit-supply.ts';
import { createChallenge } from './challenge.ts';
import { checkAddress } from './check-address.ts';
import { changedColumns } from './changed-columns.ts';
import { toEndpointRow } from './endpoint-row.ts';
import { checkClaims, checkId, checkModel, checkNodeFields, checkPublicPrice, needsLook, refuseField } from './endpoint-wish.ts';
import { enrol, ENDPOINTS_MAX, readTaken } from './enrol-store.ts';
import { newRegistration } from './new-registration.ts';
import { readKnownModels } from './nodes-store.ts';
import { hasTeam } from './operators-store.ts';
import { pickOperator } from './pick-operator.ts';
import { quarantineOf, readQuarantines } from './quarantine-store.ts';
import { toOfferRow } from './price-row.ts';
import {
  changeRegistration,
  readAllRegistered,
  readHistory,
  readRegistered,
  type RegisteredEndpoint,
  type RegisteredQuery,
  type RegistrationChange,
} from './registrations-store.ts';
import { begin, move, type RegistrationEvent } from './states.ts';
import { isManager, mayTouch, type SupplyManager } from './supply-manager.ts';
import type { SupplyPorts } from './supply-ports.ts';

/**
 * Every method throws GatewayError: `not_found`, also for what is out of reach, `permission_denied`, `conflict`, `invalid_request` with `param`,
 * `limit_exceeded`, `no_endpoint_available` where names cannot be looked up, `ledger_unavailable`. `routerUrl` is how the router was called.
 */
export interface Registrations {
  list(manager: SupplyManager, query: Omit<RegisteredQuery, 'teamId'>): Promise<RegisteredEndpoint[]>;
  find(manager: SupplyManager, id: string): Promise<RegisteredEndpoint>;
  /** Reads what has happened to an endpoint, newest first. */
  history(id: string): Promise<RegistrationEvent[]>;
  /** Registers an endpoint: to be proven with its challenge, or to be looked at at once where a manager vouches for it. */
  create(manager: SupplyManager, wish: CreateEndpoint, routerUrl: string): Promise<RegisteredEndpoint>;
  /** Changes what the wish names. What makes another endpoint of it is looked at again, another origin proven again. */
  change(manager: SupplyManager, id: string, wish: UpdateEndpoint, routerUrl: string): Promise<RegisteredEndpoint>;
  /** Takes an endpoint out for good; its history and its receipts stay. */
  retire(manager: SupplyManager, id: string): Promise<RegisteredEndpoint>;
}

type Declared = NonNullable<CreateEndpoint['capabilities']>;

const TIMEOUT_MS = 5_000;
/** How often a change is made anew because somebody else changed the same endpoint meanwhile. */
const WRITES_MAX = 3;
const HISTORY_MAX = 100;

/** Opens the registration of endpoints. */
export function createRegistrations(ports: SupplyPorts): Registrations {
  const { db, now, newId, log } = ports;
  const sentence = 'Registered endpoints cannot be read or written right now';
  const ask = createOrUnavailable({ sentence, event: 'registrations_unavailable', timeoutMs: TIMEOUT_MS, log });

  async function find(manager: SupplyManager, id: string): Promise<RegisteredEndpoint> {
    const found = await ask(readRegistered(db, id));
    const owner = found && { operatorId: found.registration.operatorId, teamId: found.operator?.teamId ?? null };
    if (found !== null && owner !== null && mayTouch(manager, owner)) return found;
    throw new GatewayError('not_found', 'No registered endpoint of that id was found.', { param: 'id' });
  }

  function entryOf(
    actor: string,
    action: SupplyAction,
    id: string,
    before: RegisteredEndpoint | null,
    after: RegisteredEndpoint | null,
  ): AuditEntry {
    const fields = (one: RegisteredEndpoint | null) =>
      one && { ...endpointFields(one.endpoint, one.offer, one.registration.operatorId), state: one.registration.state };
    const change = { action, object: `endpoint:${id}`, before: fields(before), after: fields(after) };
    return supplyEntry(change, { id: newId(), actor, atMs: now() });
  }

  /** A team that is named must exist, or nobody could ask the endpoint. */
  async function requireOwner(owner: string | undefined): Promise<void> {
    if (owner !== undefined && !(await ask(hasTeam(db, owner)))) throw refuseField('owner', 'it is not a team of this deployment');
  }

  async function sealKey(endpointId: string, url: string, key: string) {
    const { origin } = new URL(url);
    const seal = await ports.sealKey({ endpointId, origin }, key);
    return { endpointId, origin, ...seal, updatedAtMs: now() };
  }

  async function refuseTaken(id: string, operatorId: string): Promise<void> {
    if ((await ask(readTaken(db, [id], operatorId, null))).length > 0)
      throw new GatewayError('conflict', 'There is an endpoint or provider of that id: choose another.', { param: 'id' });
  }

  /** Changes a registration as long as nobody changes it in between; null from `decide` changes nothing. */
  async function rewrite(
    read: () => Promise<RegisteredEndpoint>,
    decide: (before: RegisteredEndpoint) => Promise<Omit<RegistrationChange, 'before'> | null>,
  ): Promise<RegisteredEndpoint> {
    for (let writes = 0; writes < WRITES_MAX; writes++) {
      const before = await read();
      const change = await decide(before);
      if (change === null) return before;
      const registration = await ask(changeRegistration(db, { before: before.registration, ...change }));
      if (registration === null) continue;
      await ports.renewCatalogue();
      return { ...before, registration, endpoint: { ...before.endpoint, ...change.endpoint }, offer: change.offer ?? before.offer };
    }
    throw new GatewayError('conflict', 'Others are changing this endpoint at the same time. Read it again, then try again.', {
      param: 'id',
    });
  }

  return {
    list: (manager, query) =>
      ask(readAllRegistered(db, { ...query, operatorId: manager.operatorId ?? query.operatorId, teamId: manager.teamId })),
    find,
    history: (id) => ask(readHistory(db, id, HISTORY_MAX)),

    async create(manager, wish, routerUrl) {
      checkId(wish.id);
      const operator = await pickOperator({ db, ask }, manager, wish.operator);
      checkClaims(wish, { isManager: isManager(manager), teamId: operator.teamId });
      await requireOwner(wish.owner);
      const known = await ask(readKnownModels(db, [wish.model]));
      checkModel(wish, known);
      const url = new URL(wish.url).href;
      const addresses = await checkAddress(wish.url, routerUrl, ports);
      await refuseTaken(wish.id, operator.id);
      if (operator.endpoints >= ENDPOINTS_MAX) throw tooMany();

      const key = wish.key === undefined ? null : await sealKey(wish.id, url, wish.key);
      const keySecret = key && endpointKeyName(wish.id, key.origin);
      const modelContext = known.contexts.get(wish.model) ?? null;
      const vouched = isManager(manager);
      const around = { operatorId: operator.id, teamId: operator.teamId, modelContext, keySecret };
      const endpoint = toEndpointRow({ ...wish, url }, around);
      const price = ports.priceOf(wish);
      checkPublicPrice(price, endpoint);
      const nowMs = now();
      const offer = toOfferRow(wish.id, price, { before: null, nowMs });
      // Whoever was found out does not get away by retiring and registering again.
      const place = { operatorId: operator.id, ids: [wish.id], url: endpoint.url };
      const held = vouched ? undefined : quarantineOf(await ask(readQuarantines(db, place)), endpoint);
      const registration = newRegistration(wish.id, operator.id, {
        nowMs,
        state: vouched ? 'probing' : held === undefined ? 'pending' : 'quarantined',
        reason: vouched ? null : held === undefined ? 'its challenge is not served yet' : held.reason,
        failedProbes: held?.failedProbes ?? 0,
        challenge: vouched ? null : createChallenge(),
        provenAtMs: vouched ? nowMs : null,
        addresses,
      });
      const made: RegisteredEndpoint = { registration, endpoint, offer, operator };
      try {
        await ask(
          enrol(db, {
            operatorId: operator.id,
            atMs: nowMs,
            endpoints: [endpoint],
            registrations: [registration],
            events: [begin(wish.id, registration.state, { reason: registration.reason, actor: manager.actor, atMs: nowMs })],
            offers: offer === null ? [] : [offer],
            keys: key === null ? [] : [key],
            node: null,
            tokenHash: null,
            gone: [],
            audit: entryOf(manager.actor, 'endpoint.register', wish.id, null, made),
          }),
        );
      } catch (failure) {
        // Somebody else may have taken the id, or the last place, in between.
        await refuseTaken(wish.id, operator.id);
        if ((await pickOperator({ db, ask }, manager, operator.id)).endpoints >= ENDPOINTS_MAX) throw tooMany();
        throw failure;
      }
      await ports.renewCatalogue();
      return made;
    },

    change: (manager, id, wish, routerUrl) =>
      rewrite(
        () => find(manager, id),
        async (before) => {
          const { registration, endpoint, operator } = before;
          if (registration.state === 'retired')
            throw new GatewayError('conflict', 'The endpoint has retired: register it again.', { param: 'id' });
          if (registration.nodeId !== null) checkNodeFields(wish);
          checkClaims(wish, { isManager: isManager(manager), teamId: operator?.teamId ?? null });
          await requireOwner(wish.owner);
          const names = wish.model === undefined ? [] : [wish.model];
          checkModel(
            { context: endpoint.context, capabilities: endpoint.capabilities as Declared, ...wish },
            await ask(readKnownModels(db, names)),
          );

          const url = wish.url === undefined ? endpoint.url : new URL(wish.url).href.replace(/\/+$/, '');
          const isElsewhere = wish.url !== undefined && new URL(url).origin !== new URL(endpoint.url).origin;
          const addresses = wish.url === undefined ? registration.addresses : await checkAddress(wish.url, routerUrl, ports);
          const key = wish.key !== undefined ? await sealKey(id, url, wish.key) : isElsewhere ? null : undefined;
          const columns = changedColumns(wish, {
            url,
            ...(key !== undefined && { keySecret: key && endpointKeyName(id, key.origin) }),
          });
          const after = { ...endpoint, ...columns };
          const nowMs = now();
          const price =
            wish.price === undefined ? undefined : ports.priceOf({ price: wish.price, capabilities: after.capabilities as Declared });
          if (price !== undefined) checkPublicPrice(price, after);
          const offer = price === undefined ? null : toOfferRow(id, price, { before: before.offer, nowMs });

          const isProof = isElsewhere && !isManager(manager);
          const isVouched = isManager(manager) && (isElsewhere || (registration.state === 'pending' && wish.state === 'active'));
          const to = targetOf(manager, registration.state, wish, isProof);
          const step = { reason: wish.reason ?? (isProof ? 'its new address is not proven yet' : null), actor: manager.actor, atMs: nowMs };
          const moved = move(registration, to, step);
          if (moved === null)
            throw new GatewayError('conflict', `An endpoint that is ${registration.state} cannot be ${to} next.`, { param: 'state' });
          const changes = {
            ...moved.changes,
            addresses,
            ...(isProof && { challenge: createChallenge(), provenAtMs: null }),
            ...(isVouched && { challenge: null, provenAtMs: nowMs, failedProbes: 0 }),
            // Probes end only the quarantine that probes have begun.
            ...(wish.state === 'quarantined' && { failedProbes: 0 }),
            ...(to === 'probing' || isProof ? { nextProbeAtMs: nowMs } : {}),
          };
          const result = { ...before, endpoint: after, offer: offer ?? before.offer, registration: { ...registration, ...changes } };
          return {
            changes,
            endpoint: columns,
            offer,
            ...(key !== undefined && { key }),
            event: moved.event,
            atMs: nowMs,
            audit: entryOf(manager.actor, 'endpoint.update', id, before, result),
          };
        },
      ),

    retire: (manager, id) =>
      rewrite(
        () => find(manager, id),
        async (before) => {
          const { registration } = before;
          const moved = move(registration, 'retired', { reason: null, actor: manager.actor, atMs: now() });
          if (moved?.event == null) return null;
          const gone = { ...before, registration: { ...registration, ...moved.changes } };
          return {
            changes: moved.changes,
            endpoint: { disabled: true, keySecret: null },
            key: null,
            event: moved.event,
            atMs: now(),
            audit: entryOf(manager.actor, 'endpoint.retire', id, before, gone),
          };
        },
      ),
  };
}

/** The state that a change leads to. Throws GatewayError `permission_denied` for what only managers may wish. */
function targetOf(manager: SupplyManager, from: RegistrationState, wish: UpdateEndpoint, isProof: boolean): RegistrationState {
  if (wish.state === 'quarantined' || (wish.state === 'active' && from === 'quarantined')) {
    if (!isManager(manager))
      throw new GatewayError('permission_denied', 'Quarantine is for managers; a passed probe ends it too (POST /endpoints/{id}/probe).', {
        param: 'state',
      });
    return wish.state === 'active' ? 'probing' : 'quarantined';
  }
  // Whoever was found out does not get away by being changed.
  if (from === 'quarantined') return 'quarantined';
  if (isProof) {
    if (wish.state !== undefined) throw refuseField('state', 'the new address must be proven first');
    return 'pending';
  }
  if (wish.state === 'draining') return 'draining';
  if (wish.state === 'active' && from === 'pending' && !isManager(manager))
    throw new GatewayError('conflict', 'The endpoint is not proven, or its node is not connected.', { param: 'state' });
  if (wish.state === 'active') return from === 'draining' || from === 'pending' ? 'probing' : from;
  const isOut = from === 'pending' || from === 'draining' || !needsLook(wish);
  return isOut ? from : 'probing';
}

function tooMany(): GatewayError {
  return new GatewayError('limit_exceeded', `An operator may have ${ENDPOINTS_MAX} endpoints at a time: retire one first.`, {
    param: 'id',
  });
}
