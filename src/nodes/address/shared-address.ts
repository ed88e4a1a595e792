/** One machine, one endpoint: who registers the same model at the same place again would get its share, and what it may run at once, twice. */
import { isNamedHost } from '#schema/destination';
import { GatewayError } from '#schema/error';
import type { StoredEndpoint } from '../register/registrations-store.ts';
import type { Occupant, Place } from './shared-address-store.ts';

/** Says which place an endpoint takes. `isManagers`: it stands there by a manager's word. */
export function placeOf(
  { id, url, upstreamModel }: Pick<StoredEndpoint, 'id' | 'url' | 'upstreamModel'>,
  {
    isManagers,
    allowedHosts,
    ...who
  }: { isManagers: boolean; allowedHosts: readonly string[] } & Pick<Place, 'operatorId' | 'isRegistered'>,
): Place {
  return { id, url, upstreamModel, ...who, pathsDiffer: isManagers || isNamedHost(new URL(url), allowedHosts) };
}

/** Builds the refusal. Another operator's endpoint is not named. */
export function sharedAddress({ endpointId, operatorId }: Occupant, place: Place): GatewayError {
  const which = operatorId === place.operatorId ? `the endpoint ${endpointId}` : 'another endpoint';
  return new GatewayError(
    'conflict',
    `This model is registered at this address already, as ${which}: an address is one endpoint. A manager may register several paths of it.`,
    {
      param: 'url',
    },
  );
}
