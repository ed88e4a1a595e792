/** How the price of a registered endpoint stands once a change is written. Pure. */
import { operationsOf, type Capability } from '#schema/catalog';
import { isBilledAlike } from '#schema/manifest';
import type { Price } from '#schema/money';
import type { CreateEndpoint, UpdateEndpoint } from '#schema/registration';
import { refuseField } from '../register/endpoint-wish.ts';
import type { RegisteredEndpoint, StoredEndpoint } from '../register/registrations-store.ts';
import type { SupplyPorts } from '../supply-ports.ts';
import type { AskedHeld } from './held-price-store.ts';
import { priceOfRow } from './price-row.ts';
import type { TakenPrice } from './take-price.ts';

/** What a change writes of a price that gives none. */
export const UNPRICED: TakenPrice = { offer: null, held: undefined };

/**
 * Finds the price that a change gives: what it states, or what was charged before for what it now is. Undefined where it gives none. Throws
 * GatewayError `invalid_request` where the endpoint comes to be billed by other units and the change does not say for how much.
 */
export function priceAfter(
  { offer, endpoint }: Pick<RegisteredEndpoint, 'offer' | 'endpoint'>,
  after: StoredEndpoint,
  wish: UpdateEndpoint,
  priceOf: SupplyPorts['priceOf'],
): Price | null | undefined {
  const capabilities = after.capabilities as NonNullable<CreateEndpoint['capabilities']>;
  if (wish.price !== undefined) return priceOf({ price: wish.price, capabilities });
  const price = priceOfRow(offer);
  if (price === null) return undefined;
  const before = endpoint.capabilities as Capability[];
  if (!isBilledAlike(capabilities, before))
    throw refuseField('price', 'is required: what the endpoint is billed by changes with its capabilities');
  const known = operationsOf(before);
  const isSame = after.modelId === endpoint.modelId && [...operationsOf(capabilities)].every((operation) => known.has(operation));
  return isSame ? undefined : price;
}

/** Finds what is held once a change is written: what it asks, nothing any more, or what was held before. */
export function heldAfter({ held }: { held?: TakenPrice['held'] }, before: AskedHeld | null): AskedHeld | null {
  if (held === undefined) return before;
  return held && { price: held.terms as Price, reason: held.reason, seenAtMs: held.seenAtMs, decision: null };
}
