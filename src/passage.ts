/** One request on its way through the hall: what each room has added, and what can be told from it. */
import type { Attempt } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { ApiKind, PlanRejection } from '#schema/receipt';
import type { AnswerLabels } from '#schema/skin';
import type { Admission } from '#src/admission/admission';
import type { SoleRun } from '#src/ledger/idempotency/sole-run';
import type { Hold } from '#src/ledger/ledger';
import type { Tally } from '#src/metering/tally';
import type { Plan } from '#src/routing/plan';

/** One inference call as the porch hands it in. */
export interface Call {
  /** The bearer token, not yet looked up. */
  token: string | null;
  /** Parsed JSON, or the fields of a form. */
  body: unknown;
  /** Absolute. */
  url: string;
  headers: Headers;
  /** Headers that every answer carries; given ahead, because adding them to a finished response costs more. */
  answerHeaders: Readonly<Record<string, string>>;
  /** Aborts when the client leaves. */
  signal: AbortSignal;
  /** Set where the caller sent an `Idempotency-Key`. */
  once?: SoleRun;
  arrivedAtMs: number;
  waitUntil(promise: Promise<unknown>): void;
}

/** One request on its way through the hall: what each room has added. */
export interface Passage {
  id: string;
  api: ApiKind;
  call: Call;
  admission: Admission;
  plan: Plan;
  hold: Hold;
  /** Headers that say what is left of the caller's limits. */
  limits: Readonly<Record<string, string>>;
  /** Attempts in the order in which they ended. */
  trail: Attempt[];
  /** Candidates that could not be asked when their turn came. */
  skipped: PlanRejection[];
  tally: Tally;
  dispatchedAtMs: number;
  /** Aborts when the reader of a stream has left, whichever way we learn of it; null for whole answers, where the call's own signal tells. */
  left: AbortController | null;
}

/** The dearest candidate's worst case: what a request may cost whoever serves it. */
export function worstCaseNanoUsd({ candidates }: Plan): number {
  return candidates.reduce((most, { worstCaseNanoUsd }) => Math.max(most, worstCaseNanoUsd), 0);
}

/** Tells whether an offer is called with the team's own key, which the team pays for upstream. */
export function isByok({ plan }: Passage, offer: Offer): boolean {
  return plan.candidates.some((candidate) => candidate.offer === offer && candidate.isByok);
}

/** What the answer says of itself before it is known who answers; `createdAtS` is the second in which the request arrived. */
export function ownLabels({ id, call }: Passage): { id: string; createdAtS: number } {
  return { id, createdAtS: Math.floor(call.arrivedAtMs / 1000) };
}

/** What an answer is labelled with. */
export function labelsOf(passage: Passage, offer: Offer): AnswerLabels {
  return { ...ownLabels(passage), model: offer.modelId, provider: offer.providerName };
}

/** Tells whether the caller opted in to OpenRouter's explanation of the route. */
export function wantsMetadata({ call: { headers } }: Passage): boolean {
  return (headers.get('x-openrouter-metadata') ?? headers.get('x-openrouter-experimental-metadata')) === 'enabled';
}

/** Where SDKs look for the id of a request that they want to report, if not in `x-request-id`. */
const REQUEST_ID_HEADER: Partial<Record<ApiKind, string>> = { messages: 'request-id' };

/** The headers of every inference answer; without an offer no upstream has answered yet. */
export function answerHeaders(
  { id, api, call, plan, limits, admission: { policy } }: Passage,
  offer: Offer | null,
  attempts: number,
): Record<string, string> {
  const candidate = plan.candidates.find((candidate) => candidate.offer === offer);
  return {
    ...call.answerHeaders,
    ...limits,
    'x-generation-id': id,
    [REQUEST_ID_HEADER[api] ?? 'x-request-id']: id,
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
