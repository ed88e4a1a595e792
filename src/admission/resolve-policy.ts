/** From the levels that speak for a request to the one policy that routing reads. Pure. DESIGN §4, "Resolution". */
import { GatewayError } from '#schema/error';
import type { PolicyDocument, ProviderWishes, ResolvedPolicy, StoredPolicy } from '#schema/policy';
import { foldRestrictions } from '#schema/restrictions';
import { pickPreferences } from './preferences.ts';

/** All stored policies by name, and the name of the deployment's default. */
export interface PolicyBook {
  policies: ReadonlyMap<string, StoredPolicy>;
  defaultName: string | null;
}

/** Who names which policy, outermost first; null where a level names none. */
export interface PolicyNames {
  team: string | null;
  key: string | null;
  request: string | null;
}

/** Most requests wish for nothing of their own: their policy depends on the book and three names alone. */
const resolvedOf = new WeakMap<PolicyBook, Map<string, ResolvedPolicy>>();
const RESOLVED_MAX = 1000;

/**
 * Resolves deployment < team < key < policy named in the request < the request's `provider` object < model suffixes; what a policy
 * extends is one more level outside it.
 * Restrictions of all of them hold; preferences come from the nearest. Named after the nearest stored policy.
 * Throws GatewayError: `invalid_request` for an unknown name or a contradiction, `permission_denied` for an attached policy that is gone.
 */
export function resolvePolicy(book: PolicyBook, names: PolicyNames, wishes: readonly ProviderWishes[]): ResolvedPolicy {
  if (wishes.length > 0) return resolve(book, names, wishes);
  let resolved = resolvedOf.get(book);
  if (resolved === undefined) resolvedOf.set(book, (resolved = new Map()));
  const levels = JSON.stringify([names.team, names.key, names.request]);
  const known = resolved.get(levels);
  if (known !== undefined) return known;
  const policy = resolve(book, names, wishes);
  if (resolved.size >= RESOLVED_MAX) resolved.clear();
  resolved.set(levels, policy);
  return policy;
}

function resolve(book: PolicyBook, names: PolicyNames, wishes: readonly ProviderWishes[]): ResolvedPolicy {
  const stored = [
    findStored(book, book.defaultName),
    findStored(book, names.team),
    findStored(book, names.key),
    findNamed(book, names.request),
  ].filter((policy) => policy !== null);
  const levels: PolicyDocument[] = [...stored.flatMap(({ document }) => [...(document.inherited ?? []), document]), ...wishes];
  const nearest = stored.at(-1);
  return { name: nearest?.name ?? 'default', version: nearest?.version ?? 0, ...foldRestrictions(levels), ...pickPreferences(levels) };
}

function findStored(book: PolicyBook, name: string | null): StoredPolicy | null {
  if (name === null) return null;
  const stored = book.policies.get(name);
  // To go on without a policy that somebody attached would drop its restrictions.
  if (!stored)
    throw new GatewayError('permission_denied', 'The policy attached to this key or team does not exist any more; ask its administrator.');
  return stored;
}

function findNamed(book: PolicyBook, name: string | null): StoredPolicy | null {
  if (name === null) return null;
  const stored = book.policies.get(name);
  if (!stored) throw new GatewayError('invalid_request', `No policy '${name.slice(0, 100)}' is stored here.`, { param: 'provider.policy' });
  return stored;
}
