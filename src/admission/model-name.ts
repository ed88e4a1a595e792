/** Model names with their suffix. DESIGN §3. */
import type { ModelSuffix } from '#schema/model-suffix';
import type { ProviderWishes } from '#schema/policy';

/** What a suffix asks for, in the words of the `provider` object. `:free` is a fact of the request, not a wish. */
const SUFFIX_WISHES = {
  floor: { sort: 'price' },
  nitro: { sort: 'throughput' },
  exacto: { sort: 'exacto' },
  free: {},
  attested: { privacy: { min_tier: 'attested' } },
  selfhosted: { supply: { only: ['selfhosted'] } },
} as const satisfies Record<ModelSuffix, ProviderWishes>;

export interface ModelName {
  /** The name without a known suffix; still an id or an alias. */
  base: string;
  suffix: ModelSuffix | null;
}

/** Splits a known suffix off a model name. An unknown one is part of the name. */
export function parseModelName(name: string): ModelName {
  const colon = name.lastIndexOf(':');
  const suffix = name.slice(colon + 1);
  if (colon <= 0 || !Object.hasOwn(SUFFIX_WISHES, suffix)) return { base: name, suffix: null };
  return { base: name.slice(0, colon), suffix: suffix as ModelSuffix };
}

/** Names the wishes that a suffix stands for. */
export function suffixWishes(suffix: ModelSuffix): ProviderWishes {
  return SUFFIX_WISHES[suffix] as ProviderWishes;
}
