/** Where a request's policy came from, for its receipt. */
import type { ProviderWishes } from '#schema/policy';
import type { PolicyLevels } from '#schema/receipt';
import type { Caller } from './caller.ts';

/** Most requests name no policy, wish for nothing and ask for one model: all that is said of them is the caller's. */
const usual = new WeakMap<Caller, PolicyLevels>();

/** Writes down the levels of one request; `request` is the policy that it names. The same object for all usual requests of a caller. */
export function policyLevels(
  caller: Caller,
  { request, wishes, requestedModels }: { request: string | null; wishes: readonly ProviderWishes[]; requestedModels: number },
): PolicyLevels {
  const stated = wishes.length === 0 ? wishes : wishes.map(withoutNames).filter((wish) => Object.keys(wish).length > 0);
  const isUsual = request === null && stated.length === 0 && requestedModels === 1;
  const known = isUsual ? usual.get(caller) : undefined;
  if (known !== undefined) return known;
  const levels: PolicyLevels = {
    team: caller.team?.policy ?? null,
    key: caller.keyPolicy,
    request,
    ...(stated.length > 0 && { wishes: stated }),
    requestedModels,
  };
  if (isUsual) usual.set(caller, levels);
  return levels;
}

/** Leaves out what is no wish: the policy's name stands beside them, and `options` are for upstreams. */
function withoutNames({ policy: _policy, options: _options, ...wishes }: ProviderWishes): ProviderWishes {
  return wishes;
}
