/** The hold around an answer: what a request may take is reserved before anything is sent, and given back however the request ends. */
import { GatewayError } from '#schema/error';
import type { ApiKind } from '#schema/receipt';
import type { Admission } from '#src/admission/admission';
import { limitHeaders, NO_LIMITS } from '#src/admission/limit-headers';
import { tokensToHold } from '#src/admission/quotas';
import { newGenerationId } from '#src/ledger/generation-id';
import type { Hold, Ledger, LedgerAccount } from '#src/ledger/ledger';
import { createTally } from '#src/metering/tally';
import { worstCaseNanoUsd, type Call, type Passage } from '#src/passage';
import type { Plan } from '#src/routing/plan';
import { refusal } from '#src/routing/refusal';
import type { Settler } from '#src/settle';

/** A request that has been admitted and planned, with the API that it came through. */
export interface Routed {
  api: ApiKind;
  admitted: Admission;
  plan: Plan;
}

/**
 * Answers a request under its hold. Throws GatewayError: what the ledger refuses (`insufficient_budget`, `limit_exceeded`, `ledger_unavailable`),
 * which leaves no receipt; that nothing can serve the request, with one that says why; and what the answer throws.
 */
export type WithHold = (call: Call, routed: Routed, answer: (passage: Passage) => Promise<Response>) => Promise<Response>;

export interface WithHoldPorts {
  ledger: Ledger;
  settler: Settler;
  now(): number;
  random(): number;
}

/** Creates the way in which one isolate holds for its requests. */
export function createWithHold({ ledger, settler, now, random }: WithHoldPorts): WithHold {
  async function answerHeld(call: Call, routed: Routed, answer: (passage: Passage) => Promise<Response>): Promise<Response> {
    const passage = await begin(call, routed);
    const { admission, plan } = passage;
    try {
      passage.limits = limitsOf(admission);
      if (plan.candidates.length === 0) throw settler.settleFailure(passage, refusal(admission.request.model, plan));
      return await answer(passage);
    } catch (failure) {
      settler.abandon(passage);
      throw failure;
    }
  }

  async function begin(call: Call, { api, admitted: admission, plan }: Routed): Promise<Passage> {
    call.once?.admit(admission.policy);
    return {
      id: call.once?.generationId ?? newGenerationId(call.arrivedAtMs, random),
      api,
      call,
      admission,
      plan,
      hold: await holdFor(admission, plan),
      limits: NO_LIMITS,
      trail: [],
      skipped: [],
      tally: createTally(),
      dispatchedAtMs: now(),
      left: admission.facts.stream ? follow(call.signal) : null,
    };
  }

  async function holdFor(admission: Admission, plan: Plan): Promise<Hold> {
    const account = accountOf(admission);
    const size = { nanoUsd: worstCaseNanoUsd(plan), tokens: tokensToHold(admission.facts, account.quotas) };
    try {
      return await ledger.hold(account, size);
    } catch (error) {
      throw error instanceof GatewayError ? error.withRequest({ headers: limitsOf(admission) }) : error;
    }
  }

  function limitsOf(admission: Admission): Passage['limits'] {
    const { caller, team } = admission;
    return caller.limits === null && team.limits === null ? NO_LIMITS : limitHeaders(ledger.standing(accountOf(admission)));
  }

  // A client that leaves ends its own request; what is held must not stay held because of it.
  return (call, routed, answer) => outlive(call, answerHeld(call, routed, answer));
}

/** Whose quotas a request takes from. */
function accountOf({ caller, team }: Admission): LedgerAccount {
  return { teamId: team.id, quotas: caller.quotas };
}

function outlive<T>(call: Call, answered: Promise<T>): Promise<T> {
  call.waitUntil(answered.catch(() => undefined));
  return answered;
}

/** A controller that aborts with `signal`, and may be aborted without it. */
function follow(signal: AbortSignal): AbortController {
  const controller = new AbortController();
  if (signal.aborted) controller.abort();
  else signal.addEventListener('abort', () => controller.abort());
  return controller;
}
