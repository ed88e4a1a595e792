/** Checks stored policies: parents that exist, no circles, no wish that excludes everything. */
import type { PolicyDocument } from '#schema/policy';
import { foldPolicy } from './fold-policy.ts';
import type { Complaint } from './manifest-error.ts';
import { nearest } from './nearest.ts';

/** Lists what is wrong with the policies of a manifest. */
export function checkPolicies(policies: Readonly<Record<string, PolicyDocument>>): Complaint[] {
  return Object.entries(policies).flatMap(([name, policy]) => {
    const lineage = checkLineage(name, policy, policies);
    return lineage.length > 0 ? lineage : checkContradictions(name, policies);
  });
}

function checkLineage(name: string, policy: PolicyDocument, policies: Readonly<Record<string, PolicyDocument>>): Complaint[] {
  const chain = [name];
  for (let parent = policy.extends; parent !== undefined; parent = policies[parent]?.extends) {
    const path = ['policies', name, 'extends'];
    if (!Object.hasOwn(policies, parent)) {
      // Said once, at the policy that names the missing parent.
      if (chain.length > 1) return [];
      return [
        { path, message: `unknown policy "${parent}"`, allowed: Object.keys(policies), suggestion: nearest(parent, Object.keys(policies)) },
      ];
    }
    if (chain.includes(parent)) return [{ path, message: `policies extend each other in a circle: ${[...chain, parent].join(' → ')}` }];
    chain.push(parent);
  }
  return [];
}

const SUPPLY_KINDS = ['subnet', 'selfhosted', 'centralized'] as const;

/** Finds wishes that leave nothing, in the policy itself or together with what it extends. */
function checkContradictions(name: string, policies: Readonly<Record<string, PolicyDocument>>): Complaint[] {
  const own = policies[name];
  const folded = foldPolicy(name, policies);
  if (own === undefined || folded === null) return [];
  const complaints: Complaint[] = [];
  const inherited = own.extends === undefined ? '' : ', with what it extends,';
  const empty = (field: string[], what: string): void => {
    complaints.push({ path: ['policies', name, ...field], onKey: true, message: `this policy${inherited} leaves no ${what}` });
  };
  const kinds = (folded.supply?.only ?? SUPPLY_KINDS).filter((kind) => folded.supply?.ignore?.includes(kind) !== true);
  if (kinds.length === 0) empty(['supply'], 'supply kind');
  const slugs = folded.only?.filter((slug) => folded.ignore?.includes(slug) !== true);
  if (slugs?.length === 0) empty(['only'], 'provider or endpoint');
  if (folded.quantizations?.length === 0) empty(['quantizations'], 'quantization');
  if (folded.kv_cache?.length === 0) empty(['kv_cache'], 'KV codec');
  if (folded.privacy?.jurisdictions?.length === 0) empty(['privacy', 'jurisdictions'], 'jurisdiction');
  return complaints;
}
