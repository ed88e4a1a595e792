/** Where keys of providers may be sent. */
import { providers } from '#providers/registry';
import { isAllowedDestination } from '#schema/destination';

/**
 * Lists the providers that take a key and have an address of their own, each with its origin. Addresses that break the destination rule are
 * left out: https to a public host, or a host that the deployment names.
 */
export function providerOrigins(allowedHosts: readonly string[]): ReadonlyMap<string, string> {
  const origins = new Map<string, string>();
  for (const { id, auth, baseUrl } of providers.values()) {
    if (auth === 'none' || baseUrl === null || !isAllowedDestination(baseUrl, allowedHosts).ok) continue;
    origins.set(id, new URL(baseUrl).origin);
  }
  return origins;
}
