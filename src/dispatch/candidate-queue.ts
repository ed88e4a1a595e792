/** The candidates that a request has not tried yet, and which of them comes next. */
import type { Offer } from '#schema/catalog';
import type { NextStep } from './next-step.ts';
import type { DispatchCandidate } from './order.ts';

/** Each candidate is handed out once. */
export interface CandidateQueue {
  /** Takes the candidate to try next; null when none is left that could serve the request. */
  next(): DispatchCandidate | null;
  /** Takes the first candidate that passes a test; null when none does. `test` is asked no further than that one. */
  take(test: (candidate: DispatchCandidate) => boolean): DispatchCandidate | null;
  /** Tells whether a candidate that could serve the request passes a test. */
  has(test: (candidate: DispatchCandidate) => boolean): boolean;
  /** Notes that an offer has failed and what that calls for: larger contexts only, or rather another operator. */
  learn(offer: Offer, step: NextStep): void;
  isEmpty(): boolean;
}

/** Queues the candidates of one request as the plan lists them. Under `fixedOrder` no failure changes their order. */
export function createCandidateQueue(candidates: readonly DispatchCandidate[], fixedOrder: boolean): CandidateQueue {
  const waiting = [...candidates];
  const suspects = new Set<string>();
  let contextAtLeast = 0;

  const isRoomy = ({ offer }: DispatchCandidate) => offer.context > contextAtLeast;
  const isSuspect = ({ offer }: DispatchCandidate) => suspects.has(offer.operatorId);

  function remove(candidate: DispatchCandidate | undefined): DispatchCandidate | null {
    if (candidate === undefined) return null;
    waiting.splice(waiting.indexOf(candidate), 1);
    return candidate;
  }

  return {
    next() {
      const first = waiting.find(isRoomy);
      if (first === undefined || fixedOrder || !isSuspect(first)) return remove(first);
      // What fails at one endpoint of an operator mostly fails at its others: those of others go first, as far as the policy treats them alike.
      const other = waiting.find((one) => one.precedence === first.precedence && isRoomy(one) && !isSuspect(one));
      return remove(other ?? first);
    },
    has: (test) => waiting.some((candidate) => isRoomy(candidate) && test(candidate)),
    take: (test) => remove(waiting.find(test)),
    learn(offer, step) {
      if (step === 'larger_context') contextAtLeast = Math.max(contextAtLeast, offer.context);
      else suspects.add(offer.operatorId);
    },
    isEmpty: () => waiting.length === 0,
  };
}
