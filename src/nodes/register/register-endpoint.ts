/** How an endpoint at an address of its own is registered: all at once or not at all. */
import { GatewayError } from '#schema/error';
import { endpointKeyName, type CreateEndpoint } from '#schema/registration';
import { createChallenge } from '../address/challenge.ts';
import { checkAddress } from '../address/check-address.ts';
import { enrol, ENDPOINTS_MAX, type Enrolment } from '../join/enrol-store.ts';
import { readKnownModels } from '../join/nodes-store.ts';
import { pickOperator } from '../operators/pick-operator.ts';
import { heldAfter } from '../price/price-after.ts';
import { begin } from '../states.ts';
import { isManager, type SupplyManager } from '../supply-manager.ts';
import { toEndpointRow } from './endpoint-row.ts';
import { checkClaims, checkId, checkModel, checkPublicPrice } from './endpoint-wish.ts';
import { newRegistration } from './new-registration.ts';
import { NOTHING_RECALLED, seenOfAnother, type Recalled } from './recall.ts';
import type { RegistrationDesk } from './registration-desk.ts';
import { readRegistered, type RegisteredEndpoint, type StoredRegistration } from './registrations-store.ts';
import { vouchedFor } from './vouching.ts';

/** Registers an endpoint. Throws GatewayError as `Registrations` says. */
export async function registerEndpoint(
  desk: RegistrationDesk,
  { manager, wish, routerUrl }: { manager: SupplyManager; wish: CreateEndpoint; routerUrl: string },
): Promise<RegisteredEndpoint> {
  const { ports, ask } = desk;
  const { db, now } = ports;
  checkId(wish.id);
  const operator = await pickOperator({ db, ask }, manager, wish.operator);
  checkClaims(wish, { isManager: isManager(manager), teamId: operator.teamId });
  await desk.requireOwner(wish.owner);
  const known = await ask(readKnownModels(db, [wish.model]));
  checkModel(wish, known);
  const url = new URL(wish.url).href;
  const addresses = await checkAddress(wish.url, routerUrl, ports);
  await desk.refuseTaken(wish.id, operator.id);
  if (operator.endpoints >= ENDPOINTS_MAX) throw tooMany();

  const key = wish.key === undefined ? null : await desk.sealKey(wish.id, url, wish.key);
  const keySecret = key && endpointKeyName(wish.id, key.origin);
  const modelContext = known.contexts.get(wish.model) ?? null;
  const endpoint = toEndpointRow({ ...wish, url }, { operatorId: operator.id, teamId: operator.teamId, modelContext, keySecret });
  const place = desk.placeIn(endpoint, operator.id, manager);
  await desk.refuseShared(place);
  const price = ports.priceOf(wish);
  checkPublicPrice(price, endpoint);
  const nowMs = now();
  // What an endpoint of this id was charged before it retired ends here, also where no price is stated.
  const former = await ask(readRegistered(db, wish.id));
  const given = { endpoint, price, before: former?.offer ?? null, path: 'price' };
  const taken = await desk.takePrice(given, { operatorId: operator.id, isManager: isManager(manager), nowMs });
  const recalled = isManager(manager) ? NOTHING_RECALLED : await desk.recall(endpoint, place, null);
  const registration = newRegistration(wish.id, operator.id, { nowMs, addresses, ...beginningOf(manager, recalled, nowMs) });
  const offer = taken.offer ?? former?.offer ?? null;
  const made: RegisteredEndpoint = { registration, endpoint, offer, held: heldAfter(taken, null), operator };
  const enrolment: Enrolment = {
    operatorId: operator.id,
    atMs: nowMs,
    endpoints: [endpoint],
    registrations: [registration],
    events: [begin(wish.id, registration.state, { reason: registration.reason, actor: manager.actor, atMs: nowMs })],
    offers: taken.offer === null ? [] : [taken.offer],
    held: new Map(taken.held === undefined ? [] : [[wish.id, taken.held]]),
    keys: key === null ? [] : [key],
    places: [place],
    node: null,
    tokenHash: null,
    gone: [],
    audit: desk.entryOf(manager.actor, 'endpoint.register', null, made),
  };
  try {
    await ask(enrol(db, enrolment));
  } catch (failure) {
    // Somebody else may have taken the id, the address, or the last place, in between.
    await desk.refuseTaken(wish.id, operator.id);
    await desk.refuseShared(place);
    if ((await pickOperator({ db, ask }, manager, operator.id)).endpoints >= ENDPOINTS_MAX) throw tooMany();
    throw failure;
  }
  await ports.renewCatalogue();
  return made;
}

type Beginning = Pick<StoredRegistration, 'state' | 'reason' | 'challenge' | 'provenAtMs'> & Partial<StoredRegistration>;

/** Finds where an endpoint begins: a manager's is looked at at once, another one proves itself first, or is in quarantine already. */
function beginningOf(manager: SupplyManager, { caught, difference }: Recalled, nowMs: number): Beginning {
  if (isManager(manager)) return { state: 'probing', reason: null, challenge: null, provenAtMs: nowMs, ...vouchedFor(manager, nowMs) };
  const unproven = { challenge: createChallenge(), provenAtMs: null, seen: seenOfAnother(null, difference, nowMs) };
  if (caught === undefined) return { ...unproven, state: 'pending', reason: 'its challenge is not served yet' };
  return { ...unproven, state: 'quarantined', reason: caught.reason, failedProbes: caught.failedProbes };
}

function tooMany(): GatewayError {
  return new GatewayError('limit_exceeded', `An operator may have ${ENDPOINTS_MAX} endpoints at a time: retire one first.`, {
    param: 'id',
  });
}
