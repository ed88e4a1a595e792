/** Whether an endpoint at its own address is still where its operator proved it to be: its challenge, and where its name leads (S6, S13). */
import { isAllowedDestination } from '#schema/destination';
import type { Timers } from '#schema/timers';
import type { StoredRegistration } from '../register/registrations-store.ts';
import { checkChallenge } from './challenge.ts';
import { resolveHost } from './resolve-host.ts';

export interface ProvePorts {
  /** The network. */
  fetch: typeof fetch;
  now(): number;
  timers: Timers;
  /** The resolver's address. */
  dohUrl: string;
  allowedHosts: readonly string[];
}

/**
 * How the address stands. `proven`: it may be called; what has changed of the registration is with it. `unproven`: the challenge is not
 * there. `refused`: it must not be called. `unknown`: nobody can tell right now.
 */
export type Proven =
  | { kind: 'proven'; changes: { provenAtMs?: number; addresses?: string[] | null } }
  | { kind: 'unproven' | 'refused' | 'unknown'; reason: string };

/** Checks an address. A name that has moved altogether must be proven again, unless a manager vouches for it. */
export async function prove(url: string, registration: StoredRegistration, ports: ProvePorts): Promise<Proven> {
  const verdict = isAllowedDestination(url, ports.allowedHosts);
  if (!verdict.ok) return { kind: 'refused', reason: verdict.reason };
  const resolved = await resolveHost(url, ports);
  const { challenge, provenAtMs, addresses: known } = registration;
  if (!resolved.ok) {
    if (resolved.kind === 'private') return { kind: 'refused', reason: resolved.reason };
    // A resolver that does not answer takes nobody out of traffic, and lets nobody in.
    if (resolved.kind === 'unreachable' && provenAtMs !== null) return { kind: 'proven', changes: {} };
    return { kind: 'unknown', reason: resolved.reason };
  }
  const { addresses } = resolved;
  const hasMoved = known !== null && addresses !== null && !addresses.some((address) => known.includes(address));
  const moved = JSON.stringify(addresses) === JSON.stringify(known) ? {} : { addresses };
  if (provenAtMs !== null && (!hasMoved || challenge === null)) return { kind: 'proven', changes: moved };
  if (challenge === null) return { kind: 'unproven', reason: 'there is no challenge to prove it by' };
  const proof = await checkChallenge({ url, challenge }, ports);
  return proof.ok ? { kind: 'proven', changes: { ...moved, provenAtMs: ports.now() } } : { kind: 'unproven', reason: proof.reason };
}
