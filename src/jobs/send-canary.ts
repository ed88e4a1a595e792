/** One canary: a request like any other, through the same attempt as a client's, with nobody waiting for the answer. */
import { BROKEN_OFF, type Attempt, type AttemptFailure } from '#schema/attempt';
import type { RequestFacts } from '#schema/facts';
import { NOTHING_USED, type Usage } from '#schema/receipt';
import type { ReplyStream } from '#schema/reply';
import { chatFacts } from '#src/admission/facts';
import { launch, type LaunchPorts } from '#src/dispatch/launch';
import type { FlightEnd, Health } from '#src/health/health';
import { settleUsage } from '#src/metering/settle-usage';
import { addToTally, createTally, isFinished, type Tally } from '#src/metering/tally';
import { canaryRequest } from './canary-request.ts';
import type { Canary } from './choose-canaries.ts';

/** Whose requests canaries are. No team of a manifest can have this id. */
export const CANARY_TEAM_ID = 'headrace:canaries';
const FIRST_TOKEN_TIMEOUT_MS = 5_000;
/** What has begun to answer may come to its end. */
const DEADLINE_MS = 7_000;
/** Slow enough for a stall to be judged by the deadline alone. */
const TPOT_MS = 100;
/** One token was asked for: an endpoint that goes on and on has shown what there was to see. */
const TOKENS_READ_MAX = 16;

/** What one canary uses: what an attempt does, but for health. */
export type CanaryPorts = Omit<LaunchPorts, 'health'> & { random(): number };

/** A canary that has ended. */
export interface CanaryEnd {
  canary: Canary;
  facts: RequestFacts;
  attempt: Attempt;
  usage: Usage;
  tally: Tally;
  /** Attempt start to first content, ms; null where none came. */
  ttftMs: number | null;
  flightEnd: FlightEnd;
}

/** Asks an endpoint for one token. Whatever goes wrong comes back as a failed attempt. At most seven seconds. */
export async function sendCanary(canary: Canary, ports: CanaryPorts): Promise<CanaryEnd> {
  const { offer } = canary;
  const request = canaryRequest(offer.modelId, ports.random);
  const facts = chatFacts(request, { teamId: CANARY_TEAM_ID, freeOnly: false });
  const trail: Attempt[] = [];
  const tally = createTally();
  const heard = createListener();
  const nobodyLeaves = new AbortController();
  const live = launch(
    {
      candidate: { offer, cachedTokens: 0, tpotMs: TPOT_MS },
      role: 'canary',
      ask: { kind: 'chat', request, native: undefined },
      firstTokenTimeoutMs: FIRST_TOKEN_TIMEOUT_MS,
      marksReasoning: false,
    },
    { facts, trail, deadlineAtMs: ports.now() + DEADLINE_MS, clientSignal: nobodyLeaves.signal },
    { ...ports, health: heard },
  );
  const result = await live.result;
  let usage: Usage = NOTHING_USED;
  // Streams were asked for, so an answer is one; a failure has ended its attempt already.
  if ('opened' in result && result.opened.kind === 'stream') {
    const failure = await readToEnd(result.opened.stream, tally, ports.now);
    usage = settleUsage(tally, facts.promptTokens, offer, failure === null);
    live.finish({ outcome: failure === null ? 'completed' : 'interrupted', failure, usage, firstTokenAtMs: tally.firstTokenAtMs });
  }
  const [attempt] = trail;
  if (attempt === undefined || heard.end === null) throw new Error('an attempt ends in its trail and in its flight');
  return { canary, facts, attempt, usage, tally, ttftMs: heard.ttftMs, flightEnd: heard.end };
}

/** Reads until the answer is finished, or there is enough of it. Gives the failure that broke it off; null when none did. */
async function readToEnd(stream: ReplyStream, tally: Tally, now: () => number): Promise<AttemptFailure | null> {
  for (let events = await stream.next(); events !== null; events = await stream.next()) {
    for (const event of events) {
      if (event.kind === 'chunk') addToTally(tally, event, now());
      if (event.kind === 'done') return null;
      if (event.kind === 'failure') return isFinished(tally) ? null : event.failure;
    }
    if (tally.contentTokens + tally.reasoningTokens > TOKENS_READ_MAX) {
      stream.cancel();
      return null;
    }
  }
  return isFinished(tally) ? null : BROKEN_OFF;
}

/** Takes the place of an isolate's health, which must not learn of speed from canaries: only writes down what it is told. */
export function createListener(): Pick<Health, 'begin'> & { ttftMs: number | null; end: FlightEnd | null } {
  const heard: ReturnType<typeof createListener> = {
    ttftMs: null,
    end: null,
    begin: () => ({
      firstToken: (ttftMs) => void (heard.ttftMs = ttftMs),
      nodeLoad: () => undefined,
      end: (result) => void (heard.end = result),
    }),
  };
  return heard;
}
