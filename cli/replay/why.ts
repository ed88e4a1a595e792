/** Why a request would go elsewhere, or nowhere. */
import type { Candidate, Plan } from '#src/routing/plan';

/** Why nothing would have served a request: the hard filter that excluded the endpoint of before, or most; `policy`, `key_models`, `unavailable`. */
export interface Refusal {
  filter: string;
  reason: string;
}

/** Tells what excluded the endpoint that came first before; where there was none, the filter that excluded most. Expects a plan without candidates. */
export function toRefusal(plan: Plan, first: Candidate | undefined): Refusal {
  if (plan.blockedNow) return { filter: 'unavailable', reason: 'every endpoint that matches is full now, or refuses the deployment’s key' };
  const { rejections } = plan.record();
  const filter = mostFrequent(plan.rejectionCounts);
  const told =
    rejections.find(({ endpointId }) => endpointId === first?.offer.endpointId) ?? rejections.find((one) => one.filter === filter);
  return told === undefined ? { filter: filter ?? 'none', reason: 'nothing offers it' } : { filter: told.filter, reason: told.reason };
}

/** Tells why the endpoint that came first before does so no longer. */
export function whyMoved(plan: Plan, first: Candidate): string {
  const { endpointId } = first.offer;
  const place = plan.candidates.findIndex(({ offer }) => offer.endpointId === endpointId);
  if (place >= 0) return `${endpointId} comes in place ${place + 1} by ${plan.method}`;
  const rejection = plan.record().rejections.find((one) => one.endpointId === endpointId);
  return rejection === undefined ? `${endpointId} is no candidate` : `${rejection.filter}: ${endpointId} ${rejection.reason}`;
}

function mostFrequent(counts: Readonly<Record<string, number>>): string | null {
  const [most] = Object.entries(counts).toSorted(([, one], [, other]) => other - one);
  return most?.[0] ?? null;
}
