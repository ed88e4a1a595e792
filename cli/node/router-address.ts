/** The address of a router, as an operator names it. */
import { UsageError } from '../command-error.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

export interface RouterAddress {
  /** Address without a trailing slash and without `/v1`. */
  url: string;
  /** Host, with its port where that is not the scheme's own: what the router must call itself. */
  host: string;
}

/** Reads an address. Plain http is for loopback, or for who says so: a token and prompts would cross the network in the open. Throws UsageError. */
export function readRouterAddress(text: string, isInsecureAllowed: boolean): RouterAddress {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`not an address: ${text} (expected https://…)`);
  if (url.username !== '' || url.password !== '') throw new UsageError('the address holds a password; give the token with --token');
  if (!isPrivateWay(url.href) && !isInsecureAllowed)
    throw new UsageError(`${url.origin} is not encrypted: use https, or add --insecure where the network between is your own`);
  return { url: `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/(\/api)?\/v1$/, '')}`, host: url.host };
}

/** Tells whether nobody on the way can read along: over TLS, or without leaving the machine. */
export function isPrivateWay(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || LOOPBACK.test(hostname);
}

/** Builds the WebSocket address of a node's link: always at the router that was dialled, whatever its answers name. */
export function linkAddress({ url }: RouterAddress, node: string): string {
  return `${url.replace(/^http/, 'ws')}/v1/nodes/${encodeURIComponent(node)}/link`;
}
