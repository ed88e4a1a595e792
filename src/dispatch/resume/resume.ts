/**
 * Streams that survive their upstream: an answer that breaks off goes on from another endpoint of the same model, behind what the client has
 * got already (DESIGN §5.6). Nothing of it shows but a pause; whoever keeps the books sees a `seam`.
 */
import { BROKEN_OFF, type AttemptFailure } from '#schema/attempt';
import type { ReplyStream, StreamEvent } from '#schema/reply';
import { speaksRaw } from '../ask.ts';
import { nextStep } from '../next-step.ts';
import type { BrokenAttempt, Reply } from '../reply.ts';
import { isContinuable, limitOf, stopsOf, toContinuation, wantsJson } from './ask.ts';
import { successors } from './candidates.ts';
import { createDelivered } from './delivered.ts';
import { factsOfRest, findHeir, LEFT, type ChatOrder, type Committed, type ResumePorts } from './heir.ts';
import { createSplice, NO_JSON } from './splice.ts';

/** An answer that breaks this often has something about it that breaks upstreams. */
const RESUMES_MAX = 3;

/** Tells whether a committed stream could be resumed, should it break; one that could not need not be watched. */
export function mayResume(order: ChatOrder, { attempt: { offer } }: Committed): boolean {
  const { resume, allowFallbacks, maxAttempts, ask, candidates } = order;
  if (!resume || !allowFallbacks || maxAttempts < 2 || !isContinuable(ask, offer)) return false;
  return candidates.some((other) => other.offer !== offer && other.offer.modelId === offer.modelId);
}

/**
 * Watches a committed stream and goes on with its answer when it breaks: three times at most, within attempts and deadline, and while the
 * client is there. Where that cannot be done, the stream ends with the failure that broke it.
 */
export function resumable(committed: Committed, order: ChatOrder, ports: ResumePorts): Reply {
  const { ask, facts } = order;
  const limit = limitOf(ask);
  const stops = stopsOf(ask);
  const delivered = createDelivered(stops);
  const broken: BrokenAttempt[] = [];
  const gone = new AbortController();
  let { attempt, stream } = committed;
  let fit: ReturnType<typeof createSplice> | null = null;
  let brokenBy: AttemptFailure | null = null;
  let resuming: Promise<void> | null = null;
  let hasEnded = false;
  /** What the attempt that answers now went on from, and when it last said something. */
  let tokensBefore = 0;
  let lastTokenAtMs: number | null = null;

  const hasLeft = () => order.clientSignal.aborted || gone.signal.aborted;
  const isSpent = () => limit !== null && delivered.tokens() >= limit;
  const attemptsLeft = () => order.maxAttempts - order.trail.length - broken.length - 1;
  const heirs = () =>
    successors(order, {
      offers: [...broken.map(({ offer }) => offer), attempt.offer],
      tokens: delivered.tokens(),
      hasBegun: delivered.beginning() !== '',
    });

  const watched: ReplyStream = {
    async next() {
      while (!hasEnded) {
        if (brokenBy !== null) {
          const going = goOn(brokenBy);
          resuming = going.then(ignore, ignore);
          const events = await going;
          resuming = null;
          return events;
        }
        const events = await stream.next();
        if (events === null) {
          if (delivered.isFinished() || !isCurable(BROKEN_OFF)) return null;
          breakOff(BROKEN_OFF);
          continue;
        }
        const handed = handOn(events);
        if (handed.length > 0) return handed;
      }
      return null;
    },
    cancel() {
      gone.abort();
      stream.cancel();
    },
  };

  /** Hands on what the upstream says, up to where it breaks. */
  function handOn(said: readonly StreamEvent[]): readonly StreamEvent[] {
    const handed: StreamEvent[] = [];
    for (const one of said) {
      if (one.kind === 'chunk') delivered.hear(one);
      for (const event of fitted(one)) {
        if (event.kind === 'failure' && isCurable(event.failure)) {
          breakOff(event.failure);
          return handed;
        }
        if (event.kind === 'chunk') {
          delivered.take(event);
          lastTokenAtMs = ports.now();
        }
        handed.push(event);
      }
    }
    return handed;
  }

  /** Fits what a continuation says to what was said before it. It may be ended for that, before it ends by itself. */
  function fitted(said: StreamEvent): readonly StreamEvent[] {
    if (fit === null) return [said];
    const events = fit(said);
    if (said.kind === 'chunk' && events.some(({ kind }) => kind !== 'chunk')) stream.cancel();
    return events;
  }

  /** The attempt is over: health hears of it now, the books at the end. */
  function breakOff(failure: AttemptFailure): void {
    brokenBy = failure;
    delivered.breakOff();
    attempt.stop({ outcome: 'interrupted', failure, completionTokens: delivered.tokens() - tokensBefore, lastTokenAtMs });
    stream.cancel();
  }

  function isCurable(failure: AttemptFailure): boolean {
    return (
      nextStep(failure) === 'fallback' &&
      failure !== NO_JSON &&
      delivered.isResumable() &&
      broken.length < RESUMES_MAX &&
      !hasLeft() &&
      (isSpent() || (attemptsLeft() > 0 && ports.now() < order.deadlineAtMs && heirs().length > 0))
    );
  }

  /** Says what comes in the place of what has broken off: a seam, or the end. */
  async function goOn(failure: AttemptFailure): Promise<readonly StreamEvent[]> {
    if (isSpent()) {
      hasEnded = true;
      return outOfTokens();
    }
    const text = delivered.text();
    const beginning = delivered.beginning();
    const heir = await findNext(beginning);
    if (heir === null) {
      hasEnded = true;
      return [{ kind: 'failure', failure: hasLeft() ? LEFT : failure }];
    }
    const { offer, finish } = attempt;
    broken.push({ offer, failure, finish });
    ({ attempt, stream } = heir);
    brokenBy = null;
    tokensBefore = delivered.tokens();
    lastTokenAtMs = null;
    const mustBeJson = wantsJson(ask) && stops.length === 0;
    fit = createSplice({ delivered: text, space: text.slice(beginning.length), stops, mustBeJson, isAnew: beginning === '' });
    return [{ kind: 'seam', failure }];
  }

  /** Looks for an endpoint that goes on behind what was delivered. */
  function findNext(beginning: string): Promise<Committed | null> {
    const tokens = delivered.tokens();
    const rest: ChatOrder = {
      ...order,
      ask: toContinuation(ask, { beginning, tokens, hasReasoned: delivered.hasReasoned(), isRaw: speaksRaw(ask, attempt.offer) }),
      facts: factsOfRest(facts, tokens),
      clientSignal: AbortSignal.any([order.clientSignal, gone.signal]),
    };
    return findHeir({ order: rest, heirs, attemptsLeft }, ports);
  }

  return {
    get offer() {
      return attempt.offer;
    },
    opened: { kind: 'stream', stream: watched },
    finish: (end) => attempt.finish(brokenBy === null ? end : { ...end, outcome: 'interrupted', failure: brokenBy }),
    broken,
    get brokenBy() {
      return brokenBy;
    },
    resuming: () => resuming,
  };
}

const ignore = () => {};

/** The answer is as long as the caller allows: it ends as the upstream would have ended it, had it lived one token longer. */
function outOfTokens(): StreamEvent[] {
  const choice = { index: 0, delta: {}, finish_reason: 'length', native_finish_reason: 'length' };
  return [{ kind: 'chunk', upstreamId: null, choices: [choice], usage: null, extra: null }, { kind: 'done' }];
}
