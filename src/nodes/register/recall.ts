/** What an endpoint begins with because of what its operator has done before. Pure but for the looking up. */
import { GatewayError } from '#schema/error';
import type { OrUnavailable } from '#schema/or-unavailable';
import type { ModelComparison, ProbeReport } from '#schema/probe';
import { DIFFERENCES_MAX, TEXT_DIFFERENCES_MAX } from '../probe/compare.ts';
import { FAILED_PROBES_MAX } from '../probe/judge.ts';
import { comparedOnly } from '../probe/probe.ts';
import {
  readDifferences,
  readQuarantines,
  type Difference,
  type Named,
  type Quarantine,
  type QuarantineQuery,
} from './quarantine-store.ts';

/** What is remembered of an operator. */
export interface Memory {
  /** Those at hand first. */
  quarantines: readonly Quarantine[];
  differences: readonly Difference[];
}

/** What stands against an endpoint; absent where nothing does. */
export interface Recalled {
  /** With the reason as the endpoint itself has it. */
  caught?: Quarantine | undefined;
  difference?: ModelComparison | undefined;
}

/** Where nobody asks what was before, as with what a manager does. */
export const NOTHING_RECALLED: Recalled = {};

/** An endpoint that is registered, brought or changed. */
interface Coming extends Named {
  id: string;
}

/** Reads what is remembered of an operator. Throws what `ask` throws. */
export async function readMemory({ db, ask }: { db: D1Database; ask: OrUnavailable }, query: QuarantineQuery): Promise<Memory> {
  const [quarantines, differences] = await Promise.all([
    ask(readQuarantines(db, query)),
    ask(readDifferences(db, query.operatorId, query.nowMs)),
  ]);
  return { quarantines, differences };
}

/**
 * Finds what stands against an endpoint. `before`: as what it stands already, null where it is new; whatever it was then it answers for itself, but
 * where it stands. `param`: where its model stands in what was sent. Throws GatewayError `conflict` where its name is that of an endpoint that was
 * found out as another model: with its row all memory of that would go.
 */
export function recall({ quarantines, differences }: Memory, { id, ...named }: Coming, before: Named | null, param = 'model'): Recalled {
  const own = [...quarantines.filter(({ failedProbes }) => failedProbes < FAILED_PROBES_MAX), ...differences].find(
    ({ endpointId }) => endpointId === id,
  );
  if (own !== undefined && own.modelId !== named.modelId) throw staysAsItWas(id, own.modelId, named.modelId, param);
  const against = quarantines.filter((one) => one.isHere || before === null || !isNamedAlike(one, before));
  const caught = against.find((one) => one.endpointId === id || isNamedAlike(one, named));
  const difference = differences.find(({ endpointId }) => endpointId === id) ?? differences.find((one) => isNamedAlike(one, named));
  return { caught: caught && { ...caught, reason: caughtReason(caught) }, difference: difference && inheritedFrom(difference, id) };
}

function staysAsItWas(id: string, modelId: string, wished: string, param: string): GatewayError {
  return new GatewayError(
    'conflict',
    `${id} was found out as ${modelId} and keeps that model until a comparison agrees or a manager vouches for it: give ${wished} another name.`,
    { param },
  );
}

function isNamedAlike(one: Named, { modelId, upstreamModel }: Named): boolean {
  return one.modelId === modelId || one.upstreamModel === upstreamModel;
}

/** Says why an endpoint is in quarantine from the beginning. */
function caughtReason({ isHere, endpointId, reason }: Quarantine): string | null {
  return isHere ? reason : `${endpointId} of the same operator was quarantined for this model: a manager has to vouch for this one`;
}

/** Writes a difference down as what an endpoint begins with: at least one of its own must follow before it is quarantined. */
function inheritedFrom({ comparison, endpointId }: Difference, id: string): ModelComparison {
  const differencesMax = comparison.by === 'text' ? TEXT_DIFFERENCES_MAX : DIFFERENCES_MAX;
  const differed = Math.min(comparison.differed, differencesMax - 1);
  return { ...comparison, verdict: 'differs', differed, ...(endpointId !== id && { of: endpointId }) };
}

/**
 * What was seen of an endpoint that becomes another: that it agreed was said of the former one, so it is compared anew; that it differed stands, as
 * does what is inherited.
 */
export function seenOfAnother(seen: ProbeReport | null, difference: ModelComparison | undefined, nowMs: number): ProbeReport | null {
  const { comparison: known, ...rest } = seen ?? {};
  const comparison = known !== undefined && known.differed > 0 ? known : difference;
  if (seen === null) return comparedOnly(comparison, nowMs);
  return { ...(rest as ProbeReport), ...(comparison && { comparison }) };
}

/** What was seen, without how it compared: a manager's word begins anew. */
export function seenAnew({ comparison: _comparison, ...seen }: ProbeReport): ProbeReport {
  return seen;
}
