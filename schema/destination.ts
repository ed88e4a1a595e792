/** The destination rule: which addresses an endpoint may have, so that no supplier can make us call a private place. */

/** Answers whether an address may be called; `reason` is one clause fit for an error message. */
export type DestinationVerdict = { ok: true } | { ok: false; reason: string };

/** Ports that public hosts may use. */
const PUBLIC_PORTS = new Set(['', '443', '8443']);

/** Top-level names that only private resolvers answer. RFC 6761, RFC 6762, RFC 8375, ICANN's reserved `.internal`. */
const PRIVATE_SUFFIXES = [
  'localhost',
  'local',
  'internal',
  'intranet',
  'private',
  'corp',
  'home',
  'lan',
  'localdomain',
  'home.arpa',
  'onion',
];

/** Public names that resolve to whatever address they spell. */
const WILDCARD_DNS = ['nip.io', 'sslip.io', 'xip.io', 'localtest.me', 'lvh.me', 'vcap.me'];

/** IPv4 blocks that are not the public internet, as [network, prefix length]. IANA special-purpose registry. */
const SPECIAL_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

function toIpv4Number(host: string): number {
  return host.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

const specialIpv4Ranges = SPECIAL_IPV4.map(([network, prefix]) => {
  const first = toIpv4Number(network);
  return { first, last: first + 2 ** (32 - prefix) - 1 };
});

function isPublicIpv4(host: string): boolean {
  const address = toIpv4Number(host);
  return !specialIpv4Ranges.some(({ first, last }) => address >= first && address <= last);
}

/** Accepts global unicast 2000::/3 without its special parts: everything else, mapped and translated forms included, is refused. */
function isPublicIpv6(host: string): boolean {
  const [first = '', second = ''] = host.split(':');
  const high = Number.parseInt(first === '' ? '0' : first, 16);
  const next = Number.parseInt(second === '' ? '0' : second, 16);
  if (high < 0x2000 || high > 0x3fff) return false;
  if (high === 0x2002) return false; // 6to4 carries an IPv4 address
  if (high === 0x2001 && (next < 0x200 || next === 0xdb8)) return false; // 2001::/23 (Teredo, ORCHID …) and documentation
  return !(high === 0x3fff && next < 0x1000); // documentation, RFC 9637
}

/** Tells whether an address as DNS gives it (`203.0.113.9`, `2001:db8::1`) is on the public internet; anything that is no address is not. */
export function isPublicAddress(address: string): boolean {
  if (/^(\d{1,3}\.){3}\d{1,3}$/.test(address)) return address.split('.').every((octet) => Number(octet) <= 255) && isPublicIpv4(address);
  if (!/^[\da-f:.]{2,45}$/i.test(address) || !address.includes(':') || !URL.canParse(`http://[${address}]`)) return false;
  return isPublicIpv6(new URL(`http://[${address}]`).hostname.slice(1, -1));
}

/** Tells whether a deployment names the host of a URL in `allowedHosts`, alone or with its port. */
export function isNamedHost(url: URL, allowedHosts: readonly string[]): boolean {
  const { hostname, host } = url;
  const name = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return allowedHosts.some((allowed) => allowed === name || allowed === hostname || allowed === host);
}

function endsInName(host: string, names: readonly string[]): boolean {
  return names.some((name) => host === name || host.endsWith(`.${name}`));
}

function refuse(reason: string): DestinationVerdict {
  return { ok: false, reason };
}

/** True for a control character, a space or a backslash: the URL parser would drop or rewrite them in silence. */
function hasRewrittenCharacter(url: string): boolean {
  for (let at = 0; at < url.length; at++) {
    const unit = url.charCodeAt(at);
    if (unit <= 0x20 || unit === 0x7f || unit === 0x5c) return true;
  }
  return false;
}

/**
 * Judges the base URL of an endpoint: https on port 443 or 8443 to a public host, or any host that the deployment names
 * in `allowedHosts` (`127.0.0.1`, `::1`, `gpu.lan`, or with its port `127.0.0.1:9101`), there also over http.
 * Spellings (octal, hex, percent-encoded, full-width, mapped) are judged after the URL standard has normalised them.
 */
export function isAllowedDestination(url: string, allowedHosts: readonly string[]): DestinationVerdict {
  if (hasRewrittenCharacter(url)) return refuse('it contains a space, a backslash or a control character');
  if (!URL.canParse(url)) return refuse('it is not a URL');
  const parsed = new URL(url);
  const { protocol, hostname, port, username, password, search, hash } = parsed;
  if (protocol !== 'https:' && protocol !== 'http:') return refuse('only https is allowed');
  if (username !== '' || password !== '') return refuse('it contains user information');
  if (search !== '' || hash !== '' || url.includes('?') || url.includes('#')) return refuse('it contains a query or a fragment');

  if (isNamedHost(parsed, allowedHosts)) return { ok: true };
  const isIpv6 = hostname.startsWith('[');
  const name = isIpv6 ? hostname.slice(1, -1) : hostname;

  if (protocol !== 'https:') return refuse('only https is allowed');
  if (!PUBLIC_PORTS.has(port)) return refuse(`port ${port} is not allowed; use 443 or 8443`);
  if (isIpv6) return isPublicIpv6(name) ? { ok: true } : refuse('the address is private or reserved');
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return isPublicIpv4(name) ? { ok: true } : refuse('the address is private or reserved');
  if (name.endsWith('.')) return refuse('the host ends in a dot');
  if (!name.includes('.')) return refuse('the host is not a public name');
  if (endsInName(name, PRIVATE_SUFFIXES)) return refuse('the host is not a public name');
  if (endsInName(name, WILDCARD_DNS)) return refuse('the host resolves to any address');
  return { ok: true };
}

/** Judges the address of a document to read, such as a list of models: that of an endpoint, and a query may follow. */
export function isAllowedDocument(url: string, allowedHosts: readonly string[]): DestinationVerdict {
  const at = url.indexOf('?');
  return isAllowedDestination(at === -1 || url.includes('#') ? url : url.slice(0, at), allowedHosts);
}
