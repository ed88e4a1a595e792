/** The gate: who is calling, what they may do, and the policy that governs the request. */
import type { OwnKeyOf } from '#schema/byok';
import { GatewayError } from '#schema/error';
import type { RequestFacts } from '#schema/facts';
import type { ProviderWishes, ResolvedPolicy } from '#schema/policy';
import type { PolicyLevels } from '#schema/receipt';
import type { RoutedRequest } from '#schema/skin';
import { mayUseModel, type Caller, type Team } from './caller.ts';
import { withFallbacks } from './fallback-models.ts';
import { FIRST_KEY_SECRET, firstCaller } from './first-key.ts';
import { createFreshCache, type WaitUntil } from './fresh-cache.ts';
import { parseModelName, suffixWishes } from './model-name.ts';
import { policyLevels } from './policy-levels.ts';
import { resolvePolicy, type PolicyBook } from './resolve-policy.ts';
import { findCaller, hasManager, readPolicyBook } from './store.ts';
import { hashToken, isTokenShaped } from './token.ts';

export type { Caller, Team } from './caller.ts';

/** An admitted request: who pays, what was asked, under which policy. */
export interface Admission {
  caller: Caller;
  team: Team;
  request: RoutedRequest;
  policy: ResolvedPolicy;
  facts: RequestFacts;
  /** Names to serve, best first: as requested, then the policy's fallbacks; known suffixes off, aliases not yet resolved. */
  models: readonly string[];
  /** Finds the team's own keys for providers, once the hall has opened them; absent where it has none. */
  ownKeyOf?: OwnKeyOf;
  /** Where the policy came from; `requestedModels` counts names, of which some may be unknown. */
  levels: PolicyLevels;
}

/** What admission needs of the house. */
export interface AdmissionPorts {
  db: D1Database;
  now(): number;
  log(event: Record<string, unknown>): void;
  /** Reads a Worker secret. */
  secret(name: string): string | undefined;
}

/** A request as its surface has read it. */
export interface Asked {
  request: RoutedRequest;
  /** Tells routing what it may know. `freeOnly` comes from the model suffix `:free`. */
  toFacts(of: { teamId: string; freeOnly: boolean }): RequestFacts;
}

export interface AdmitInput<A extends Asked> {
  caller: Caller;
  /** Reads the body; called once it is clear that the caller may infer at all. */
  read(): A;
  headers: Headers;
  /** Resolves an alias to the model id that key globs and policy fallbacks are written in. */
  canonicalModel(name: string): string;
  waitUntil: WaitUntil;
}

export interface Gate {
  /** Finds the caller of a token. Throws GatewayError: `invalid_api_key`, the same for unknown, disabled, expired; `ledger_unavailable`. */
  authenticate(token: string | null, waitUntil: WaitUntil): Promise<Caller>;
  /** Checks a request and resolves its policy. Throws GatewayError: `invalid_request` with `param`, `permission_denied`, `ledger_unavailable`. */
  admit<A extends Asked>(input: AdmitInput<A>): Promise<Admission & { asked: A }>;
  /** Resolves the policy that holds for all requests of a key. Throws GatewayError: `permission_denied` for keys that do not infer, `ledger_unavailable`. */
  policyOf(caller: Caller, waitUntil: WaitUntil): Promise<ResolvedPolicy>;
  /** Makes this isolate read every key and policy again. */
  forgetAll(): void;
  /** Makes this isolate look a key up again, by its SHA-256 (hex). */
  forget(hash: string): void;
  /** Makes this isolate look all keys of a team up again, and with them what the team has. */
  forgetTeam(teamId: string): void;
}

/** Timing of both caches: a change is seen within `lifetimeMs`, or `staleMs` while D1 fails. Below 60 s, as revocation must be. */
const FRESHNESS = { lifetimeMs: 30_000, absenceMs: 5_000, staleMs: 59_000, timeoutMs: 2_000 };
const KEYS_MAX = 10_000;
const POLICY_HEADER = 'x-headrace-policy';

function refuseToken(): GatewayError {
  return new GatewayError('invalid_api_key', 'Invalid API key. Pass a valid key as "Authorization: Bearer sk-hr-…".');
}

/** Creates the gate of one isolate, with its caches of keys and policies. */
export function createAdmission({ db, now, log, secret }: AdmissionPorts): Gate {
  const callers = createFreshCache<Caller>({ ...FRESHNESS, load: findKnown, now, capacity: KEYS_MAX });
  const books = createFreshCache<PolicyBook>({ ...FRESHNESS, load: () => readPolicyBook(db), now, capacity: 1 });

  function unavailable(what: string, cause: unknown): GatewayError {
    log({ event: 'admission_unavailable', what, cause: cause instanceof Error ? cause.name : 'unknown' });
    return new GatewayError('ledger_unavailable', 'Accounts cannot be read right now. Try again shortly.', { retryAfterS: 2, cause });
  }

  async function findKnown(hash: string): Promise<Caller | null> {
    const caller = await findCaller(db, hash);
    const first = caller === null ? firstCaller(hash, secret(FIRST_KEY_SECRET)) : null;
    return first === null || (await hasManager(db)) ? caller : first;
  }

  async function authenticate(token: string | null, waitUntil: WaitUntil): Promise<Caller> {
    if (token === null || !isTokenShaped(token)) throw refuseToken();
    let caller: Caller | null;
    try {
      caller = await callers.get(hashToken(token), waitUntil);
    } catch (cause) {
      throw unavailable('keys', cause);
    }
    if (caller === null || (caller.expiresAtMs !== null && caller.expiresAtMs <= now())) throw refuseToken();
    return caller;
  }

  async function readBook(waitUntil: WaitUntil): Promise<PolicyBook> {
    try {
      return (await books.get('all', waitUntil)) as PolicyBook;
    } catch (cause) {
      throw unavailable('policies', cause);
    }
  }

  async function admit<A extends Asked>(input: AdmitInput<A>): Promise<Admission & { asked: A }> {
    const { caller, headers, canonicalModel, waitUntil } = input;
    const team = requireInference(caller);
    const asked = input.read();
    const { request } = asked;
    const names = uniqueNames(request).map(parseModelName);
    const requested = names.map(({ base }) => base);
    for (const name of requested) requireModel(caller, canonicalModel(name), name);

    const suffixes = names.flatMap(({ suffix }) => (suffix === null ? [] : [suffix]));
    const wishes: ProviderWishes[] = request.provider ? [request.provider] : [];
    // Nearest last: of two suffixes that state the same preference, the first model's counts.
    wishes.push(...suffixes.toReversed().map(suffixWishes));
    const named = request.provider?.policy ?? (headers.get(POLICY_HEADER) || null);
    const policy = resolvePolicy(await readBook(waitUntil), { team: team.policy, key: caller.keyPolicy, request: named }, wishes);
    return {
      caller,
      team,
      asked,
      request,
      policy,
      facts: asked.toFacts({ teamId: team.id, freeOnly: suffixes.includes('free') }),
      models: withFallbacks(requested, policy, { caller, canonicalModel }),
      levels: policyLevels(caller, { request: named, wishes, requestedModels: new Set(requested).size }),
    };
  }

  async function policyOf(caller: Caller, waitUntil: WaitUntil): Promise<ResolvedPolicy> {
    const team = requireInference(caller);
    return resolvePolicy(await readBook(waitUntil), { team: team.policy, key: caller.keyPolicy, request: null }, []);
  }

  return {
    authenticate,
    admit,
    policyOf,
    forgetAll: () => {
      callers.forgetAll();
      books.forgetAll();
    },
    forget: callers.forget,
    forgetTeam: (teamId) => callers.forgetWhere(({ team }) => team?.id === teamId),
  };
}

function requireInference(caller: Caller): Team {
  if (caller.kind === 'inference' && caller.team) return caller.team;
  const what = caller.kind === 'operator' ? 'Operator keys register endpoints and nodes' : 'Management keys manage';
  throw new GatewayError('permission_denied', `${what} and never infer. Use an inference key of a team.`);
}

function uniqueNames(request: RoutedRequest): string[] {
  return [...new Set([request.model, ...(request.models ?? [])])];
}

function requireModel(caller: Caller, modelId: string, name: string): void {
  if (mayUseModel(caller, modelId)) return;
  throw new GatewayError('permission_denied', `This key may not use the model '${name.slice(0, 100)}'.`, { param: 'model' });
}
