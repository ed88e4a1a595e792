/** What the attempt loop is told, and what it may use. */
import type { Attempt } from '#schema/attempt';
import type { OwnKeyOf } from '#schema/byok';
import type { Offer } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { EndpointHealth } from '#schema/health';
import type { PlanRejection } from '#schema/receipt';
import type { Timers } from '#schema/timers';
import type { Health } from '#src/health/health';
import type { Ask } from './ask.ts';
import type { CallUpstream } from './attempt.ts';
import type { HedgeBudget } from './hedge-budget.ts';
import type { RetryBudget } from './retry-budget.ts';

/** What dispatch must know of a candidate; the plan's candidates fit. */
export interface DispatchCandidate {
  offer: Offer;
  /** Soft gates that it fails now. */
  gates: readonly string[];
  /** Those of one precedence may be tried in any order, as far as the policy is concerned. */
  precedence: number;
  /** Expected price of the request. */
  costNanoUsd: number;
  firstTokenTimeoutMs: number;
  /** From this silence on a second endpoint may be asked. */
  hedgeAfterMs: number;
  tpotMs: number;
  /** Prompt tokens expected in the endpoint's cache. */
  cachedTokens: number;
}

/** One request, as the attempt loop is told of it. */
export interface DispatchOrder {
  candidates: readonly DispatchCandidate[];
  ask: Ask;
  facts: RequestFacts;
  maxAttempts: number;
  allowFallbacks: boolean;
  /** The caller has ordered the candidates: no failure changes that. */
  fixedOrder: boolean;
  /** A second endpoint may be asked while the first is slow. */
  hedge: boolean;
  /** A stream that breaks may go on from another endpoint. */
  resume: boolean;
  deadlineAtMs: number;
  clientSignal: AbortSignal;
  /** Finds the keys that the team has brought; absent where it has brought none. */
  ownKeyOf?: OwnKeyOf | undefined;
  /** Finished attempts are appended here in order; the winning one by `Reply.finish`. */
  trail: Attempt[];
  /** Candidates that could not be asked when their turn came are appended here. */
  skipped: PlanRejection[];
}

/** What the attempt loop may use. */
export interface DispatchPorts {
  /** Calls an upstream once, up to its commit. */
  call: CallUpstream;
  now(): number;
  timers: Timers;
  secret(name: string): string | undefined;
  health: Health;
  retryBudget: RetryBudget;
  hedgeBudget: HedgeBudget;
  /** Says why an endpoint cannot hold a request of this size now; null where it can. The same rule as the plan's. */
  whyFull(offer: Offer, facts: RequestFacts, health: EndpointHealth | undefined): string | null;
}
