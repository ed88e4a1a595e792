/** The hedge: while an endpoint stays silent, another operator's is asked the same, and whoever answers first is kept. */
import type { RequestFacts } from '#schema/facts';
import { costNanoUsd } from '#schema/money';
import { NOTHING_USED } from '#schema/receipt';
import type { Timers } from '#schema/timers';
import type { CandidateQueue } from './candidate-queue.ts';
import { land, type Landed, type LiveAttempt } from './launch.ts';
import { nextStep } from './next-step.ts';
import type { HedgeBudget } from './hedge-budget.ts';
import type { DispatchCandidate, DispatchOrder } from './order.ts';
import type { Turns } from './turns.ts';

/** Beyond this share of candidates that fail gates the supply is overloaded, and more requests would make that worse. */
const GATED_SHARE_MAX = 0.2;

/**
 * Tells whether a request may be hedged at all. Streams only: their first token says early who is faster and leaves only a prompt wasted,
 * while a whole answer shows nothing before all of it has been made, and been billed, twice.
 */
export function isHedgeable({ hedge, allowFallbacks, ask, facts, candidates }: DispatchOrder): boolean {
  if (!hedge || !allowFallbacks || ask.kind !== 'chat' || !facts.stream) return false;
  // Newcomers that are held back are neither full nor broken.
  const gated = candidates.filter(({ gates }) => gates.some((gate) => gate !== 'stage')).length;
  return gated <= GATED_SHARE_MAX * candidates.length;
}

/**
 * Takes the candidate for a hedge out of the queue: the next one of the same model and another operator that passes all gates. It meets the
 * policy's demands as all candidates do (R1). Null when there is none that can be asked now, or the budget does not cover it.
 */
export function takeHedge(
  slow: DispatchCandidate,
  queue: CandidateQueue,
  { facts, turns, hedgeBudget }: { facts: RequestFacts; turns: Turns; hedgeBudget: HedgeBudget },
): DispatchCandidate | null {
  const promptNanoUsd = ({ offer: { price } }: DispatchCandidate) =>
    price === null ? 0 : costNanoUsd(price, { ...NOTHING_USED, promptTokens: facts.promptTokens });
  // Either of the two may turn out to be the loser.
  const wasteNanoUsd = (candidate: DispatchCandidate) => Math.max(promptNanoUsd(slow), promptNanoUsd(candidate));

  const hedge = queue.take(
    (candidate) =>
      candidate.offer.modelId === slow.offer.modelId &&
      candidate.offer.operatorId !== slow.offer.operatorId &&
      candidate.gates.length === 0 &&
      hedgeBudget.covers(wasteNanoUsd(candidate)) &&
      turns.hasRoom(candidate) &&
      // Asked last: a probe that is taken must be sent (R4).
      turns.takeProbe(candidate),
  );
  if (hedge !== null) hedgeBudget.withdraw(wasteNanoUsd(hedge));
  return hedge;
}

/**
 * Waits for an attempt; after `afterMs` of silence `launchHedge` may start a second one beside it. The first to answer is kept and the other
 * one left; a failure of either, whatever it says, waits for the other. Gives what has landed: an answer comes last, else what the caller must hear.
 */
export async function hedged(
  first: LiveAttempt,
  { afterMs, launchHedge, timers }: { afterMs: number; launchHedge(): LiveAttempt | null; timers: Timers },
): Promise<Landed[]> {
  const second = (await isSilentFor(afterMs, first, timers)) ? launchHedge() : null;
  if (second === null) return [await land(first)];

  const sooner = await Promise.race([land(first), land(second)]);
  const other = sooner.attempt === first ? second : first;
  if ('opened' in sooner.result) {
    other.outrun();
    return [sooner];
  }
  const later = await land(other);
  return 'failure' in later.result && nextStep(sooner.result.failure) === 'stop' ? [later, sooner] : [sooner, later];
}

/** True when an attempt has neither answered nor failed after this long. */
async function isSilentFor(durationMs: number, attempt: LiveAttempt, timers: Timers): Promise<boolean> {
  const silence = Promise.withResolvers<boolean>();
  const timer = timers.set(() => silence.resolve(true), durationMs);
  try {
    return await Promise.race([attempt.result.then(() => false), silence.promise]);
  } finally {
    timers.clear(timer);
  }
}
