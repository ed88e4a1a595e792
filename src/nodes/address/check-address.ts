/** Whether an endpoint may be registered at an address: what its URL says (S1–S5, S8–S10), whose host it is (S12), and where its name leads (S6). */
import { isAllowedDestination } from '#schema/destination';
import { GatewayError } from '#schema/error';
import { refuseField } from '../register/endpoint-wish.ts';
import type { SupplyPorts } from '../supply-ports.ts';
import { DOH_URL_DEFAULT, DOH_URL_VARIABLE, resolveHost } from './resolve-host.ts';

type AddressPorts = Pick<SupplyPorts, 'fetch' | 'secret' | 'allowedHosts'>;

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * Checks an address and gives the addresses that its host has now; null where there is nothing to look up. `routerUrl` is how the router was
 * called. Throws GatewayError `invalid_request` with `param` url, and `no_endpoint_available` where the resolver does not answer.
 */
export async function checkAddress(url: string, routerUrl: string, ports: AddressPorts): Promise<string[] | null> {
  const verdict = isAllowedDestination(url, ports.allowedHosts);
  if (!verdict.ok) throw refuseField('url', verdict.reason);
  if (isOwnHost(new URL(url), new URL(routerUrl))) throw refuseField('url', 'it is this router itself');
  const resolved = await resolveHost(url, { ...ports, dohUrl: ports.secret(DOH_URL_VARIABLE) ?? DOH_URL_DEFAULT });
  if (resolved.ok) return resolved.addresses;
  if (resolved.kind !== 'unreachable') throw refuseField('url', resolved.reason);
  throw new GatewayError('no_endpoint_available', 'The name of the host cannot be looked up right now. Try again shortly.', {
    param: 'url',
    retryAfterS: 5,
  });
}

/** A public host serves the router on whatever port; on loopback each port is something else. */
function isOwnHost(url: URL, router: URL): boolean {
  if (LOOPBACK.test(url.hostname) && LOOPBACK.test(router.hostname)) return portOf(url) === portOf(router);
  return url.hostname === router.hostname;
}

function portOf({ port, protocol }: URL): string {
  return port !== '' ? port : protocol === 'https:' ? '443' : '80';
}
