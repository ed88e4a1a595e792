/** What another policy would have done with a recorded request: the same facts, health, instant and draw. Pure. */
import type { ModelEntry, Offer } from '#schema/catalog';
import type { EndpointHealth } from '#schema/health';
import type { ResolvedPolicy } from '#schema/policy';
import { FULL, type PlanInputs, type PlanRecord } from '#schema/receipt';
import { plan, type Plan } from './plan.ts';
import { NO_KEY } from './reasons.ts';

/** The part of a record that a plan can be made from again. */
export type Reenactable = Pick<PlanRecord, 'plannedAtMs' | 'candidates' | 'rejections'> & { inputs: PlanInputs };

/** What a record is planned over again; the same for every policy that is tried. */
export interface Stage {
  snapshotVersion: string;
  /** Whether the deployment has what it takes to call an endpoint now. */
  isCallable(offer: Offer): boolean;
}

/** One policy to try. */
export interface Trial {
  policy: ResolvedPolicy;
  entries: readonly ModelEntry[];
  /** In place of what was expected then. */
  expectedCompletionTokens?: number;
}

export interface Reenactment {
  /** Plans the request under a policy. Trials of one reenactment differ by what the trial says and by nothing else. */
  plan(trial: Trial): Plan;
  /** Whether the record says how an endpoint was; what a filter had excluded nobody looked at, so it is planned like one never seen. */
  isMeasured(endpointId: string): boolean;
}

/**
 * Prepares a recorded request to be planned under several policies. An endpoint may be called where the record lists it as a candidate,
 * and where the deployment has a key for it now and a hard filter had excluded it, or its model was not planned over; any other that the
 * record does not list could not be called then, and one that was full could not be either.
 */
export function reenact({ plannedAtMs, candidates, rejections, inputs }: Reenactable, stage: Stage): Reenactment {
  const readings = new Map<string, EndpointHealth | undefined>();
  for (const [place, { endpointId }] of candidates.entries()) readings.set(endpointId, inputs.readings[place] ?? undefined);
  const excluded = new Set<string>();
  for (const { endpointId, filter, reason } of rejections) if (reason !== NO_KEY && filter !== FULL) excluded.add(endpointId);
  const planned = new Set(inputs.models);

  const isCallable = (offer: Offer): boolean =>
    readings.has(offer.endpointId) || ((excluded.has(offer.endpointId) || !planned.has(offer.modelId)) && stage.isCallable(offer));
  return {
    plan: ({ policy, entries, expectedCompletionTokens = inputs.facts.expectedCompletionTokens }) =>
      plan({
        facts: { ...inputs.facts, expectedCompletionTokens },
        policy,
        entries,
        snapshotVersion: stage.snapshotVersion,
        health: { read: (endpointId) => readings.get(endpointId), lastServed: () => null },
        home: inputs.home,
        nowMs: plannedAtMs,
        random: () => inputs.roll,
        isCallable,
      }),
    isMeasured: (endpointId) => readings.has(endpointId),
  };
}
