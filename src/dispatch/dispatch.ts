/** The attempt loop: walks the plan's candidates until one answers. Knows nothing of clients, prices or plans. */
import type { AttemptRole } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { GatewayError } from '#schema/error';
import { createCandidateQueue } from './candidate-queue.ts';
import { exhausted, type Failed } from './exhausted.ts';
import { hedged, isHedgeable, takeHedge } from './hedge.ts';
import { land, launch, type Landed, type LiveAttempt } from './launch.ts';
import { nextStep, type NextStep } from './next-step.ts';
import type { DispatchCandidate, DispatchOrder, DispatchPorts } from './order.ts';
import type { Opened } from './read-answer.ts';
import { toReply, type Reply } from './reply.ts';
import { mayResume, resumable } from './resume/resume.ts';
import { attemptTimeoutMs, doubtAfterMs } from './timeouts.ts';
import { createTurns } from './turns.ts';

export type { Reply } from './reply.ts';
export type DispatchResult = { reply: Reply } | { error: GatewayError };

/** Tries candidates in order within attempts, retry budget and deadline; a client's fault ends the walk at once. */
export async function dispatch(order: DispatchOrder, ports: DispatchPorts): Promise<DispatchResult> {
  ports.retryBudget.deposit();
  ports.hedgeBudget.deposit(order.candidates[0]?.costNanoUsd ?? 0);
  const walked = await walk(order, 'first', ports);
  if ('failed' in walked) return { error: exhausted(walked.failed) };
  return { reply: watch(walked, order, ports) };
}

/** Hands out an answer: a stream that might break so that it goes on elsewhere, anything else as it is. */
function watch({ attempt, opened }: { attempt: LiveAttempt; opened: Opened }, order: DispatchOrder, ports: DispatchPorts): Reply {
  const { ask } = order;
  if (opened.kind !== 'stream' || ask.kind !== 'chat') return toReply(attempt, opened);
  const committed = { attempt, stream: opened.stream };
  if (!mayResume({ ...order, ask }, committed)) return toReply(attempt, opened);
  return resumable(committed, { ...order, ask }, { ...ports, walk: (rest) => walk(rest, 'resume', ports) });
}

/**
 * Walks the candidates until one answers. Attempts have `role`, but after the `first` of a request, which may be hedged, come fallbacks.
 * What the caller must hear ends the walk and is its last failure.
 */
export async function walk(
  order: DispatchOrder,
  role: AttemptRole,
  ports: DispatchPorts,
): Promise<{ attempt: LiveAttempt; opened: Opened } | { failed: readonly Failed[] }> {
  const queue = createCandidateQueue(order.candidates, order.fixedOrder);
  const turns = createTurns(order, ports);
  const failed: Failed[] = [];
  let attempts = 0;
  /** The budget has granted a retry that has not been sent yet. */
  let isRetryPaid = false;

  const mayLaunch = () => attempts < order.maxAttempts && ports.now() < order.deadlineAtMs;

  /** Its breaker has opened since it was planned, another candidate could be asked, and to try that one is paid for already. */
  function isLost(candidate: DispatchCandidate): boolean {
    if (isRetryPaid || !mayLaunch() || candidate.gates.includes('breaker') || !turns.isShut(candidate)) return false;
    if (!queue.has((other) => !other.gates.includes('breaker') && turns.isOpen(other))) return false;
    isRetryPaid = ports.retryBudget.withdraw();
    return isRetryPaid;
  }

  function launchAs(role: AttemptRole, candidate: DispatchCandidate): LiveAttempt {
    const number = ++attempts;
    const othersLeft = order.allowFallbacks && attempts < order.maxAttempts && !queue.isEmpty();
    const hasTimedOut = failed.some(({ failure }) => failure.kind === 'timeout_first_token');
    const firstTokenTimeoutMs = attemptTimeoutMs(candidate, order, { nowMs: ports.now(), othersLeft, hasTimedOut });
    // Beside a hedge there is no hurry.
    const doubt = { afterMs: doubtAfterMs(candidate, order.facts), isLost: () => number === attempts && isLost(candidate) };
    const marksReasoning = hasOtherOperators(order.candidates, candidate.offer);
    return launch({ candidate, role, ask: order.ask, firstTokenTimeoutMs, marksReasoning, ...(othersLeft && { doubt }) }, order, ports);
  }

  async function launchFirst(candidate: DispatchCandidate): Promise<Landed[]> {
    const first = launchAs(role, candidate);
    if (role !== 'first' || !isHedgeable(order)) return [await land(first)];
    const launchHedge = () => {
      const second =
        mayLaunch() && !order.clientSignal.aborted
          ? takeHedge(candidate, queue, { facts: order.facts, turns, hedgeBudget: ports.hedgeBudget })
          : null;
      return second && launchAs('hedge', second);
    };
    return hedged(first, { afterMs: candidate.hedgeAfterMs, launchHedge, timers: ports.timers });
  }

  for (let candidate = queue.next(); candidate !== null && mayLaunch(); candidate = queue.next()) {
    if (!turns.hasRoom(candidate)) continue;
    if (attempts > 0 && !isRetryPaid) {
      if (!order.allowFallbacks || !ports.retryBudget.withdraw()) break;
      isRetryPaid = true;
    }
    if (!turns.takeProbe(candidate)) continue;
    isRetryPaid = false;

    const landed = attempts === 0 ? await launchFirst(candidate) : [await land(launchAs(role === 'first' ? 'fallback' : role, candidate))];
    let step: NextStep = 'fallback';
    for (const { attempt, result } of landed) {
      if ('opened' in result) return { attempt, opened: result.opened };
      step = nextStep(result.failure);
      queue.learn(attempt.offer, step);
      failed.push({ providerName: attempt.offer.providerName, failure: result.failure });
    }
    if (step === 'stop') break;
  }
  return { failed };
}

/** Tells whether signed reasoning could meet another operator than its maker on the next turn. */
function hasOtherOperators(candidates: readonly DispatchCandidate[], { operatorId }: Offer): boolean {
  return candidates.some(({ offer }) => offer.operatorId !== operatorId);
}
