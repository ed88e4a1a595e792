/** From a call of the hall to a request that runs once. */
import { newGenerationId, type Random } from '../generation-id.ts';
import { IDEMPOTENCY_HEADER } from './idempotency-key.ts';
import type { Once, OnceRequest } from './once.ts';
import type { SoleRun } from './sole-run.ts';

/** What a call must say; `once` is set on the call that runs. */
export interface KeyableCall extends Omit<OnceRequest, 'teamId' | 'keyId' | 'token' | 'generationId'> {
  token: string | null;
  arrivedAtMs: number;
  once?: SoleRun;
}

export interface OnceCallPorts {
  once: Once;
  /** Finds the caller; throws GatewayError. */
  authenticate(
    token: string | null,
    waitUntil: KeyableCall['waitUntil'],
  ): Promise<{ kind: string; keyId: string; team: { id: string } | null }>;
  random: Random;
}

/** Serves a call with `start`; one that has an `Idempotency-Key` once only. */
export type ServeOnce = <Call extends KeyableCall>(call: Call, start: (call: Call) => Promise<Response>) => Promise<Response>;

/** Creates the way in. Calls without the header pay one look at their headers. */
export function createServeOnce({ once, authenticate, random }: OnceCallPorts): ServeOnce {
  const serveKeyed: ServeOnce = async (call, start) => {
    const { token, arrivedAtMs, waitUntil } = call;
    const { kind, keyId, team } = await authenticate(token, waitUntil);
    // Whoever may not infer is told so where everybody else is.
    if (token === null || team === null || kind !== 'inference') return start(call);
    const generationId = newGenerationId(arrivedAtMs, random);
    return once.serve({ ...call, token, keyId, teamId: team.id, generationId }, (run) => start({ ...call, once: run, signal: run.signal }));
  };
  return (call, start) => (call.headers.has(IDEMPOTENCY_HEADER) ? serveKeyed(call, start) : start(call));
}
