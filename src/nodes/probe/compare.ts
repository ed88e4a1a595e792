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
 * Compares an endpoint with its references: with those that are sure, where there are any. Whoever is like one of them agrees; who is like none
 * differs. With others it agrees or differs where all of them say so, and differs only where there are two. The distance is that to the nearest. `before`: what the last comparison said, for how often in a row it has differed.
 */
export function compareWith(
  ours: Fingerprinted,
  references: readonly Reference[],
  { before, nowMs }: { before: ModelComparison | null; nowMs: number },
): ModelComparison {
  const told = references.flatMap((reference) => {
    const distance = distanceOf(ours.answers, reference.answers);
    return distance === null ? [] : [{ distance, tolerance: toleranceOf(ours, reference), isSure: reference.isSure }];
  });
  // Beside one whose model is known, nobody else's likeness counts.
  const measured = told.some(({ isSure }) => isSure) ? told.filter(({ isSure }) => isSure) : told;
  const at = new Date(nowMs).toISOString();
  const [nearest] = measured.toSorted((a, b) => a.distance - a.tolerance - (b.distance - b.tolerance));
  const isTold = measured.some(({ isSure }) => isSure) || measured.length >= UNSURE_MIN;
  const alike = measured.filter(({ distance, tolerance }) => distance <= tolerance).length;
  const agrees = alike > 0;
  // Two that nobody answers for and that are not alike either: one of them is another model, and nobody knows which.
  const isSplit = nearest?.isSure === false && agrees && alike < measured.length;
  if (nearest === undefined || isSplit || (!agrees && !isTold)) return withoutReference(before, nowMs);
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
  const nothing = {
    distance: null,
    tolerance: null,
    references: 0,
    differed: before?.differed ?? 0,
    ...(before?.of !== undefined && { of: before.of }),
  };
  return { at: new Date(nowMs).toISOString(), verdict: 'no_reference', ...nothing };
}

/** What is said of an endpoint that did not answer what it was to be compared by; how often it has differed stands. */
export function unanswered(before: ModelComparison | null, nowMs: number): ModelComparison {
  return { ...withoutReference(before, nowMs), verdict: 'unanswered' };
}

/** Comparisons in a row, over other prompts each time, that must differ before an endpoint is quarantined. */
export const DIFFERENCES_MAX = 2;
/** The same for comparisons by text, which tell less. */
export const TEXT_DIFFERENCES_MAX = 3;

/** Tells whether a comparison keeps an endpoint from getting any further: it has differed, and nobody has agreed since, or it did not answer. */
export function isHeldBack(comparison: ModelComparison | undefined): boolean {
  return comparison !== undefined && (comparison.differed > 0 || comparison.verdict === 'unanswered');
}

/** What follows from a comparison, for where the endpoint stands. Null: nothing. */
export interface Consequence {
  state: RegistrationState;
  reason: string;
}

/**
 * Judges a comparison. One difference may be a template or an unlucky draw: the endpoint stays where it is, is not promoted, and is compared again
 * soon. Two in a row, by text three, quarantine it, and only a manager ends that. Whom a manager vouches for, or who serves one team alone, stays, with the reason.
 */
export function judgeComparison(
  { state, isTrusted }: { state: RegistrationState; isTrusted: boolean },
  { verdict, by, differed, distance, tolerance }: ModelComparison,
): Consequence | null {
  if (verdict !== 'differs') return null;
  const reason = `its model: it answers as another one does (distance ${distance}, at most ${tolerance} between endpoints of one model)`;
  const differencesMax = by === 'text' ? TEXT_DIFFERENCES_MAX : DIFFERENCES_MAX;
  if (differed < differencesMax || isTrusted) return { state, reason };
  return { state: 'quarantined', reason: `${reason}: a manager has to vouch for it` };
}

function rounded(share: number): number {
  return Math.round(share * 1_000) / 1_000;
}
