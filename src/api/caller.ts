/** Who asks: anybody, the holder of a key, a team, or a manager. */
import type { Context } from 'hono';
import { GatewayError } from '#schema/error';
import type { Caller, Team } from '#src/admission/admission';
import type { Hall } from '#src/serve';
import { bearerToken } from './bearer.ts';

/** The Workers runtime's way to keep work alive after the answer. */
export function waitUntilOf(c: Context): (work: Promise<unknown>) => void {
  return (work) => c.executionCtx.waitUntil(work);
}

/** Finds the caller. Throws GatewayError `invalid_api_key`. */
export function requireCaller(hall: Hall, c: Context): Promise<Caller> {
  return hall.authenticate(bearerToken(c.req.raw.headers), waitUntilOf(c));
}

/** Finds the caller if there is a key; null without one. A wrong key is refused, not ignored. */
export async function optionalCaller(hall: Hall, c: Context): Promise<Caller | null> {
  return bearerToken(c.req.raw.headers) === null ? null : requireCaller(hall, c);
}

/** Finds the caller and the team that an inference key belongs to. Throws GatewayError: `invalid_api_key`, `permission_denied`. */
export async function requireTeam(hall: Hall, c: Context): Promise<{ caller: Caller; team: Team }> {
  const caller = await requireCaller(hall, c);
  if (caller.kind === 'inference' && caller.team) return { caller, team: caller.team };
  throw new GatewayError('permission_denied', 'This path is for inference keys; a management key infers nothing.');
}

/** Finds a caller with a management key and the team that it manages; null means all. Throws GatewayError: `invalid_api_key`, `permission_denied`. */
export async function requireManager(hall: Hall, c: Context): Promise<string | null> {
  const caller = await requireCaller(hall, c);
  if (caller.kind === 'management') return caller.team?.id ?? null;
  throw new GatewayError('permission_denied', 'This path needs a management key (sk-hr-mgmt-…); inference keys cannot manage.');
}
