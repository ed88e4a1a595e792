/** One request on its way through the hall: what each room has added, and what can be told from it. */
import type { Attempt } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { Admission } from '#src/admission/admission';
import type { Hold } from '#src/ledger/ledger';
import type { Tally } from '#src/metering/tally';
import type { Plan } from '#src/routing/plan';

/** One inference call as the porch hands it in. */
export interface ChatCall {
  /** The bearer token, not yet looked up. */
  token: string | null;
  /** Parsed JSON. */
  body: unknown;
  headers: Headers;
  /** Headers that every answer carries; given ahead, because adding them to a finished response costs more. */
  answerHeaders: Readonly<Record<string, string>>;
  /** Aborts when the client leaves. */
  signal: AbortSignal;
  arrivedAtMs: number;
  waitUntil(promise: Promise<unknown>): void;
}

/** One request on its way through the hall: what each room has added. */
export interface Passage {
  id: string;
  call: ChatCall;
  admission: Admission;
  plan: Plan;
  hold: Hold;
  /** Attempts in the order in which they ended. */
  trail: Attempt[];
  tally: Tally;
  dispatchedAtMs: number;
  /** Aborts when the reader of a stream has left, whichever way we learn of it; null for whole answers, where the call's own signal tells. */
  left: AbortController | null;
}

/** The fields of a client's last chunk beside its empty choices. */
export interface LastWords {
  usage: object;
  openrouter_metadata?: object;
}

/** The dearest candidate's worst case: what a request may cost whoever serves it. */
export function worstCaseNanoUsd({ candidates }: Plan): number {
  return candidates.reduce((most, { worstCaseNanoUsd }) => Math.max(most, worstCaseNanoUsd), 0);
}

/** The second in which the request arrived, as OpenAI's `created`. */
export function createdAtS({ call }: Passage): number {
  return Math.floor(call.arrivedAtMs / 1000);
}

/** Tells whether the caller opted in to OpenRouter's explanation of the route. */
export function wantsMetadata({ call: { headers } }: Passage): boolean {
  return (headers.get('x-openrouter-metadata') ?? headers.get('x-openrouter-experimental-metadata')) === 'enabled';
}

/** The headers of every inference answer; without an offer no upstream has answered yet. */
export function answerHeaders(
  { id, call, plan, admission: { policy } }: Passage,
  offer: Offer | null,
  attempts: number,
): Record<string, string> {
  const candidate = plan.candidates.find((candidate) => candidate.offer === offer);
  return {
    ...call.answerHeaders,
    'x-generation-id': id,
    'x-headrace-policy': policy.name,
    'x-headrace-attempts': String(attempts),
    ...(candidate && {
      'x-headrace-endpoint': candidate.offer.endpointId,
      'x-headrace-provider': candidate.offer.providerId,
      'x-headrace-supply': candidate.offer.supply,
      'x-headrace-tier': candidate.tier,
    }),
  };
}
