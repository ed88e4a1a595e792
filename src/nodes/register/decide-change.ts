/** What a wish to change an endpoint writes, and where the endpoint stands by it. */
import { GatewayError } from '#schema/error';
import { endpointKeyName, type CreateEndpoint, type UpdateEndpoint } from '#schema/registration';
import { checkAddress } from '../address/check-address.ts';
import { readKnownModels } from '../join/nodes-store.ts';
import { heldAfter, priceAfter, UNPRICED } from '../price/price-after.ts';
import type { TakenPrice } from '../price/take-price.ts';
import { move, type RegistrationEvent } from '../states.ts';
import { isManager, type SupplyManager } from '../supply-manager.ts';
import { changedColumns } from './changed-columns.ts';
import { changedRegistration } from './changed-registration.ts';
import { checkClaims, checkModel, checkNodeFields, checkPublicPrice } from './endpoint-wish.ts';
import { NOTHING_RECALLED, seenOfAnother } from './recall.ts';
import type { RegistrationDesk } from './registration-desk.ts';
import type {
  RegisteredEndpoint,
  RegistrationChange,
  RegistrationChanges,
  StoredEndpoint,
  StoredRegistration,
} from './registrations-store.ts';
import { isLetIn, vouchingAfter } from './vouching.ts';
import { namesAnother, wishedState } from './wished-state.ts';

/** Who wishes what, and how the router was called. */
export interface Wished {
  manager: SupplyManager;
  wish: UpdateEndpoint;
  routerUrl: string;
}

/** What the endpoint is once the change is written. */
interface Becoming {
  after: StoredEndpoint;
  addresses: StoredRegistration['addresses'];
  nowMs: number;
}

/** Decides a change of an endpoint as it stands. Throws GatewayError as `Registrations` says. */
export async function decideChange(
  desk: RegistrationDesk,
  before: RegisteredEndpoint,
  wished: Wished,
): Promise<Omit<RegistrationChange, 'before'>> {
  const { registration, endpoint } = before;
  const { manager, wish, routerUrl } = wished;
  await checkWish(desk, before, wished);

  const url = wish.url === undefined ? endpoint.url : new URL(wish.url).href.replace(/\/+$/, '');
  const isElsewhere = originOf(url) !== originOf(endpoint.url);
  const addresses = wish.url === undefined ? registration.addresses : await checkAddress(wish.url, routerUrl, desk.ports);
  const key = wish.key !== undefined ? await desk.sealKey(endpoint.id, url, wish.key) : isElsewhere ? null : undefined;
  const columns = changedColumns(wish, { url, ...(key !== undefined && { keySecret: key && endpointKeyName(endpoint.id, key.origin) }) });
  const after = { ...endpoint, ...columns };
  const isPlaced = wish.url !== undefined || wish.upstream_model !== undefined;
  const place = isPlaced ? desk.placeIn(after, registration.operatorId, manager) : undefined;
  if (place !== undefined) await desk.refuseShared(place);
  const becoming = { after, addresses, nowMs: desk.ports.now() };

  const { offer, held } = await decidePrice(desk, before, wished, becoming);
  const { changes, event } = await decideStanding(desk, before, wished, becoming);
  const result = {
    ...before,
    endpoint: after,
    offer: offer ?? before.offer,
    held: heldAfter({ held }, before.held),
    registration: { ...registration, ...changes },
  };
  return {
    changes,
    endpoint: columns,
    place,
    offer,
    held,
    ...(key !== undefined && { key }),
    event,
    atMs: becoming.nowMs,
    audit: desk.entryOf(manager.actor, 'endpoint.update', before, result),
  };
}

/** Refuses what cannot be wished of the endpoint, or by whom. */
async function checkWish(desk: RegistrationDesk, before: RegisteredEndpoint, { manager, wish }: Wished): Promise<void> {
  const { registration, endpoint, operator } = before;
  if (registration.state === 'retired') throw new GatewayError('conflict', 'The endpoint has retired: register it again.', { param: 'id' });
  if (registration.nodeId !== null) checkNodeFields(wish);
  checkClaims(wish, { isManager: isManager(manager), teamId: operator?.teamId ?? null });
  await desk.requireOwner(wish.owner);
  const known = await desk.ask(readKnownModels(desk.ports.db, wish.model === undefined ? [] : [wish.model]));
  const capabilities = endpoint.capabilities as NonNullable<CreateEndpoint['capabilities']>;
  checkModel({ context: endpoint.context, capabilities, ...wish }, known);
}

async function decidePrice(
  desk: RegistrationDesk,
  before: RegisteredEndpoint,
  { manager, wish }: Wished,
  { after, nowMs }: Becoming,
): Promise<TakenPrice> {
  const price = priceAfter(before, after, wish, desk.ports.priceOf);
  if (price === undefined) return UNPRICED;
  checkPublicPrice(price, after);
  const giver = { operatorId: before.registration.operatorId, isManager: isManager(manager), nowMs };
  return desk.takePrice({ endpoint: after, price, before: before.offer, path: 'price' }, giver);
}

async function decideStanding(
  desk: RegistrationDesk,
  { registration, endpoint }: RegisteredEndpoint,
  { manager, wish }: Wished,
  { after, addresses, nowMs }: Becoming,
): Promise<{ changes: RegistrationChanges; event: RegistrationEvent | null }> {
  const isMoved = after.url !== endpoint.url;
  const isElsewhere = originOf(after.url) !== originOf(endpoint.url);
  // A challenge proves an origin; a manager's word is for one address of it.
  const isProof = !isManager(manager) && (isElsewhere || (isMoved && registration.challenge === null));
  const letsIn = isLetIn(manager, { state: registration.state, wish, isElsewhere });
  const vouching = vouchingAfter(registration, { manager, wish, isMoved, letsIn, nowMs });
  const wished = wishedState(manager, registration, wish, isProof);
  // Whoever was found out does not get away by making another endpoint into the one that was.
  const isAnother = !isManager(manager) && namesAnother(wish);
  const place = desk.placeIn(after, registration.operatorId, manager);
  const { caught, difference } = isAnother ? await desk.recall(after, place, endpoint) : NOTHING_RECALLED;
  const to = caught === undefined ? wished : 'quarantined';
  const why = caught === undefined ? (wish.reason ?? (isProof ? 'its new address is not proven yet' : null)) : caught.reason;
  const moved = move(registration, to, { reason: why, actor: manager.actor, atMs: nowMs });
  if (moved === null)
    throw new GatewayError('conflict', `An endpoint that is ${registration.state} cannot be ${to} next.`, { param: 'state' });
  const changes = {
    ...moved.changes,
    ...changedRegistration(registration, { manager, wish, to, isProof, letsIn, caught, nowMs }),
    ...(isAnother && { seen: seenOfAnother(registration.seen, difference, nowMs) }),
    addresses,
    ...vouching,
  };
  return { changes, event: moved.event };
}

function originOf(url: string): string {
  return new URL(url).origin;
}
