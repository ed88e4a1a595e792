/** Endpoints that operators register at addresses of their own: made, proven, changed, retired. */
import { GatewayError } from '#schema/error';
import { createOrUnavailable } from '#schema/or-unavailable';
import type { CreateEndpoint, UpdateEndpoint } from '#schema/registration';
import { tellState } from '../link/tell-node.ts';
import { heldAfter } from '../price/price-after.ts';
import { move, type RegistrationEvent } from '../states.ts';
import { mayTouch, type SupplyManager } from '../supply-manager.ts';
import type { SupplyPorts } from '../supply-ports.ts';
import { decideChange } from './decide-change.ts';
import { registerEndpoint } from './register-endpoint.ts';
import { createRegistrationDesk } from './registration-desk.ts';
import {
  changeRegistration,
  readAllRegistered,
  readHistory,
  readRegistered,
  type RegisteredEndpoint,
  type RegisteredQuery,
  type RegistrationChange,
} from './registrations-store.ts';

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

const TIMEOUT_MS = 5_000;
/** How often a change is made anew because somebody else changed the same endpoint meanwhile. */
const WRITES_MAX = 3;
const HISTORY_MAX = 100;

/** Opens the registration of endpoints. */
export function createRegistrations(ports: SupplyPorts): Registrations {
  const { db, now, log } = ports;
  const sentence = 'Registered endpoints cannot be read or written right now';
  const ask = createOrUnavailable({ sentence, event: 'registrations_unavailable', timeoutMs: TIMEOUT_MS, log });

  const desk = createRegistrationDesk(ports, ask);

  async function find(manager: SupplyManager, id: string): Promise<RegisteredEndpoint> {
    const found = await ask(readRegistered(db, id));
    const owner = found && { operatorId: found.registration.operatorId, teamId: found.operator?.teamId ?? null };
    if (found !== null && owner !== null && mayTouch(manager, owner)) return found;
    throw new GatewayError('not_found', 'No registered endpoint of that id was found.', { param: 'id' });
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

    create: (manager, wish, routerUrl) => registerEndpoint(desk, { manager, wish, routerUrl }),

    change: (manager, id, wish, routerUrl) =>
      rewrite(
        () => find(manager, id),
        (before) => decideChange(desk, before, { manager, wish, routerUrl }),
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
            audit: desk.entryOf(manager.actor, 'endpoint.retire', before, gone),
          };
        },
      ),
  };
}
