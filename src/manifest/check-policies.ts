/** Checks stored policies: parents that exist, no circles, no wish that excludes everything. */
import { GatewayError } from '#schema/error';
import type { PolicyDocument } from '#schema/policy';
import { foldRestrictions } from '#schema/restrictions';
import { LINEAGE_MAX, lineageOf } from './lineage.ts';
import type { Complaint } from './manifest-error.ts';

/** Lists what is wrong with the policies of a manifest. */
export function checkPolicies(policies: Readonly<Record<string, PolicyDocument>>): Complaint[] {
  const known = Object.keys(policies);
  return Object.entries(policies).flatMap(([name, policy]) => {
    const lineage = checkLineage(name, policy, { policies, known });
    return lineage.length > 0 ? lineage : checkContradictions(name, policies);
  });
}

function checkLineage(
  name: string,
  policy: PolicyDocument,
  { policies, known }: { policies: Readonly<Record<string, PolicyDocument>>; known: readonly string[] },
): Complaint[] {
  const chain = [name];
  for (let parent = policy.extends; parent !== undefined; parent = policies[parent]?.extends) {
    const path = ['policies', name, 'extends'];
    if (!Object.hasOwn(policies, parent)) {
      // Said once, at the policy that names the missing parent.
      if (chain.length > 1) return [];
      return [{ path, message: `unknown policy "${parent}"`, allowed: known, word: parent }];
    }
    if (chain.includes(parent)) return [{ path, message: `policies extend each other in a circle: ${[...chain, parent].join(' → ')}` }];
    chain.push(parent);
    if (chain.length > LINEAGE_MAX) return [{ path, message: `extends more than ${LINEAGE_MAX - 1} policies, one after the other` }];
  }
  return [];
}

/** What a field would leave none of. */
const LEFT_NONE: Readonly<Record<string, string>> = {
  supply: 'supply kind',
  only: 'provider or endpoint',
  quantizations: 'quantization',
  kv_cache: 'KV codec',
  'privacy.jurisdictions': 'jurisdiction',
};

/** Finds a wish that leaves nothing, in the policy itself or together with what it extends. */
function checkContradictions(name: string, policies: Readonly<Record<string, PolicyDocument>>): Complaint[] {
  const levels = lineageOf(name, policies) ?? [];
  const before = levels.slice(0, -1);
  // Said once, at the policy that brings the contradiction in.
  if (contradictionOf(before) !== null) return [];
  const field = contradictionOf(levels);
  if (field === null) return [];
  const inherited = before.length === 0 ? '' : ', with what it extends,';
  const message = `this policy${inherited} leaves no ${LEFT_NONE[field] ?? 'endpoint'}`;
  return [{ path: ['policies', name, ...field.split('.')], onKey: true, message }];
}

/** Names the field that nothing can satisfy; null where none is. */
function contradictionOf(levels: readonly PolicyDocument[]): string | null {
  try {
    foldRestrictions(levels);
    return null;
  } catch (failure) {
    if (!(failure instanceof GatewayError)) throw failure;
    const field = (failure.param ?? '').replace(/^provider\./, '');
    return field.startsWith('supply.') ? 'supply' : field;
  }
}
