/** Endpoints that operators register at addresses of their own: made, proven, changed, retired. */
import type { AuditEntry } from '#schema/audit';
import { GatewayError } from '#schema/error';
import { createOrUnavailable } from '#schema/or-unavailable';
import { endpointKeyName, type CreateEndpoint, type UpdateEndpoint } from '#schema/registration';
import { registrationEntry, type SupplyAction } from './audit-supply.ts';
import { createChallenge } from './challenge.ts';
import { checkAddress } from './check-address.ts';
import { createTakenCheck } from './check-taken.ts';
import { changedColumns } from './changed-columns.ts';
import { toEndpointRow } from './endpoint-row.ts';
import { checkClaims, checkId, checkModel, checkNodeFields, checkPublicPrice, refuseField } from './endpoint-wish.ts';
import { enrol, ENDPOINTS_MAX } from './enrol-store.ts';
import { newRegistration } from './new-registration.ts';
import { readKnownModels } from './nodes-store.ts';
import { hasTeam } from './operators-store.ts';
import { pickOperator } from './pick-operator.ts';
import { quarantineOf, readQuarantines } from './quarantine-store.ts';
import { heldAfter, priceAfter, UNPRICED } from './price-after.ts';
import {
  changeRegistration,
  readAllRegistered,
  readHistory,
  readRegistered,
  type RegisteredEndpoint,
  type RegisteredQuery,
  type RegistrationChange,
  type StoredEndpoint,
} from './registrations-store.ts';
import { begin, move, type RegistrationEvent } from './states.ts';
import { isManager, mayTouch, type SupplyManager } from './supply-manager.ts';
import { vouchedFor, vouchingAfter } from './vouching.ts';
import { wishedState } from './wished-state.ts';
import type { SupplyPorts } from './supply-ports.ts';
import { placeOf } from './shared-address.ts';
import type { Place } from './shared-address-store.ts';
import { takePrices } from './take-price.ts';
import { tellState } from './tell-node.ts';

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

  const { refuseTaken, refuseShared } = createTakenCheck({ db, ask });
  const judge: typeof ports.judgePrices = (operatorId, asked) => ask(ports.judgePrices(operatorId, asked));

  async function find(manager: SupplyManager, id: string): Promise<RegisteredEndpoint> {
    const found = await ask(readRegistered(db, id));
    const owner = found && { operatorId: found.registration.operatorId, teamId: found.operator?.teamId ?? null };
    if (found !== null && owner !== null && mayTouch(manager, owner)) return found;
    throw new GatewayError('not_found', 'No registered endpoint of that id was found.', { param: 'id' });
  }

  const entryOf = (actor: string, action: SupplyAction, ...change: [RegisteredEndpoint | null, RegisteredEndpoint]): AuditEntry =>
    registrationEntry(action, change, { id: newId(), actor, atMs: now() });
  /** A team that is named must exist, or nobody could ask the endpoint. */
  async function requireOwner(owner: string | undefined): Promise<void> {
    if (owner !== undefined && !(await ask(hasTeam(db, owner)))) throw refuseField('owner', 'it is not a team of this deployment');
  }

  async function sealKey(endpointId: string, url: string, key: string) {
    const { origin } = new URL(url);
    const seal = await ports.sealKey({ endpointId, origin }, key);
    return { endpointId, origin, ...seal, updatedAtMs: now() };
  }

  const placeIn = (endpoint: StoredEndpoint, operatorId: string, manager: SupplyManager): Place =>
    placeOf(endpoint, { operatorId, isManagers: isManager(manager), isRegistered: false, allowedHosts: ports.allowedHosts });

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
      await Promise.all([ports.renewCatalogue(), tellState(ports, before.registration, registration)]);
      const endpoint = { ...before.endpoint, ...change.endpoint };
      return { ...before, registration, endpoint, offer: change.offer ?? before.offer, held: heldAfter(change, before.held) };
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
      const place = placeIn(endpoint, operator.id, manager);
      await refuseShared(place);
      const price = ports.priceOf(wish);
      checkPublicPrice(price, endpoint);
      const nowMs = now();
      const giver = { operatorId: operator.id, isManager: vouched, nowMs };
      // What an endpoint of this id was charged before it retired ends here, also where no price is stated.
      const former = await ask(readRegistered(db, wish.id));
      const [taken = UNPRICED] = await takePrices(judge, [{ endpoint, price, before: former?.offer ?? null, path: 'price' }], giver);
      const { offer } = taken;
      // Whoever was found out does not get away by retiring and registering again.
      const { pathsDiffer } = place;
      const past = { operatorId: operator.id, ids: [wish.id], url: endpoint.url, pathsDiffer };
      const caught = vouched ? undefined : quarantineOf(await ask(readQuarantines(db, past)), endpoint);
      const registration = newRegistration(wish.id, operator.id, {
        nowMs,
        state: vouched ? 'probing' : caught === undefined ? 'pending' : 'quarantined',
        reason: vouched ? null : caught === undefined ? 'its challenge is not served yet' : caught.reason,
        failedProbes: caught?.failedProbes ?? 0,
        challenge: vouched ? null : createChallenge(),
        provenAtMs: vouched ? nowMs : null,
        ...(vouched && vouchedFor(manager, nowMs)),
        addresses,
      });
      const made: RegisteredEndpoint = {
        registration,
        endpoint,
        offer: offer ?? former?.offer ?? null,
        held: heldAfter(taken, null),
        operator,
      };
      try {
        await ask(
          enrol(db, {
            operatorId: operator.id,
            atMs: nowMs,
            endpoints: [endpoint],
            registrations: [registration],
            events: [begin(wish.id, registration.state, { reason: registration.reason, actor: manager.actor, atMs: nowMs })],
            offers: offer === null ? [] : [offer],
            held: new Map(taken.held === undefined ? [] : [[wish.id, taken.held]]),
            keys: key === null ? [] : [key],
            places: [place],
            node: null,
            tokenHash: null,
            gone: [],
            audit: entryOf(manager.actor, 'endpoint.register', null, made),
          }),
        );
      } catch (failure) {
        // Somebody else may have taken the id, the address, or the last place, in between.
        await refuseTaken(wish.id, operator.id);
        await refuseShared(place);
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
          const isElsewhere = new URL(url).origin !== new URL(endpoint.url).origin;
          const isMoved = url !== endpoint.url;
          const addresses = wish.url === undefined ? registration.addresses : await checkAddress(wish.url, routerUrl, ports);
          const key = wish.key !== undefined ? await sealKey(id, url, wish.key) : isElsewhere ? null : undefined;
          const columns = changedColumns(wish, {
            url,
            ...(key !== undefined && { keySecret: key && endpointKeyName(id, key.origin) }),
          });
          const after = { ...endpoint, ...columns };
          const { operatorId } = registration;
          const isPlaced = wish.url !== undefined || wish.upstream_model !== undefined;
          const place = isPlaced ? placeIn(after, operatorId, manager) : undefined;
          if (place !== undefined) await refuseShared(place);
          const nowMs = now();
          const price = priceAfter(before, after, wish, ports.priceOf);
          if (price !== undefined) checkPublicPrice(price, after);
          const giver = { operatorId, isManager: isManager(manager), nowMs };
          const given = price === undefined ? [] : [{ endpoint: after, price, before: before.offer, path: 'price' }];
          const [taken = UNPRICED] = await takePrices(judge, given, giver);
          const { offer } = taken;

          // A challenge proves an origin; a manager's word is for one address of it.
          const isProof = !isManager(manager) && (isElsewhere || (isMoved && registration.challenge === null));
          // Its address is taken for proven on a manager's word.
          const letsIn =
            isManager(manager) && (isElsewhere || (registration.state === 'pending' && (wish.state === 'active' || wish.vouched === true)));
          const vouching = vouchingAfter(registration, { manager, wish, isMoved, letsIn, nowMs });
          const to = wishedState(manager, registration, wish, isProof);
          const step = { reason: wish.reason ?? (isProof ? 'its new address is not proven yet' : null), actor: manager.actor, atMs: nowMs };
          const moved = move(registration, to, step);
          if (moved === null)
            throw new GatewayError('conflict', `An endpoint that is ${registration.state} cannot be ${to} next.`, { param: 'state' });
          const changes = {
            ...moved.changes,
            addresses,
            ...(isProof && { challenge: createChallenge(), provenAtMs: null }),
            ...(letsIn && { challenge: null, provenAtMs: nowMs, failedProbes: 0 }),
            ...vouching,
            // Probes end only the quarantine that probes have begun.
            ...(wish.state === 'quarantined' && { failedProbes: 0 }),
            ...(to === 'probing' || isProof ? { nextProbeAtMs: nowMs } : {}),
          };
          const held = heldAfter(taken, before.held);
          const result = { ...before, endpoint: after, offer: offer ?? before.offer, held, registration: { ...registration, ...changes } };
          return {
            changes,
            endpoint: columns,
            place,
            offer,
            held: taken.held,
            ...(key !== undefined && { key }),
            event: moved.event,
            atMs: nowMs,
            audit: entryOf(manager.actor, 'endpoint.update', before, result),
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
            audit: entryOf(manager.actor, 'endpoint.retire', before, gone),
          };
        },
      ),
  };
}

function tooMany(): GatewayError {
  return new GatewayError('limit_exceeded', `An operator may have ${ENDPOINTS_MAX} endpoints at a time: retire one first.`, {
    param: 'id',
  });
}
