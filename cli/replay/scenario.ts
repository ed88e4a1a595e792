/** Which policies would have been in force. Plain data, so that it travels to threads. */
import { z } from 'zod';
import type { Manifest } from '#schema/manifest';
import type { ResolvedPolicy, StoredDocument, StoredPolicy } from '#schema/policy';
import type { PolicyLevels } from '#schema/receipt';
import { resolvePolicy, type PolicyBook } from '#src/admission/resolve-policy';
import { keyId } from '#src/manifest/compile';
import { toStoredDocument } from '#src/manifest/lineage';
import { CommandError } from '../command-error.ts';

/** What a manifest says of a key. */
interface KeyTerms {
  policy: string | null;
  models: readonly string[] | null;
}

export interface Scenario {
  policies: readonly StoredPolicy[];
  defaultName: string | null;
  /** Team id → its policy, for the teams that a manifest names; the others keep what they had. */
  teams: ReadonlyMap<string, string | null>;
  /** Key id → what a manifest says of it; the others keep what they had. */
  keys: ReadonlyMap<string, KeyTerms>;
  /** A stored policy that takes the place of the nearest one of each request; null where a manifest decides. */
  instead: string | null;
}

/** What the deployment has stored. */
export interface StoredPolicies {
  data: readonly StoredPolicy[];
  default: string | null;
}

/** Answer of `GET /policies`, as far as it is read here. */
const storedPolicies = z.object({
  data: z.array(z.object({ name: z.string(), version: z.number(), document: z.custom<StoredDocument>(isObject) })),
  default: z.string().nullable(),
});

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** Reads the answer of `GET /policies`. Throws CommandError when it is none. */
export function readStoredPolicies(answer: unknown): StoredPolicies {
  const read = storedPolicies.safeParse(answer);
  if (read.success) return read.data;
  throw new CommandError('the router tells its policies in a way that this version does not read');
}

/** Whose request it was. */
export interface Asker {
  teamId: string;
  keyId: string;
  keyModels: readonly string[] | null;
}

/** Builds what would hold after a manifest was applied. Its policies are all that there are then: applying removes the others. */
export function manifestScenario({ policies, defaults, teams }: Manifest): Scenario {
  return {
    policies: Object.keys(policies).map((name) => ({ name, version: 0, document: toStoredDocument(name, policies) })),
    defaultName: defaults.policy ?? null,
    teams: new Map(teams.map(({ id, policy }) => [id, policy ?? null])),
    keys: new Map(
      teams.flatMap(({ id, keys }) =>
        keys.map(({ name, policy, models }) => [keyId(id, name), { policy: policy ?? null, models: models ?? null }] as const),
      ),
    ),
    instead: null,
  };
}

/** Builds what would hold if each request's nearest policy were the stored one of that name. Throws CommandError when there is none. */
export function storedScenario(name: string, stored: StoredPolicies): Scenario {
  const names = stored.data.map((policy) => policy.name);
  if (!names.includes(name)) {
    throw new CommandError(`no policy "${name}" is stored, and there is no file of that name (stored: ${names.join(', ') || 'none'})`);
  }
  return { policies: stored.data, defaultName: stored.default, teams: new Map(), keys: new Map(), instead: name };
}

/** What a request would have been resolved to. */
export interface Resolved {
  policy: ResolvedPolicy;
  /** Models that its key may fall back to, as globs; null: all. */
  models: readonly string[] | null;
  /** Models that a manifest leaves its key; null where it says nothing of the key, which had what it asked for. */
  statedModels: readonly string[] | null;
}

/** Resolves a request's policy. Throws GatewayError where the request would have been refused for its policy. */
export type Resolve = (asked: PolicyLevels, asker: Asker) => Resolved;

/** Prepares a scenario for many requests. */
export function createResolver({ policies, defaultName, teams, keys, instead }: Scenario): Resolve {
  const book: PolicyBook = { policies: new Map(policies.map((policy) => [policy.name, policy])), defaultName };
  return (asked, { teamId, keyId, keyModels }) => {
    const key = keys.get(keyId);
    const stated = { team: teams.get(teamId), key: key?.policy };
    const names = {
      team: stated.team === undefined ? asked.team : stated.team,
      key: stated.key === undefined ? asked.key : stated.key,
      request: asked.request,
    };
    return {
      policy: resolvePolicy(book, instead === null ? names : withNearest(names, instead), asked.wishes ?? []),
      models: key === undefined ? keyModels : key.models,
      statedModels: key?.models ?? null,
    };
  };
}

type Names = Pick<PolicyLevels, 'team' | 'key' | 'request'>;

/** Puts a name where the nearest stands; above the deployment's default, which always holds, where nobody names one. */
function withNearest(names: Names, name: string): Names {
  if (names.request !== null) return { ...names, request: name };
  return names.key === null ? { ...names, team: name } : { ...names, key: name };
}
