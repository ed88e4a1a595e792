/** One attempt under way, as health follows it: what it shows becomes observations. */
import type { AttemptFailure, AttemptOutcome } from '#schema/attempt';
import type { RequestFacts } from '#schema/facts';
import { LONG_PROMPT_TOKENS, promptLengthFactor } from '#schema/health';
import type { NodeLoad } from '#schema/node-service';
import { BACKOFF_MAX_MS } from './backoff.ts';
import type { Credentials } from './credentials.ts';
import { classifyFault } from './fault.ts';
import { knownInFlight, load, record, type KnownEndpoint } from './known-endpoint.ts';
import type { Observation } from './observation.ts';
import { send } from './probes.ts';

/** Fewer tokens than this say little about the speed between them. */
const TPOT_TOKENS_MIN = 8;
/** No hardware decodes faster; a burst that a proxy held back would look like it. */
const TPOT_MIN_MS = 0.1;

/** How an attempt ended. Duration in ms from the attempt's start. */
export interface FlightEnd {
  outcome: AttemptOutcome;
  failure: AttemptFailure | null;
  completionTokens: number;
  durationMs: number;
  /** Cancelled because another endpoint answered first: it is at least that slow. */
  wasOutrun?: boolean;
}

/** One attempt under way. */
export interface Flight {
  /** Reports the first content of a stream, ms after the attempt's start; further calls change nothing. */
  firstToken(ttftMs: number): void;
  /** Reports what the node said of its load at the head of its answer. */
  nodeLoad(load: NodeLoad): void;
  /** Reports the end; further calls change nothing. */
  end(result: FlightEnd): void;
}

/** What health must know of a request. */
export interface FlightFacts
  extends
    Pick<RequestFacts, 'teamId' | 'promptTokens' | 'affinity'>,
    Partial<Pick<RequestFacts, 'operation' | 'expectedCompletionTokens'>> {
  /** Name of the team's own key, where that is used instead of the house's. */
  ownCredential?: string;
}

/** What a flight belongs to and what it uses. `tenant` is a digest. */
export interface FlightContext {
  isolateId: string;
  tenant: string;
  facts: FlightFacts;
  /** Prompt tokens that are expected in the endpoint's cache. */
  cachedTokens: number;
  credential: string;
  credentials: Credentials;
  now: () => number;
  random: () => number;
  /** Called once, when an answer came to its end. */
  onCompleted: () => void;
}

/** Counts an attempt as in flight until its `end`. */
export function openFlight(known: KnownEndpoint, context: FlightContext): Flight {
  const { isolateId, tenant, facts, credential, credentials, now, random } = context;
  const startedAtMs = now();
  const lengthFactor = promptLengthFactor(facts.promptTokens - context.cachedTokens);
  const isOwn = facts.ownCredential !== undefined;
  const isLong = facts.promptTokens > LONG_PROMPT_TOKENS;
  const isKeyRetry = credentials.startRetry(credential, startedAtMs);
  const { isProbe, isTenantProbe } = send(known, { isolateId, tenant, nowMs: startedAtMs });
  const tokens = facts.promptTokens + (facts.expectedCompletionTokens ?? 0);
  load(known, 1, tokens);
  const inFlight = knownInFlight(known, startedAtMs);
  let firstTokenMs: number | null = null;
  let isEnded = false;

  const see = (observation: Observation): void => record(known, observation, { nowMs: observation.atMs, random });

  function firstToken(ttftMs: number): void {
    if (firstTokenMs !== null || isEnded) return;
    firstTokenMs = ttftMs;
    see({ kind: 'first_token', atMs: now(), tenant, normalisedMs: ttftMs / lengthFactor, inFlight, isProbe, isTenantProbe });
    if (isKeyRetry) credentials.accept(credential);
  }

  function nodeLoad(said: NodeLoad): void {
    if (!isEnded) see({ kind: 'load', atMs: now(), ...said });
  }

  function end(result: FlightEnd): void {
    if (isEnded) return;
    isEnded = true;
    load(known, -1, tokens);
    const atMs = now();
    if (result.outcome === 'completed') completed(result, atMs);
    else broken(result, atMs);
    if (isKeyRetry) endRetry(result, atMs);
    else if (classifyFault(result.outcome, result.failure) === 'credential') credentials.refuse(credential, false, { nowMs: atMs, random });
  }

  function completed({ completionTokens, durationMs }: FlightEnd, atMs: number): void {
    const isEmpty = completionTokens === 0 && isText(facts);
    see({ kind: 'completed', atMs, tenant, tpotMs: tpotOf(completionTokens, durationMs), isProbe, isTenantProbe, isLong, isEmpty });
    if (isOwn) credentials.unbench(credential);
    context.onCompleted();
  }

  function broken({ outcome, failure, completionTokens, durationMs, wasOutrun = false }: FlightEnd, atMs: number): void {
    const normalisedMs = durationMs / lengthFactor;
    const tpotMs = tpotOf(completionTokens, durationMs);
    if (tpotMs !== null) see({ kind: 'paced', atMs, tpotMs });
    const fault = classifyFault(outcome, failure);
    if (fault === 'endpoint') return see({ kind: 'failed', atMs, tenant, normalisedMs, isProbe, isTenantProbe, isLong });
    // A team's account upstream has limits of its own: that it is full says nothing of the endpoint to others (R9).
    if (fault === 'capacity' && isOwn) credentials.bench(credential, hintOf(failure), { nowMs: atMs, random });
    else if (fault === 'capacity') see({ kind: 'refused', atMs, retryAfterMs: hintOf(failure), inFlight });
    else if (fault === 'away') see({ kind: 'refused', atMs, retryAfterMs: hintOf(failure), inFlight: null });
    if (wasOutrun && firstTokenMs === null) see({ kind: 'outrun', atMs, normalisedMs });
    if (isProbe) see({ kind: 'probe_returned', atMs });
    if (isTenantProbe) see({ kind: 'probe_returned', atMs, tenant });
  }

  function endRetry({ outcome, failure }: FlightEnd, atMs: number): void {
    if (classifyFault(outcome, failure) === 'credential') credentials.refuse(credential, true, { nowMs: atMs, random });
    else if (outcome === 'completed') credentials.accept(credential);
    else credentials.returnRetry(credential, atMs);
  }

  /** The pace after the first token; null where too little came to show one. */
  function tpotOf(completionTokens: number, durationMs: number): number | null {
    if (firstTokenMs === null || completionTokens < TPOT_TOKENS_MIN) return null;
    const tpotMs = (durationMs - firstTokenMs) / (completionTokens - 1);
    return tpotMs >= TPOT_MIN_MS ? tpotMs : null;
  }

  return { firstToken, nodeLoad, end };
}

/** Text has tokens; what is answered in other units has none, and is not empty for that. */
function isText({ operation = 'chat' }: FlightFacts): boolean {
  return operation === 'chat' || operation === 'completion';
}

function hintOf(failure: AttemptFailure | null): number | null {
  const hintMs = failure?.retryAfterMs ?? 0;
  return hintMs > 0 ? Math.min(hintMs, BACKOFF_MAX_MS) : null;
}
