/** Whether an endpoint serves the model that it says: its fingerprint beside those of endpoints that are trusted more. Pure. */
import type { ModelComparison } from '#schema/probe';
import type { RegistrationState } from '#schema/registration';
import { distanceOf, toleranceOf, type Fingerprint, type Precision } from './fingerprint.ts';

/** An endpoint and what it has answered to the same prompts, in their order. */
export interface Fingerprinted extends Precision {
  answers: readonly Fingerprint[];
}

/** One that others are compared with. `isSure`: the deployment's own word says what it serves, or a manager's; others are believed only together. */
export interface Reference extends Fingerprinted {
  isSure: boolean;
}

/** References that are not sure count from this many on. */
const UNSURE_MIN = 2;

/**
 * Compares an endpoint with its references. Whoever is like one of them agrees; who is like none differs, where one of them is sure or there are
 * two. The distance is that to the nearest. `before`: what the last comparison said, for how often in a row it has differed.
 */
export function compareWith(
  ours: Fingerprinted,
  references: readonly Reference[],
  { before, nowMs }: { before: ModelComparison | null; nowMs: number },
): ModelComparison {
  const measured = references.flatMap((reference) => {
    const distance = distanceOf(ours.answers, reference.answers);
    return distance === null ? [] : [{ distance, tolerance: toleranceOf(ours, reference), isSure: reference.isSure }];
  });
  const at = new Date(nowMs).toISOString();
  const [nearest] = measured.toSorted((a, b) => a.distance - a.tolerance - (b.distance - b.tolerance));
  const isTold = measured.some(({ isSure }) => isSure) || measured.length >= UNSURE_MIN;
  const agrees = nearest !== undefined && nearest.distance <= nearest.tolerance;
  if (nearest === undefined || (!agrees && !isTold)) return withoutReference(before, nowMs);
  return {
    at,
    verdict: agrees ? 'agrees' : 'differs',
    distance: rounded(nearest.distance),
    tolerance: rounded(nearest.tolerance),
    references: measured.length,
    differed: agrees ? 0 : (before?.differed ?? 0) + 1,
  };
}

/** What is said where there was nobody to compare with; how often it has differed stands. */
export function withoutReference(before: ModelComparison | null, nowMs: number): ModelComparison {
  const nothing = { distance: null, tolerance: null, references: 0, differed: before?.differed ?? 0 };
  return { at: new Date(nowMs).toISOString(), verdict: 'no_reference', ...nothing };
}

/** Comparisons in a row, over other prompts each time, that must differ before an endpoint is quarantined. */
export const DIFFERENCES_MAX = 2;

/** What follows from a comparison, for where the endpoint stands. Null: nothing. */
export interface Consequence {
  state: RegistrationState;
  reason: string;
}

/**
 * Judges a comparison. One difference may be a template or an unlucky draw: the endpoint stays where it is, is not promoted, and is compared again
 * soon. Two in a row quarantine it, and only a manager ends that. Whom a manager vouches for, or who serves one team alone, stays, with the reason.
 */
export function judgeComparison(
  { state, isTrusted }: { state: RegistrationState; isTrusted: boolean },
  { verdict, differed, distance, tolerance }: ModelComparison,
): Consequence | null {
  if (verdict !== 'differs') return null;
  const reason = `its model: it answers as another one does (distance ${distance}, at most ${tolerance} between endpoints of one model)`;
  return { state: differed >= DIFFERENCES_MAX && !isTrusted ? 'quarantined' : state, reason };
}

function rounded(share: number): number {
  return Math.round(share * 1_000) / 1_000;
}
