/** What a look uses, gathered from what the house has: alike for those who ask for one and for the schedule. */
import type { Timers } from '#schema/timers';
import { DOH_URL_DEFAULT, DOH_URL_VARIABLE } from '../address/resolve-host.ts';
import type { LookPorts } from './look.ts';

/** What the house has for looks. */
export interface LookHouse extends Pick<LookPorts, 'db' | 'now' | 'random' | 'fetch' | 'say' | 'allowedHosts'> {
  secret(name: string): string | undefined;
  node(nodeId: string): { fetch(input: string, init?: RequestInit): Promise<Response> };
  /** Opens the key of an endpoint that the catalogue may not name yet; null where there is none that may go to that address. */
  endpointKey(endpointId: string, url: string): Promise<string | null>;
}

/** Gathers the ports of a look. A key that cannot be opened is no key. */
export function lookPortsOf(
  { db, now, random, fetch, say, allowedHosts, secret, node, endpointKey }: LookHouse,
  timers: Timers,
): LookPorts {
  return {
    db,
    now,
    random,
    timers,
    fetch,
    say,
    nodeFetch: (nodeId) => ((input: string, init?: RequestInit) => node(nodeId).fetch(input, init)) as typeof globalThis.fetch,
    keyOf: async ({ id, url, keySecret }) => (keySecret === null ? null : ((await endpointKey(id, url)) ?? undefined)),
    dohUrl: secret(DOH_URL_VARIABLE) ?? DOH_URL_DEFAULT,
    allowedHosts,
  };
}
