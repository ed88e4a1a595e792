/** A policy and what it extends. */
import type { PolicyDocument, StoredDocument } from '#schema/policy';

type Policies = Readonly<Record<string, PolicyDocument>>;

/** Policies in one chain at most: every request under the last of them reads all. */
export const LINEAGE_MAX = 16;

/** Lists what a policy extends and the policy itself, eldest first. Null when an ancestor is missing, or the chain is a circle or too long. */
export function lineageOf(name: string, policies: Policies): PolicyDocument[] | null {
  const chain: PolicyDocument[] = [];
  const seen = new Set<string>();
  for (let current: string | undefined = name; current !== undefined;) {
    const policy: PolicyDocument | undefined = Object.hasOwn(policies, current) ? policies[current] : undefined;
    if (policy === undefined || seen.has(current) || seen.size >= LINEAGE_MAX) return null;
    seen.add(current);
    chain.unshift(policy);
    current = policy.extends;
  }
  return chain;
}

/** Writes a policy as D1 keeps it: with what it extends, as that is now. Expects policies that passed `checkPolicies`. */
export function toStoredDocument(name: string, policies: Policies): StoredDocument {
  const inherited = lineageOf(name, policies) ?? [];
  const own = inherited.pop() ?? {};
  return inherited.length === 0 ? own : { ...own, inherited: inherited.map(({ extends: _parent, ...rest }) => rest) };
}
