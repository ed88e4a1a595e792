/** A request's facts and policy, compiled once per plan into what the filters compare with. */
import type { OwnKeyOf } from '#schema/byok';
import type { Capability, KvCodec, Offer, Quantization, SupplyKind } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { ResolvedPolicy } from '#schema/policy';
import { demandedRank } from './privacy.ts';

/** Estimates of prompt tokens run short by up to 5 %; room is asked for accordingly. Same margin as the hold. */
const PROMPT_MARGIN = 1.05;
/** Prompts longer than this lose too much through a KV cache of a heavy codec. */
const HEAVY_KV_PROMPT_TOKENS_MAX = 32_768;

/** What every offer is measured against. Null sets do not restrict. */
export interface Demand {
  facts: RequestFacts;
  policy: ResolvedPolicy;
  nowMs: number;
  isCallable(offer: Offer): boolean;
  /** Finds the keys that the team has brought for some of the offers; absent where it has brought none. */
  ownKeyOf?: OwnKeyOf | undefined;
  minTierRank: number;
  jurisdictions: ReadonlySet<string> | null;
  quantizations: ReadonlySet<Quantization> | null;
  kvCodecs: ReadonlySet<KvCodec> | null;
  kvCodecsIgnored: ReadonlySet<KvCodec> | null;
  /** True where heavy KV codecs are out unless named. */
  sparesHeavyKv: boolean;
  capabilities: readonly Capability[];
  /** Prompt tokens with margin, rounded up; all of them, and those that must fit a context at once. */
  promptTokensMax: number;
  contextTokensMax: number;
  /** Tokens that an engine must have room for. */
  tokensToHold: number;
  /** Allow-lists; an offer must be on each of them. */
  allowLists: readonly ReadonlySet<string>[];
  denyList: ReadonlySet<string> | null;
  /** Slugs in any allow-list or in `order`: service tiers must be among them. */
  namedSlugs: ReadonlySet<string>;
  /** `order` as slug → place. */
  order: ReadonlyMap<string, number>;
  supplyOnly: ReadonlySet<SupplyKind> | null;
  supplyIgnore: ReadonlySet<SupplyKind> | null;
}

/** Compiles the demand of one request. With `allow_fallbacks: false`, `order` is also an allow-list (OpenRouter). */
export function toDemand(input: Pick<Demand, 'facts' | 'policy' | 'nowMs' | 'isCallable' | 'ownKeyOf'>): Demand {
  const { facts, policy } = input;
  const order = new Map<string, number>();
  for (const slug of policy.order) if (!order.has(slug)) order.set(slug, order.size);

  const allowLists = policy.only.filter((list) => list.length > 0).map((list) => new Set(list));
  const namedSlugs = new Set([...order.keys(), ...policy.only.flat()]);
  if (!policy.allowFallbacks && order.size > 0) allowLists.push(new Set(order.keys()));

  return {
    facts,
    policy,
    nowMs: input.nowMs,
    isCallable: input.isCallable,
    ownKeyOf: input.ownKeyOf,
    minTierRank: demandedRank(policy),
    jurisdictions: toSet(policy.jurisdictions),
    quantizations: policy.quantizations === null ? null : withMicroscaling(policy.quantizations),
    kvCodecs: toSet(policy.kvCache),
    kvCodecsIgnored: policy.kvCacheIgnore.length === 0 ? null : new Set(policy.kvCacheIgnore),
    sparesHeavyKv: facts.reasoning || facts.promptTokens > HEAVY_KV_PROMPT_TOKENS_MAX,
    capabilities: policy.requireParameters ? [...facts.needs, ...facts.wants] : facts.needs,
    promptTokensMax: Math.ceil(facts.promptTokens * PROMPT_MARGIN),
    contextTokensMax: contextTokensMax(facts),
    tokensToHold: tokensToHold(facts),
    allowLists,
    denyList: policy.ignore.length === 0 ? null : new Set(policy.ignore),
    namedSlugs,
    order,
    supplyOnly: toSet(policy.supplyOnly),
    supplyIgnore: policy.supplyIgnore.length === 0 ? null : new Set(policy.supplyIgnore),
  };
}

/** Counts the tokens that an engine must have room for: the prompt with margin, and all the output asked for, or what is expected where no limit is stated. */
export function tokensToHold(facts: RequestFacts): number {
  return contextTokensMax(facts) + (facts.maxTokens === null ? facts.expectedCompletionTokens : facts.maxTokens * facts.choices);
}

function contextTokensMax({ promptTokens, contextTokens = promptTokens }: RequestFacts): number {
  return Math.ceil(contextTokens * PROMPT_MARGIN);
}

function toSet<T>(list: readonly T[] | null): ReadonlySet<T> | null {
  return list === null ? null : new Set(list);
}

/** `fp4` also means its block-scaled forms, `fp8` also `mxfp8`. OpenRouter, provider selection. */
function withMicroscaling(named: readonly Quantization[]): ReadonlySet<Quantization> {
  const all = new Set(named);
  if (all.has('fp4')) all.add('mxfp4').add('nvfp4');
  if (all.has('fp8')) all.add('mxfp8');
  return all;
}
