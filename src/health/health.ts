/**
 * What this isolate has seen of the endpoints: written by dispatch as attempts go, read by routing as a view.
 * A cache in the memory of one isolate; losing it costs estimates, never correctness.
 */
import type { AttemptFailure, AttemptOutcome } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import { promptLengthFactor, type EndpointHealth, type HealthView } from '#schema/health';
import { createBoundedMap } from './bounded-map.ts';
import { createCounters, decayed, failureProbability, type Counters } from './counters.ts';
import { createCredentials } from './credentials.ts';
import {
  acquireProbe,
  createEndpointState,
  learnCompletion,
  learnFailure,
  learnFirstToken,
  learnFull,
  learnTpot,
  readEndpoint,
  returnProbe,
  sendProbe,
  type EndpointState,
} from './endpoint.ts';
import { classifyFault } from './fault.ts';

const ENDPOINTS_MAX = 20_000;
const OPERATORS_MAX = 20_000;
/** Cap of an endpoint that was never called; it has nothing in flight, so its gate is open. */
const UNSEEN_CAP = 8;

/** How an attempt ended. Duration in ms from the attempt's start. */
export interface FlightEnd {
  outcome: AttemptOutcome;
  failure: AttemptFailure | null;
  completionTokens: number;
  durationMs: number;
}

/** One attempt under way. */
export interface Flight {
  /** Reports the first content of a stream, ms after the attempt's start; further calls change nothing. */
  firstToken(ttftMs: number): void;
  /** Reports the end; further calls change nothing. */
  end(result: FlightEnd): void;
}

/** The health of everything this isolate calls. */
export interface Health {
  /** Counts an attempt as in flight until its `end`. */
  begin(offer: Offer, facts: Pick<RequestFacts, 'promptTokens'>): Flight;
  /** Asks for leave to try an endpoint: true while its breaker is closed, else true for one probe at a time. */
  tryAcquireProbe(endpointId: string): boolean;
  /** Opens the read side at one instant. */
  view(nowMs: number): HealthView;
}

/** Creates an empty memory. `now` is in epoch milliseconds and may jump; `random` spreads delays. */
export function createHealth(ports: { now: () => number; random?: () => number }): Health {
  const { now, random = Math.random } = ports;
  const endpoints = createBoundedMap<string, EndpointState>(ENDPOINTS_MAX);
  const operators = createBoundedMap<string, Counters>(OPERATORS_MAX);
  const credentials = createCredentials();

  function begin(offer: Offer, facts: Pick<RequestFacts, 'promptTokens'>): Flight {
    const startedAtMs = now();
    const operator = operators.touch(offer.operatorId, () => createCounters(startedAtMs));
    const state = endpoints.touch(offer.endpointId, () => createEndpointState(offer, operator, startedAtMs));
    const credential = offer.keySecret ?? `endpoint ${offer.endpointId}`;
    const lengthFactor = promptLengthFactor(facts.promptTokens);
    const isProbe = sendProbe(state, startedAtMs);
    const isKeyRetry = credentials.startRetry(credential, startedAtMs);
    state.inFlight++;
    state.reading = null;
    const inFlight = state.inFlight;
    let firstTokenMs: number | null = null;
    let isEnded = false;

    return {
      firstToken(ttftMs) {
        if (firstTokenMs !== null || isEnded) return;
        firstTokenMs = ttftMs;
        learnFirstToken(state, { ttftMs, lengthFactor, inFlight, isProbe, nowMs: now() });
        if (isKeyRetry) credentials.accept(credential);
      },
      end({ outcome, failure, completionTokens, durationMs }) {
        if (isEnded) return;
        isEnded = true;
        state.inFlight--;
        state.reading = null;
        const at = { nowMs: now(), random };
        const decodeMs = firstTokenMs === null ? null : durationMs - firstTokenMs;
        const fault = classifyFault(outcome, failure);

        if (outcome === 'completed') learnCompletion(state, { completionTokens, decodeMs, isProbe, nowMs: at.nowMs });
        else learnTpot(state, { completionTokens, decodeMs, nowMs: at.nowMs });
        if (fault === 'capacity') learnFull(state, failure, inFlight, at);
        if (fault === 'endpoint') learnFailure(state, { durationMs, lengthFactor, isProbe }, at);
        else if (isProbe) returnProbe(state, at.nowMs);

        if (fault === 'credential') credentials.refuse(credential, isKeyRetry, at);
        else if (isKeyRetry && outcome === 'completed') credentials.accept(credential);
        else if (isKeyRetry) credentials.returnRetry(credential, at.nowMs);
      },
    };
  }

  /** What is known of an endpoint that was never called: its operator's record and its key. */
  function readUnseen(operatorId: string, credentialDisabled: boolean, nowMs: number): EndpointHealth | undefined {
    const operator = operators.peek(operatorId);
    if (operator === undefined && !credentialDisabled) return undefined;
    return {
      samples: 0,
      failureProbability: failureProbability(null, operator === undefined ? null : decayed(operator, nowMs)),
      ttftNormalisedMs: null,
      ttftNormalisedMsP90: null,
      tpotMs: null,
      inFlight: 0,
      cap: UNSEEN_CAP,
      backoffUntilMs: 0,
      breaker: 'closed',
      credentialDisabled,
    };
  }

  return {
    begin,
    tryAcquireProbe(endpointId) {
      const state = endpoints.peek(endpointId);
      return state === undefined || acquireProbe(state, now());
    },
    view: (nowMs) => ({
      read(endpointId, operatorId, keySecret) {
        const credentialDisabled = credentials.isDisabled(keySecret ?? `endpoint ${endpointId}`, nowMs);
        const state = endpoints.peek(endpointId);
        return state === undefined ? readUnseen(operatorId, credentialDisabled, nowMs) : readEndpoint(state, credentialDisabled, nowMs);
      },
    }),
  };
}
