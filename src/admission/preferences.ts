/** Preferences come from the level nearest to the request that states them. DESIGN §4, "Resolution". */
import type { Cutoffs, PolicyDocument, ResolvedPolicy, SortKey } from '#schema/policy';

/** The part of a resolved policy in which the nearest level wins. */
export type Preferences = Pick<
  ResolvedPolicy,
  | 'verification'
  | 'optimize'
  | 'order'
  | 'sort'
  | 'sortAcrossModels'
  | 'supplyOrder'
  | 'preferredMinThroughput'
  | 'preferredMaxLatencyS'
  | 'allowFallbacks'
  | 'hedge'
  | 'resume'
  | 'maxAttempts'
  | 'deadlineMs'
  | 'modelFallbacks'
>;

const MAX_ATTEMPTS_DEFAULT = 4;
const DEADLINE_MS_DEFAULT = 600_000;

type Level = PolicyDocument;

/** Picks the preferences of the given levels, outermost first, over the house defaults. */
export function pickPreferences(levels: readonly Level[]): Preferences {
  const optimize = nearest(levels, (level) => level.optimize) ?? 'balanced';
  const sort = nearestSort(levels);
  return {
    verification: verification(levels),
    optimize,
    order: nearest(levels, (level) => level.order) ?? [],
    sort: sort?.by ?? null,
    sortAcrossModels: sort?.acrossModels ?? false,
    supplyOrder: nearest(levels, (level) => level.supply?.order) ?? [],
    preferredMinThroughput: toCutoffs(nearest(levels, (level) => level.preferred_min_throughput)),
    preferredMaxLatencyS: toCutoffs(nearest(levels, (level) => level.preferred_max_latency)),
    allowFallbacks: nearest(levels, (level) => level.allow_fallbacks) ?? true,
    hedge: nearest(levels, (level) => level.hedge) ?? optimize === 'latency',
    resume: nearest(levels, (level) => level.resume) ?? true,
    maxAttempts: nearest(levels, (level) => level.attempts?.max) ?? MAX_ATTEMPTS_DEFAULT,
    deadlineMs: nearest(levels, (level) => level.attempts?.deadline_ms) ?? DEADLINE_MS_DEFAULT,
    modelFallbacks: nearest(levels, (level) => level.models?.fallbacks) ?? {},
  };
}

/** Reads one field from the nearest level that states it. `levels` are outermost first. */
function nearest<Value>(levels: readonly Level[], read: (level: Level) => Value | undefined): Value | undefined {
  for (let at = levels.length - 1; at >= 0; at--) {
    const value = read(levels[at] as Level);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Finds the sort that applies. A nearer `optimize` speaks to the same wish, so it ends a sort stated further out. */
function nearestSort(levels: readonly Level[]): { by: SortKey | null; acrossModels: boolean } | null {
  for (const { sort, optimize } of levels.toReversed()) {
    if (typeof sort === 'string') return { by: sort, acrossModels: false };
    if (sort?.by || sort?.partition) return { by: sort.by ?? null, acrossModels: sort.partition === 'none' };
    if (optimize) return null;
  }
  return null;
}

/** Reads how strictly supply must be verified: `required` binds from any level, else the nearest word counts. */
function verification(levels: readonly Level[]): ResolvedPolicy['verification'] {
  if (levels.some((level) => level.verification === 'required')) return 'required';
  return nearest(levels, (level) => level.verification) ?? 'preferred';
}

function toCutoffs(cutoffs: Level['preferred_max_latency']): Cutoffs | null {
  if (cutoffs === undefined) return null;
  if (typeof cutoffs === 'number') return { p50: cutoffs };
  const { p50, p75, p90, p99 } = cutoffs;
  return { ...(p50 && { p50 }), ...(p75 && { p75 }), ...(p90 && { p90 }), ...(p99 && { p99 }) };
}
