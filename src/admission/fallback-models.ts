/** Which models a request is served by, best first. */
import type { ResolvedPolicy } from '#schema/policy';
import { mayUseModel, type Caller } from './caller.ts';

/** Models tried for one request, fallbacks of the policy included. */
const MODELS_MAX = 10;

/** Lists the requested names, then the policy's fallbacks that the key may use; at most 10, each once. Fallbacks are written for model ids. */
export function withFallbacks(
  requested: readonly string[],
  policy: Pick<ResolvedPolicy, 'modelFallbacks'>,
  { caller, canonicalModel }: { caller: Pick<Caller, 'models'>; canonicalModel(name: string): string },
): string[] {
  const fallbacks = requested
    .flatMap((name) => fallbacksOf(policy, canonicalModel(name)))
    .filter((name) => mayUseModel(caller, canonicalModel(name)));
  return [...new Set([...requested, ...fallbacks])].slice(0, MODELS_MAX);
}

function fallbacksOf({ modelFallbacks }: Pick<ResolvedPolicy, 'modelFallbacks'>, modelId: string): readonly string[] {
  // The name is the caller's: `constructor` must not find a method of Object.
  return Object.hasOwn(modelFallbacks, modelId) ? (modelFallbacks[modelId] ?? []) : [];
}
