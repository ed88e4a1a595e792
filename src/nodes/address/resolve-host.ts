/**
 * What a public host's name leads to, asked over HTTPS of a resolver of the deployment's choice (S6, S13): a Worker cannot look names up itself.
 * JSON as https://developers.cloudflare.com/1.1.1.1/encryption/dns-over-https/make-api-requests/dns-json/ describes it.
 */
import { z } from 'zod';
import { isNamedHost, isPublicAddress } from '#schema/destination';
import { readAtMost } from '#schema/read-at-most';
import { RUNTIME_TIMERS, type Timers } from '#schema/timers';
import { within } from '#schema/within';

/** Name of the variable that names another resolver. */
export const DOH_URL_VARIABLE = 'HEADRACE_DOH_URL';
export const DOH_URL_DEFAULT = 'https://cloudflare-dns.com/dns-query';

/** What a host leads to; `addresses` sorted, null where there was nothing to look up: an address itself, or a host that the deployment names. */
export type Resolved =
  | { ok: true; addresses: string[] | null }
  /** `private`: it leads to an address that is not public. `unknown`: to none. `unreachable`: the resolver did not say. */
  | { ok: false; kind: 'private' | 'unknown' | 'unreachable'; reason: string };

export interface ResolvePorts {
  fetch: typeof fetch;
  /** The resolver's address. */
  dohUrl: string;
  allowedHosts: readonly string[];
  timers?: Timers;
}

const TIMEOUT_MS = 3_000;
const ANSWER_BYTES_MAX = 64 * 1024;
const ANSWERS_MAX = 64;
/** Longer chains of names lead nowhere good. */
const ALIASES_MAX = 8;

const TYPES = { A: 1, CNAME: 5, AAAA: 28 } as const;
const NO_ERROR = 0;
const NO_SUCH_NAME = 3;

const dnsAnswer = z.object({
  Status: z.int(),
  Answer: z.array(z.object({ type: z.int(), data: z.string().max(1000) })).optional(),
});

/** Looks up both kinds of addresses of a URL's host. Every one of them must be public. */
export async function resolveHost(url: string, ports: ResolvePorts): Promise<Resolved> {
  const parsed = new URL(url);
  const { hostname } = parsed;
  if (isNamedHost(parsed, ports.allowedHosts) || hostname.startsWith('[') || /^[\d.]+$/.test(hostname))
    return { ok: true, addresses: null };
  const answers = await Promise.all([ask(hostname, 'A', ports), ask(hostname, 'AAAA', ports)]);
  const known = answers.filter((answer) => answer !== null);
  if (known.length < answers.length) return refuse('unreachable', 'its name cannot be looked up right now');
  if (known.some(({ aliases }) => aliases > ALIASES_MAX)) return refuse('unknown', 'its name is an alias of too many others');
  if (known.some((answer) => answer.addresses.length > ANSWERS_MAX)) return refuse('unknown', 'its name has too many addresses');
  const addresses = [...new Set(known.flatMap((answer) => answer.addresses))].sort();
  if (addresses.length === 0) return refuse('unknown', 'its name has no address');
  if (!addresses.every(isPublicAddress)) return refuse('private', 'its name leads to an address that is private or reserved');
  return { ok: true, addresses };
}

/** Asks for one kind of address; null where no answer comes that can be trusted. */
async function ask(name: string, type: 'A' | 'AAAA', ports: ResolvePorts): Promise<{ addresses: string[]; aliases: number } | null> {
  try {
    return await within(askResolver(name, type, ports), TIMEOUT_MS, ports.timers ?? RUNTIME_TIMERS);
  } catch {
    return null;
  }
}

async function askResolver(name: string, type: 'A' | 'AAAA', { fetch, dohUrl }: ResolvePorts) {
  const url = new URL(dohUrl);
  url.searchParams.set('name', name);
  url.searchParams.set('type', type);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(url.href, { headers: { accept: 'application/dns-json' }, redirect: 'manual', signal });
  const text = await readAtMost(response, ANSWER_BYTES_MAX);
  if (!response.ok || text === null) return null;
  const { Status: status, Answer: answers = [] } = dnsAnswer.parse(JSON.parse(text));
  if (status === NO_SUCH_NAME) return { addresses: [], aliases: 0 };
  if (status !== NO_ERROR) return null;
  return {
    // Whatever it is that stands where an address belongs is judged as one.
    addresses: answers.filter((answer) => answer.type === TYPES[type]).map(({ data }) => data.toLowerCase()),
    aliases: answers.filter((answer) => answer.type === TYPES.CNAME).length,
  };
}

function refuse(kind: 'private' | 'unknown' | 'unreachable', reason: string): Resolved {
  return { ok: false, kind, reason };
}
