/** A resolved policy as receipts keep it: what differs from the default, so that most requests keep next to nothing. */
import { DEFAULT_POLICY, type ResolvedPolicy } from '#schema/policy';
import type { PolicyLevels } from '#schema/receipt';

/** Lists of names that are longer than this in all, in characters, are not kept with every request. */
const LISTS_CHARS_MAX = 2_000;
/** The same for a request's own wishes as JSON: longer ones leave the levels out, not the plan's inputs. */
const WISHES_CHARS_MAX = 2_000;

/** Policies are resolved once for many requests. */
const known = new WeakMap<ResolvedPolicy, Partial<ResolvedPolicy>>();

/** Lists the fields that differ from the default policy, but for fallback models: a plan is told its models. */
export function toPolicyChanges(policy: ResolvedPolicy): Partial<ResolvedPolicy> {
  const found = known.get(policy);
  if (found !== undefined) return found;
  const names = Object.keys(policy) as (keyof ResolvedPolicy)[];
  const changed = names.filter((name) => name !== 'modelFallbacks' && !isSame(policy[name], DEFAULT_POLICY[name]));
  const changes = Object.fromEntries(changed.map((name) => [name, policy[name]])) as Partial<ResolvedPolicy>;
  known.set(policy, changes);
  return changes;
}

/** Puts a policy together again from what differed. */
export function fromPolicyChanges(changes: Partial<ResolvedPolicy>): ResolvedPolicy {
  return { ...DEFAULT_POLICY, ...changes };
}

/** Tells whether changes are short enough to be kept with every request: callers write some of the lists. */
export function isRecordable({ order = [], only = [], ignore = [] }: Partial<ResolvedPolicy>): boolean {
  let characters = 0;
  for (const list of [order, ignore, ...only]) for (const slug of list) characters += slug.length;
  return characters <= LISTS_CHARS_MAX;
}

/** Tells whether the levels of a policy are short enough to be kept with a request. */
export function areRecordable({ wishes, request }: PolicyLevels): boolean {
  const characters = (wishes === undefined ? 0 : JSON.stringify(wishes).length) + (request?.length ?? 0);
  return characters <= WISHES_CHARS_MAX;
}

function isSame(value: unknown, other: unknown): boolean {
  if (value === other) return true;
  return typeof value === 'object' && typeof other === 'object' && JSON.stringify(value) === JSON.stringify(other);
}
