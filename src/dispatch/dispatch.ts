/** The attempt loop: walks the plan's candidates until one answers. Knows nothing of clients, prices or plans. */
import type { Attempt, AttemptFailure, AttemptOutcome } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { GatewayError } from '#schema/error';
import type { RequestFacts } from '#schema/facts';
import { costNanoUsd } from '#schema/money';
import { NOTHING_USED, type Usage } from '#schema/receipt';
import type { Health } from '#src/health/health';
import type { Ask } from './ask.ts';
import { attempt } from './attempt.ts';
import { exhausted } from './exhausted.ts';
import { nextStep } from './next-step.ts';
import type { Opened } from './read-answer.ts';
import type { RetryBudget } from './retry-budget.ts';
import { targetOf } from './target.ts';
import { attemptTimeoutMs, BYTES_STALL_MS, stallTimeoutMs } from './timeouts.ts';
import { createWatchdog } from './watchdog.ts';

/** What dispatch must know of a candidate; the plan's candidates fit. */
export interface DispatchCandidate {
  offer: Offer;
  firstTokenTimeoutMs: number;
  tpotMs: number;
}

export interface DispatchOrder {
  candidates: readonly DispatchCandidate[];
  ask: Ask;
  facts: RequestFacts;
  maxAttempts: number;
  allowFallbacks: boolean;
  deadlineAtMs: number;
  clientSignal: AbortSignal;
  /** Finished attempts are appended here in order; the winning one by `Reply.finish`. */
  trail: Attempt[];
}

export interface DispatchPorts {
  fetch: typeof fetch;
  now(): number;
  secret(name: string): string | undefined;
  health: Health;
  retryBudget: RetryBudget;
}

export interface AttemptEnd {
  outcome: AttemptOutcome;
  failure: AttemptFailure | null;
  usage: Usage;
  /** Arrival of the first content, epoch milliseconds. */
  firstTokenAtMs: number | null;
  /** Arrival of the last content; what comes after it, such as a client that reads slowly, says nothing of the endpoint's pace. */
  lastTokenAtMs?: number | null;
}

/** An upstream that answered. `finish` must be called exactly once, when the answer has ended for whatever reason. */
export interface Reply {
  offer: Offer;
  opened: Opened;
  finish(end: AttemptEnd): void;
}

export type DispatchResult = { reply: Reply } | { error: GatewayError };

/** Tries candidates in order within attempts, retry budget and deadline; a client's fault ends the walk at once. */
export async function dispatch(order: DispatchOrder, ports: DispatchPorts): Promise<DispatchResult> {
  const failed: { providerName: string; failure: AttemptFailure }[] = [];
  let contextAtLeast = 0;
  /** How many retries the budget has granted. */
  let triesPaid = 0;
  ports.retryBudget.deposit();

  for (const [position, candidate] of order.candidates.entries()) {
    const { offer } = candidate;
    if (offer.context <= contextAtLeast) continue;
    if (failed.length >= order.maxAttempts || ports.now() >= order.deadlineAtMs) break;
    if (failed.length > triesPaid) {
      if (!order.allowFallbacks || !ports.retryBudget.withdraw()) break;
      triesPaid = failed.length;
    }
    // An open breaker lets one probe through at a time (R4). Asked last: a probe that is taken must be sent.
    if (!ports.health.tryAcquireProbe(offer.endpointId)) continue;

    const othersLeft = order.allowFallbacks && failed.length + 1 < order.maxAttempts && position + 1 < order.candidates.length;
    const result = await tryCandidate(candidate, othersLeft, order, ports);
    if ('reply' in result) return result;

    failed.push({ providerName: offer.providerName, failure: result.failure });
    const step = nextStep(result.failure);
    if (step === 'stop') break;
    if (step === 'larger_context') contextAtLeast = Math.max(contextAtLeast, offer.context);
  }
  return { error: exhausted(failed) };
}

async function tryCandidate(
  candidate: DispatchCandidate,
  othersLeft: boolean,
  order: DispatchOrder,
  ports: DispatchPorts,
): Promise<{ reply: Reply } | { failure: AttemptFailure }> {
  const { offer } = candidate;
  const startedAtMs = ports.now();
  const flight = ports.health.begin(offer, order.facts);
  const watchdog = createWatchdog({
    now: ports.now,
    firstTokenTimeoutMs: attemptTimeoutMs(candidate, order, othersLeft, startedAtMs),
    deadlineAtMs: order.deadlineAtMs,
    clientSignal: order.clientSignal,
  });

  let headersMs: number | null = null;
  let status: number | null = null;
  const finish = ({ outcome, failure, usage, firstTokenAtMs, lastTokenAtMs }: AttemptEnd) => {
    watchdog.stop();
    const durationMs = ports.now() - startedAtMs;
    const generatedMs = lastTokenAtMs == null ? durationMs : lastTokenAtMs - startedAtMs;
    flight.end({ outcome, failure, completionTokens: usage.completionTokens, durationMs: generatedMs });
    order.trail.push({
      index: order.trail.length,
      endpointId: offer.endpointId,
      providerId: offer.providerId,
      supply: offer.supply,
      startedAtMs,
      headersMs,
      ttftMs: firstTokenAtMs === null ? null : firstTokenAtMs - startedAtMs,
      durationMs,
      outcome,
      failure,
      status,
      promptTokens: usage.promptTokens,
      completionTokens: usage.completionTokens,
      costNanoUsd: offer.price === null ? 0 : costNanoUsd(offer.price, usage),
    });
  };
  const fail = (failure: AttemptFailure) => {
    finish({ outcome: failure.kind === 'cancelled' ? 'cancelled' : 'failed', failure, usage: NOTHING_USED, firstTokenAtMs: null });
    return { failure };
  };

  const target = targetOf(offer, ports.secret, hasOtherOperators(order.candidates, offer));
  if (target === null) return fail({ kind: 'credential', origin: 'local', detail: 'no key for this endpoint in the deployment' });
  const result = await attempt(
    {
      ask: order.ask,
      offer,
      target,
      watchdog,
      onHeaders(seen) {
        status = seen;
        headersMs = ports.now() - startedAtMs;
      },
    },
    ports,
  );
  if ('failure' in result) return fail(result.failure);
  const { opened } = result;
  if (opened.kind === 'stream') flight.firstToken(ports.now() - startedAtMs);
  // From here on only silence, the client's side and the deadline end what is still under way.
  if (opened.kind === 'stream') watchdog.commit(stallTimeoutMs(candidate.tpotMs));
  if (opened.kind === 'unit' && opened.reply.bytes !== null) watchdog.commit(BYTES_STALL_MS);
  return { reply: { offer, opened, finish } };
}

/** Tells whether signed reasoning could meet another operator than its maker on the next turn. */
function hasOtherOperators(candidates: readonly DispatchCandidate[], { operatorId }: Offer): boolean {
  return candidates.some(({ offer }) => offer.operatorId !== operatorId);
}
