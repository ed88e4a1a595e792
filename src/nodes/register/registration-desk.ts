/** What registering an endpoint and changing one have in common: its owner, its key, its place, its price, and what its operator has done before. */
import type { AuditEntry } from '#schema/audit';
import type { OrUnavailable } from '#schema/or-unavailable';
import { createTakenCheck, type TakenCheck } from '../address/check-taken.ts';
import type { Place } from '../address/shared-address-store.ts';
import { placeOf } from '../address/shared-address.ts';
import { registrationEntry, type SupplyAction } from '../audit-supply.ts';
import { hasTeam } from '../operators/operators-store.ts';
import { UNPRICED } from '../price/price-after.ts';
import { takePrices, type GivenPrice, type Giver, type TakenPrice } from '../price/take-price.ts';
import { isManager, type SupplyManager } from '../supply-manager.ts';
import type { SupplyPorts } from '../supply-ports.ts';
import { refuseField } from './endpoint-wish.ts';
import { readMemory, recall, type Recalled } from './recall.ts';
import type { RegisteredEndpoint, StoredEndpoint, StoredEndpointKey } from './registrations-store.ts';

/** Every method throws what `ask` throws. */
export interface RegistrationDesk extends TakenCheck {
  ports: SupplyPorts;
  ask: OrUnavailable;
  /** Throws GatewayError `invalid_request` for a team that does not exist, because nobody could ask the endpoint. */
  requireOwner(owner: string | undefined): Promise<void>;
  /** Throws GatewayError `permission_denied` where the deployment cannot seal. */
  sealKey(endpointId: string, url: string, key: string): Promise<StoredEndpointKey>;
  placeIn(endpoint: StoredEndpoint, operatorId: string, manager: SupplyManager): Place;
  /** Takes a price; undefined gives none. Throws what `takePrices` throws. */
  takePrice(given: GivenPrice | undefined, giver: Giver): Promise<TakenPrice>;
  /** Finds what stands against an endpoint; `before`: what it was, null where it is new. Throws GatewayError `conflict` as `recall` does. */
  recall(endpoint: StoredEndpoint, place: Pick<Place, 'operatorId' | 'pathsDiffer'>, before: StoredEndpoint | null): Promise<Recalled>;
  entryOf(actor: string, action: SupplyAction, ...change: [RegisteredEndpoint | null, RegisteredEndpoint]): AuditEntry;
}

/** Opens the desk. */
export function createRegistrationDesk(ports: SupplyPorts, ask: OrUnavailable): RegistrationDesk {
  const { db, now, newId, allowedHosts } = ports;
  return {
    ...createTakenCheck({ db, ask }),
    ports,
    ask,

    async requireOwner(owner) {
      if (owner !== undefined && !(await ask(hasTeam(db, owner)))) throw refuseField('owner', 'it is not a team of this deployment');
    },

    async sealKey(endpointId, url, key) {
      const { origin } = new URL(url);
      const seal = await ports.sealKey({ endpointId, origin }, key);
      return { endpointId, origin, ...seal, updatedAtMs: now() };
    },

    placeIn: (endpoint, operatorId, manager) =>
      placeOf(endpoint, { operatorId, isManagers: isManager(manager), isRegistered: false, allowedHosts }),

    async takePrice(given, giver) {
      const judge: typeof ports.judgePrices = (operatorId, asked) => ask(ports.judgePrices(operatorId, asked));
      const [taken = UNPRICED] = await takePrices(judge, given === undefined ? [] : [given], giver);
      return taken;
    },

    async recall(endpoint, { operatorId, pathsDiffer }, before) {
      const { id, url } = endpoint;
      return recall(await readMemory({ db, ask }, { operatorId, ids: [id], url, pathsDiffer, nowMs: now() }), endpoint, before);
    },

    entryOf: (actor, action, ...change) => registrationEntry(action, change, { id: newId(), actor, atMs: now() }),
  };
}
