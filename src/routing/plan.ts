/**
 * The plan: which endpoints may serve a request, and in which order. Pure: the same inputs give the same plan,
 * so the live path, explain, replay and the simulator all call it. It must not know clocks, networks or storage.
 */
import type { OwnKeyOf } from '#schema/byok';
import type { ModelEntry, Offer } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { HealthView } from '#schema/health';
import type { ResolvedPolicy } from '#schema/policy';
import type { PlanInputs, PlanRecord, PolicyLevels } from '#schema/receipt';
import { toCandidate, type Candidate } from './candidate.ts';
import { consider, type Consideration } from './consider.ts';
import { toDemand, type Demand } from './demand.ts';
import { relaxationsNeeded, SOFT_GATES, STAGE } from './gates.ts';
import { findHome, placeHome, type Home } from './home.ts';
import { isPanic, type Inspection } from './inspection.ts';
import { rankingMethod, rankOffers, type Ranked } from './ranking.ts';
import { toPlanRecord } from './record.ts';
import { survey } from './survey.ts';
import { isTooLong } from './too-long.ts';

export type { Candidate } from './candidate.ts';

/** When to come back: to a full endpoint, to an open breaker (its shortest opening), to a refused credential (likewise). */
const RETRY_FULL_MS = 1_000;
const RETRY_OPEN_MS = 2_000;
const RETRY_CREDENTIAL_MS = 60_000;

/** Everything a plan may depend on. `random` is drawn exactly once. */
export interface PlanInput {
  facts: RequestFacts;
  policy: ResolvedPolicy;
  /** The requested model first, then its fallback models in order. */
  entries: readonly ModelEntry[];
  snapshotVersion: string;
  health: HealthView;
  nowMs: number;
  random: () => number;
  /** Where the conversation is at home, as a record knows it. Absent: to be found. */
  home?: PlanInputs['home'];
  /** Where the policy came from: only written down, for whoever asks what another policy would have done. */
  asked?: PolicyLevels;
  /** False for endpoints that there is no key for, the deployment's or the team's; they are never candidates. */
  isCallable(offer: Offer): boolean;
  /** Finds the keys that the team has brought for some of the offers; absent where it has brought none. */
  ownKeyOf?: OwnKeyOf | undefined;
}

/** Ordered candidates and why. */
export interface Plan {
  /** Best first, at most 64. Those that fail soft gates come last, in the order in which gates are relaxed. */
  candidates: readonly Candidate[];
  method: string;
  /** Gates relaxed because no candidate passes all of them. */
  relaxed: readonly string[];
  /** Rejections by hard filter, `H1` to `H7`; filters that rejected nothing are absent. */
  rejectionCounts: Readonly<Record<string, number>>;
  /** True when the hard filters left something, but nothing of it can be asked now. */
  blockedNow: boolean;
  /** True when nothing is left because the prompt is longer than every context that could serve it. */
  promptTooLong: boolean;
  /** When it is worth asking again; null while some candidate could be asked, or none ever will. */
  retryAfterMs: number | null;
  /** Writes the plan down for the receipt. */
  record(): PlanRecord;
}

/** Plans one request. Never throws; a plan without candidates says through `blockedNow` whether waiting can help. */
export function plan(input: PlanInput): Plan {
  const demand = toDemand(input);
  const found = survey(input.entries, demand);
  const roll = input.random();
  const considered = consider(found, demand, { view: input.health, roll });
  const { seen } = considered;
  const method = rankingMethod(input.policy);
  const home = method === 'index' ? homeOf(considered, demand, input) : null;
  const ranked = rankOffers(considered, demand, { home, roll });
  // Without fallbacks there is one candidate, or those that `order` lists; the demand has dropped the others already.
  if (!input.policy.allowFallbacks && input.policy.order.length === 0) ranked.splice(1);

  const candidates = ranked.map((one, place) => toCandidate(one, { seen, demand, rank: place + 1 }));
  const relaxed = relaxedGates(ranked, seen);
  return {
    candidates,
    method,
    relaxed,
    rejectionCounts: found.rejectionCounts,
    blockedNow: candidates.length === 0 && (seen.credentialBlocked > 0 || seen.fullCount > 0),
    promptTooLong: candidates.length === 0 && isTooLong(found, demand),
    retryAfterMs: retryAfterMs(ranked, seen, input.nowMs),
    record: () =>
      toPlanRecord({
        demand,
        candidates,
        method,
        relaxed,
        rejections: found.rejections,
        full: seen.full,
        models: input.entries.map(({ model }) => model.id),
        snapshotVersion: input.snapshotVersion,
        roll,
        home: home && { endpointId: (seen.offers[home.place] as Offer).endpointId, cacheHit: home.cacheHit },
        ...(input.asked && { asked: input.asked }),
      }),
  };
}

function homeOf(considered: Consideration, demand: Demand, { facts, health, home }: PlanInput): Home | null {
  if (home !== undefined) return home && placeHome(considered.seen, demand, home);
  return findHome(considered, demand, facts.affinity === undefined ? null : health.lastServed(facts.affinity.key));
}

function relaxedGates(ranked: readonly Ranked[], seen: Inspection): readonly string[] {
  const [first] = ranked;
  if (first === undefined) return [];
  const panic = isPanic(seen);
  const gates = seen.gates[first.place] ?? 0;
  const relaxed = SOFT_GATES.slice(0, relaxationsNeeded(gates, panic)).filter((gate) => gate !== 'stage' || isAnyHeldBack(seen));
  return panic && !relaxed.includes('breaker') ? [...relaxed, 'breaker'] : relaxed;
}

function isAnyHeldBack({ gates }: Inspection): boolean {
  return gates.some((failed) => (failed & STAGE) !== 0);
}

/** The shortest wait after which some eligible endpoint may pass its gates. */
function retryAfterMs(ranked: readonly Ranked[], seen: Inspection, nowMs: number): number | null {
  let shortestMs = seen.credentialBlocked > 0 ? RETRY_CREDENTIAL_MS : Infinity;
  if (seen.fullCount > 0) shortestMs = Math.min(shortestMs, RETRY_FULL_MS);
  for (const { place } of ranked) {
    const gates = seen.gates[place] ?? 0;
    // Who is only held back is asked when nobody else is left.
    if ((gates & ~STAGE) === 0) return null;
    const backoffMs = Math.max(0, (seen.health[place]?.backoffUntilMs ?? 0) - nowMs);
    shortestMs = Math.min(
      shortestMs,
      Math.max(backoffMs, relaxationsNeeded(gates, false) === SOFT_GATES.length ? RETRY_OPEN_MS : RETRY_FULL_MS),
    );
  }
  return Number.isFinite(shortestMs) ? shortestMs : null;
}
