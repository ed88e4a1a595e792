/** Policies of one deployment as tests write them down, and what comes of them. */
import { policyDocument, providerWishes, type ProviderWishes, type ResolvedPolicy } from '#schema/policy';
import { parseModelName, suffixWishes } from '#src/admission/model-name';
import { resolvePolicy, type PolicyBook } from '#src/admission/resolve-policy';

/** A deployment's policies by name, parsed as they are written; the default is one of them or none. */
export function book(documents: Record<string, unknown>, defaultName: string | null = null): PolicyBook {
  const entries = Object.entries(documents).map(
    ([name, document]) => [name, { name, version: 3, document: policyDocument.parse(document) }] as const,
  );
  return { policies: new Map(entries), defaultName };
}

/** What each level of one request says, outermost first; one that is absent says nothing. */
interface WrittenLevels {
  deployment?: unknown;
  team?: unknown;
  key?: unknown;
  /** The policy that the request names. */
  named?: unknown;
  request?: unknown;
  /** Of the model's name, such as `floor`. */
  suffix?: string;
}

/** Resolves the policy of one request. */
export function resolve({ deployment = {}, team = {}, key = {}, named, request, suffix }: WrittenLevels): ResolvedPolicy {
  const policies = book({ deployment, team, key, ...(named !== undefined && { named }) }, 'deployment');
  const wishes: ProviderWishes[] = request === undefined ? [] : [providerWishes.parse(request)];
  const parsed = suffix === undefined ? null : parseModelName(`m:${suffix}`).suffix;
  if (parsed) wishes.push(suffixWishes(parsed));
  return resolvePolicy(policies, { team: 'team', key: 'key', request: named === undefined ? null : 'named' }, wishes);
}
