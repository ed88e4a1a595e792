/** Folds a policy into what it extends: restrictions tighten, preferences of the child win. The same law as between levels, DESIGN §4. */
import { tierRank, type PrivacyTier } from '#schema/catalog';
import type { PolicyDocument } from '#schema/policy';

/** A stored policy without `extends`. */
export type FoldedPolicy = Omit<PolicyDocument, 'extends'>;

/** Folds the policy `name` over its ancestors, eldest first. Null when an ancestor is missing or the chain is a circle. */
export function foldPolicy(name: string, policies: Readonly<Record<string, PolicyDocument>>): FoldedPolicy | null {
  const chain: PolicyDocument[] = [];
  const seen = new Set<string>();
  for (let current: string | undefined = name; current !== undefined;) {
    const policy: PolicyDocument | undefined = Object.hasOwn(policies, current) ? policies[current] : undefined;
    if (policy === undefined || seen.has(current)) return null;
    seen.add(current);
    chain.unshift(policy);
    current = policy.extends;
  }
  return chain.map(withoutExtends).reduce(tighten, {});
}

function withoutExtends({ extends: _parent, ...rest }: PolicyDocument): FoldedPolicy {
  return rest;
}

function tighten(parent: FoldedPolicy, child: FoldedPolicy): FoldedPolicy {
  return defined({
    ...parent,
    ...child,
    only: intersectSlugs(parent.only, child.only),
    ignore: unite(parent.ignore, child.ignore),
    quantizations: intersect(parent.quantizations, child.quantizations),
    kv_cache: intersect(parent.kv_cache, child.kv_cache),
    max_price: lowest(parent.max_price, child.max_price),
    data_collection: parent.data_collection === 'deny' ? 'deny' : child.data_collection,
    zdr: either(parent.zdr, child.zdr),
    require_parameters: either(parent.require_parameters, child.require_parameters),
    verification: strictest(parent.verification, child.verification),
    // A permission, so both must give it; one that says nothing gives what the other does.
    allow_unpriced: both(parent.allow_unpriced, child.allow_unpriced),
    supply: merge(parent.supply, child.supply, {
      only: intersect(parent.supply?.only, child.supply?.only),
      ignore: unite(parent.supply?.ignore, child.supply?.ignore),
    }),
    privacy: merge(parent.privacy, child.privacy, {
      min_tier: highest(parent.privacy?.min_tier, child.privacy?.min_tier),
      jurisdictions: intersect(parent.privacy?.jurisdictions, child.privacy?.jurisdictions),
      accept_operator_claims: both(parent.privacy?.accept_operator_claims, child.privacy?.accept_operator_claims),
      require_gpu: either(parent.privacy?.require_gpu, child.privacy?.require_gpu),
      max_evidence_age_s: least(parent.privacy?.max_evidence_age_s, child.privacy?.max_evidence_age_s),
      tcb: parent.privacy?.tcb === 'up_to_date' ? 'up_to_date' : child.privacy?.tcb,
    }),
    attempts: merge(parent.attempts, child.attempts, {}),
    models: merge(parent.models, child.models, { fallbacks: merge(parent.models?.fallbacks, child.models?.fallbacks, {}) }),
  });
}

type Maybe<T> = { [K in keyof T]: T[K] | undefined };

/** Drops fields that are undefined, so that absent stays absent in JSON and under exact optional types. */
function defined<T extends object>(fields: Maybe<T>): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

function merge<T extends object>(parent: T | undefined, child: T | undefined, stricter: Partial<Maybe<T>>): T | undefined {
  if (parent === undefined && child === undefined) return undefined;
  return defined<T>({ ...parent, ...child, ...stricter } as Maybe<T>);
}

function intersect<T>(left: T[] | undefined, right: T[] | undefined): T[] | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return right.filter((item) => left.includes(item));
}

/** Intersects allow-lists of slugs, where a provider id covers its tags (`chutes/fp8`) and endpoints (`chutes:model`). */
function intersectSlugs(left: string[] | undefined, right: string[] | undefined): string[] | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  const covered = (slug: string, by: string[]): boolean =>
    by.some((wide) => slug === wide || slug.startsWith(`${wide}/`) || slug.startsWith(`${wide}:`));
  return [...new Set([...right.filter((slug) => covered(slug, left)), ...left.filter((slug) => covered(slug, right))])];
}

function unite<T>(left: T[] | undefined, right: T[] | undefined): T[] | undefined {
  return left === undefined && right === undefined ? undefined : [...new Set([...(left ?? []), ...(right ?? [])])];
}

function lowest<T extends Partial<Record<string, number>>>(left: T | undefined, right: T | undefined): T | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  const names = Object.keys({ ...left, ...right });
  return Object.fromEntries(names.map((name) => [name, least(left[name], right[name])])) as T;
}

function least(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined || right === undefined ? (left ?? right) : Math.min(left, right);
}

function highest(left: PrivacyTier | undefined, right: PrivacyTier | undefined): PrivacyTier | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return tierRank(left) > tierRank(right) ? left : right;
}

const VERIFICATION_RANK = { any: 0, preferred: 1, required: 2 } as const;

function strictest<T extends keyof typeof VERIFICATION_RANK>(left: T | undefined, right: T | undefined): T | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return VERIFICATION_RANK[left] > VERIFICATION_RANK[right] ? left : right;
}

function either(left: boolean | undefined, right: boolean | undefined): boolean | undefined {
  return left === undefined && right === undefined ? undefined : left === true || right === true;
}

function both(left: boolean | undefined, right: boolean | undefined): boolean | undefined {
  return left === undefined || right === undefined ? (left ?? right) : left && right;
}
