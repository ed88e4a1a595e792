/** One attempt under way: called, watched, ended and booked. */
import type { Attempt, AttemptFailure, AttemptOutcome, AttemptRole } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import { costNanoUsd } from '#schema/money';
import { NOTHING_USED, type Usage } from '#schema/receipt';
import type { Health } from '#src/health/health';
import type { Ask } from './ask.ts';
import type { DispatchCandidate, DispatchOrder, DispatchPorts } from './order.ts';
import type { AttemptResult, Opened } from './read-answer.ts';
import { targetOf } from './target.ts';
import { BYTES_STALL_MS, stallTimeoutMs } from './timeouts.ts';
import { createWatchdog, type WatchdogOptions } from './watchdog.ts';

const OUTRUN = { kind: 'cancelled', origin: 'local', detail: 'another endpoint answered first' } as const;

/** How an attempt ended, for health. */
export interface Stop {
  outcome: AttemptOutcome;
  failure: AttemptFailure | null;
  completionTokens: number;
  /** Arrival of the last content; what comes after it, such as a client that reads slowly, says nothing of the endpoint's pace. */
  lastTokenAtMs?: number | null;
  /** Nothing had come when another endpoint answered first. */
  wasOutrun?: boolean;
}

/** What an ended attempt used, for the books. */
export interface AttemptEnd extends Omit<Stop, 'completionTokens'> {
  usage: Usage;
  /** Arrival of the first content, epoch milliseconds. */
  firstTokenAtMs: number | null;
}

/** What one attempt is to do. */
export interface LaunchOrder {
  candidate: Pick<DispatchCandidate, 'offer' | 'cachedTokens' | 'tpotMs'>;
  role: AttemptRole;
  ask: Ask;
  firstTokenTimeoutMs: number;
  /** When and whether to end it before that. */
  doubt?: WatchdogOptions['doubt'];
  /** Another operator could be asked on the next turn: signed reasoning says who made it. */
  marksReasoning: boolean;
}

/** What an attempt must know of its request. */
export type LaunchRequest = Pick<DispatchOrder, 'facts' | 'deadlineAtMs' | 'clientSignal' | 'ownKeyOf' | 'trail'>;
/** What an attempt may use. */
export type LaunchPorts = Pick<DispatchPorts, 'call' | 'now' | 'timers' | 'secret'> & { health: Pick<Health, 'begin'> };

/** One attempt, from its launch to its last entry in the books. */
export interface LiveAttempt {
  offer: Offer;
  /** The whole answer, or a stream at its first real event. A failure has been booked when this resolves. */
  result: Promise<AttemptResult>;
  /**
   * Leaves an attempt that another has outrun. It is booked at once, so that nothing of it can come after the answer that is kept; and with
   * its prompt, because upstreams bill what they have read (M7). Of an attempt that has failed already nothing is left to do.
   */
  outrun(): void;
  /** Ends an answered attempt for health, at once; only the first call counts. */
  stop(how: Stop): void;
  /** Books an answered attempt, ending it first where it is not; call exactly once. */
  finish(end: AttemptEnd): void;
}

/** An attempt that has answered or failed. */
export interface Landed {
  attempt: LiveAttempt;
  result: AttemptResult;
}

/** Waits for the result of an attempt. */
export async function land(attempt: LiveAttempt): Promise<Landed> {
  return { attempt, result: await attempt.result };
}

/** Calls one endpoint. Upstream trouble of every kind comes back as a failure. */
export function launch(
  { candidate, role, ask, firstTokenTimeoutMs, doubt, marksReasoning }: LaunchOrder,
  order: LaunchRequest,
  ports: LaunchPorts,
): LiveAttempt {
  const { offer } = candidate;
  const { facts, trail } = order;
  const startedAtMs = ports.now();
  const own = order.ownKeyOf?.(offer);
  const flight = ports.health.begin(offer, own === undefined ? facts : { ...facts, ownCredential: own.credential }, candidate.cachedTokens);
  const watchdog = createWatchdog({
    now: ports.now,
    timers: ports.timers,
    firstTokenTimeoutMs,
    deadlineAtMs: order.deadlineAtMs,
    clientSignal: order.clientSignal,
    ...(doubt && { doubt }),
  });
  let headersMs: number | null = null;
  let status: number | null = null;
  let opened: Opened | null = null;
  let isBooked = false;
  let durationMs: number | null = null;

  async function run(): Promise<AttemptResult> {
    const target = targetOf(offer, { secret: ports.secret, ownKeyOf: order.ownKeyOf }, marksReasoning);
    if (target === null) return fail({ kind: 'credential', origin: 'local', detail: 'there is no key for this endpoint' });
    const result = await ports.call({
      ask,
      offer,
      target,
      watchdog,
      onHeaders(seen, load) {
        status = seen;
        headersMs = ports.now() - startedAtMs;
        if (load !== null) flight.nodeLoad(load);
      },
    });
    if ('failure' in result) return fail(result.failure);
    opened = result.opened;
    if (isBooked) {
      // The answer was under way when another one was kept.
      if (opened.kind === 'stream') opened.stream.cancel();
      return { failure: OUTRUN };
    }
    if (opened.kind === 'stream') flight.firstToken(ports.now() - startedAtMs);
    // From here on only silence, the client's side and the deadline end what is still under way.
    if (opened.kind === 'stream') watchdog.commit(stallTimeoutMs(candidate.tpotMs));
    if (opened.kind === 'unit' && opened.reply.bytes !== null) watchdog.commit(BYTES_STALL_MS);
    return result;
  }

  function outrun(): void {
    if (isBooked) return;
    finish({
      outcome: 'cancelled',
      failure: OUTRUN,
      usage: { ...NOTHING_USED, promptTokens: facts.promptTokens },
      firstTokenAtMs: null,
      wasOutrun: opened === null,
    });
    watchdog.abort(OUTRUN.kind, OUTRUN.detail);
    if (opened?.kind === 'stream') opened.stream.cancel();
  }

  function fail(failure: AttemptFailure): AttemptResult {
    // Whatever comes of an attempt that was outrun, its end is known.
    if (isBooked) return { failure };
    finish({ outcome: failure.kind === 'cancelled' ? 'cancelled' : 'failed', failure, usage: NOTHING_USED, firstTokenAtMs: null });
    return { failure };
  }

  function finish({ usage, firstTokenAtMs, ...how }: AttemptEnd): void {
    isBooked = true;
    const attempt: Attempt = {
      index: trail.length,
      role,
      endpointId: offer.endpointId,
      providerId: offer.providerId,
      supply: offer.supply,
      startedAtMs,
      headersMs,
      ttftMs: firstTokenAtMs === null ? null : firstTokenAtMs - startedAtMs,
      durationMs: stop({ ...how, completionTokens: usage.completionTokens }),
      outcome: how.outcome,
      failure: how.failure,
      status,
      promptTokens: usage.promptTokens,
      completionTokens: usage.completionTokens,
      // With its own key the team pays the upstream itself.
      costNanoUsd: offer.price === null || own !== undefined ? 0 : costNanoUsd(offer.price, usage),
      ...(own !== undefined && { byok: true }),
    };
    trail.push(attempt);
  }

  /** Ends the attempt for health, once; returns how long it took, ms. */
  function stop({ outcome, failure, completionTokens, lastTokenAtMs, wasOutrun = false }: Stop): number {
    if (durationMs !== null) return durationMs;
    watchdog.stop();
    durationMs = ports.now() - startedAtMs;
    const generatedMs = lastTokenAtMs == null ? durationMs : lastTokenAtMs - startedAtMs;
    flight.end({ outcome, failure, completionTokens, durationMs: generatedMs, wasOutrun });
    return durationMs;
  }

  return {
    offer,
    result: run(),
    outrun,
    stop: (how) => void stop(how),
    finish,
  };
}
