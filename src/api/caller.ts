/** Who asks: anybody, the holder of a key, a team, or a manager. */
import type { Context } from 'hono';
import { GatewayError } from '#schema/error';
import type { Caller, Team } from '#src/admission/admission';
import type { SupplyManager } from '#src/nodes/supply-manager';
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
  const kind = caller.kind === 'operator' ? 'an operator' : 'a management';
  throw new GatewayError('permission_denied', `This path is for inference keys; ${kind} key infers nothing.`);
}

/** The holder of a management key: what they may touch, and who the audit trail says they are. */
export interface Manager {
  /** The one team that they manage; null means all, and the deployment itself. */
  teamId: string | null;
  /** Id of their key. */
  actor: string;
}

/** Finds a caller with a management key. Throws GatewayError: `invalid_api_key`, `permission_denied`. */
export async function requireManager(hall: Hall, c: Context): Promise<Manager> {
  const caller = await requireCaller(hall, c);
  if (caller.kind === 'management') return { teamId: caller.team?.id ?? null, actor: caller.keyId };
  const held = caller.kind === 'operator' ? 'operator keys manage their own endpoints and nodes' : 'inference keys cannot manage';
  throw new GatewayError('permission_denied', `This path needs a management key (sk-hr-mgmt-…); ${held}.`);
}

/** One team, or all of them where it is null. */
export interface Reach {
  teamId: string | null;
}

/** Narrows what a manager may see to the team that the query names, by whichever of its words; null where nothing is left of it. */
export function reachOf({ teamId }: Manager, ...named: readonly (string | undefined)[]): Reach | null {
  const teams = new Set([teamId ?? undefined, ...named].filter((team) => team !== undefined));
  const [team = null] = teams;
  return teams.size > 1 ? null : { teamId: team };
}

/** Finds a manager of the whole deployment. Throws GatewayError: `invalid_api_key`, `permission_denied` also for those of one team. */
export async function requireDeploymentManager(hall: Hall, c: Context): Promise<Manager> {
  const manager = await requireManager(hall, c);
  if (manager.teamId === null) return manager;
  throw new GatewayError('permission_denied', 'This path needs a management key of the whole deployment; this one manages a single team.');
}

/** Finds who manages supply: the holder of an operator key, or a manager. Throws GatewayError: `invalid_api_key`, `permission_denied`. */
export async function requireSupplyManager(hall: Hall, c: Context): Promise<SupplyManager> {
  const caller = await requireCaller(hall, c);
  if (caller.kind === 'management') return { actor: caller.keyId, operatorId: null, teamId: caller.team?.id ?? null };
  if (caller.operatorId !== undefined) return { actor: caller.keyId, operatorId: caller.operatorId, teamId: null };
  throw new GatewayError(
    'permission_denied',
    'This path needs an operator key (sk-hr-op-…) or a management key; inference keys cannot manage.',
  );
}

/** Tells whether a request is signed by a node, and brings no key. */
export function isSigned(authorization: string): boolean {
  return /^node /i.test(authorization);
}

/** The same, or a node that signs for itself. */
export async function requireNodeManager(hall: Hall, c: Context): Promise<SupplyManager> {
  const authorization = c.req.header('authorization') ?? '';
  if (!isSigned(authorization)) return requireSupplyManager(hall, c);
  return hall.register.nodes.authenticate({ authorization, method: c.req.method, path: c.req.path });
}
