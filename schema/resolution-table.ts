/**
 * How each field of a policy is resolved when several levels state it: deployment, team, key, request, and what a policy extends.
 * The law itself is `schema/restrictions.ts` and `src/admission/preferences.ts`; a test holds this table to them, and the docs to this table.
 */

export interface ResolutionRow {
  /** Path of the field in a policy, such as `privacy.min_tier`. */
  field: string;
  /** A restriction only tightens, whoever states it; of preferences the nearest counts. */
  kind: 'restriction' | 'preference';
  /** What holds when levels differ, for people. */
  law: string;
}

const restriction = (field: string, law: string): ResolutionRow => ({ field, kind: 'restriction', law });
const preference = (field: string, law = 'the nearest level that states it'): ResolutionRow => ({ field, kind: 'preference', law });

/** Every field of a policy but `extends`, which is a level and not a wish. */
export const RESOLUTION_TABLE: readonly ResolutionRow[] = [
  restriction('privacy.min_tier', 'the highest tier'),
  restriction('data_collection', '`deny` at any level: at least `no_training`'),
  restriction('zdr', 'true at any level: at least `zero_retention`'),
  restriction('privacy.jurisdictions', 'what all lists have in common'),
  restriction(
    'privacy.accept_operator_claims',
    'true at some level and false at none; once a level demands a tier, the levels nearer to the request can only refuse',
  ),
  restriction('privacy.require_gpu', 'true at any level'),
  restriction('privacy.max_evidence_age_s', 'the shortest'),
  restriction('privacy.tcb', '`up_to_date` at any level'),
  restriction('only', 'an endpoint must be on every list; an empty list is none'),
  restriction('ignore', 'all lists together'),
  restriction('supply.only', 'what all lists have in common'),
  restriction('supply.ignore', 'all lists together'),
  restriction('quantizations', 'what all lists have in common; `fp4` and `fp8` include their block-scaled forms'),
  restriction('kv_cache', 'what all lists have in common'),
  restriction('kv_cache_ignore', 'all lists together'),
  restriction('max_price.prompt', 'the lowest'),
  restriction('max_price.completion', 'the lowest'),
  restriction('max_price.request', 'the lowest'),
  restriction('max_price.image', 'the lowest'),
  restriction('max_price.audio', 'the lowest'),
  restriction('verification', '`required` at any level; of the other words the nearest counts'),
  restriction('require_parameters', 'true at any level'),
  restriction('allow_unpriced', 'true at some level and false at none'),
  preference('optimize'),
  preference('sort', 'the nearest level that states it; a nearer `optimize` ends it'),
  preference('order'),
  preference('supply.order'),
  preference('preferred_min_throughput'),
  preference('preferred_max_latency'),
  preference('allow_fallbacks'),
  preference('hedge', 'the nearest level that states it; by default only under `optimize: latency`'),
  preference('resume'),
  preference('attempts.max'),
  preference('attempts.deadline_ms'),
  preference('models.fallbacks'),
];
