/**
 * The hall: one inference request, read top to bottom.
 * admit, match, plan, hold, dispatch, meter, settle. Rooms meet here and nowhere else.
 */
import type { CatalogSnapshot, ModelEntry, Offer } from '#schema/catalog';
import { GatewayError } from '#schema/error';
import type { PlanRecord, Receipt } from '#schema/receipt';
import { createAdmission, type Admission, type Caller } from '#src/admission/admission';
import { readKeyUsage, type KeyUsage } from '#src/admission/store';
import { createCatalog } from '#src/catalog/catalog';
import { canonicalModel, checkProviderNames, match } from '#src/catalog/match';
import { createStatsReader, type ReadEndpointStats } from '#src/catalog/stats-reader';
import type { Context } from '#src/context';
import { dispatch, type DispatchResult, type Reply } from '#src/dispatch/dispatch';
import { explainFailure } from '#src/dispatch/exhausted';
import { createRetryBudget } from '#src/dispatch/retry-budget';
import { createHealth } from '#src/health/health';
import { newGenerationId } from '#src/ledger/generation-id';
import { createLedger } from '#src/ledger/ledger';
import { draftReceipt, type RequestEnd } from '#src/ledger/draft-receipt';
import { readReceipt, writeBatches } from '#src/ledger/store';
import { toAnswerBody } from '#src/metering/answer-body';
import { asksToHideReasoning, hideReasoning } from '#src/metering/hide-reasoning';
import { relayStream, type RelaySource, type StreamEnd } from '#src/metering/relay';
import { toRouterMetadata } from '#src/metering/router-metadata';
import { settleUsage } from '#src/metering/settle-usage';
import { addToTally, createTally } from '#src/metering/tally';
import { toUsageBody } from '#src/metering/usage-body';
import { answerHeaders, createdAtS, wantsMetadata, worstCaseNanoUsd, type ChatCall, type LastWords, type Passage } from '#src/passage';
import { plan as makePlan, type Plan } from '#src/routing/plan';
import { refusal } from '#src/routing/refusal';

/** A stream's headers go out after this long even when no upstream has answered yet (DESIGN §3). */
const HEADERS_AFTER_MS = 10_000;

/** What the porch may ask for. One per isolate. */
export interface Hall {
  serveChat(call: ChatCall): Promise<Response>;
  /** The plan that `serveChat` would follow now; dispatches nothing, charges nothing. */
  explain(call: ChatCall): Promise<PlanRecord>;
  authenticate(token: string | null, waitUntil: ChatCall['waitUntil']): Promise<Caller>;
  snapshot(waitUntil: ChatCall['waitUntil']): CatalogSnapshot | Promise<CatalogSnapshot>;
  findReceipt(teamId: string, generationId: string): Promise<Receipt | null>;
  /** Reads how a model's endpoints have done lately, by endpoint id. */
  endpointStats: ReadEndpointStats;
  /** Sums what a key has been charged. */
  keyUsage(caller: Caller): Promise<KeyUsage>;
  /** Answers whether this deployment has what it takes to call an endpoint (its key). */
  isCallable(offer: Offer): boolean;
  now(): number;
  log: Context['log'];
}

/** Opens the rooms of this isolate. */
export function createHall(context: Context): Hall {
  const gate = createAdmission(context);
  const catalog = createCatalog(context);
  const health = createHealth(context);
  const ledger = createLedger({
    ...context,
    writeDirect: (batch) => writeBatches(context.db, [batch], context.now()),
    readDirect: (teamId, generationId) => readReceipt(context.db, teamId, generationId),
  });
  const retryBudget = createRetryBudget(context.now);

  function isCallable({ keySecret }: Offer): boolean {
    return keySecret === null || context.secret(keySecret) !== undefined;
  }

  async function serveChat(call: ChatCall): Promise<Response> {
    const { admitted, plan } = await route(call);
    if (plan.candidates.length === 0) throw refusal(admitted.request.model, plan);
    const hold = await ledger.hold(admitted.team, worstCaseNanoUsd(plan));

    const passage: Passage = {
      id: newGenerationId(call.arrivedAtMs, context.random),
      call,
      admission: admitted,
      plan,
      hold,
      trail: [],
      tally: createTally(),
      dispatchedAtMs: context.now(),
      left: admitted.facts.stream ? follow(call.signal) : null,
    };
    const answered = admitted.facts.stream ? answerStream(passage) : answerWhole(passage);
    // A client that leaves ends its own request; what is settled must not end with it.
    call.waitUntil(answered.catch(() => undefined));
    return answered;
  }

  async function explain(call: ChatCall): Promise<PlanRecord> {
    return (await route(call)).plan.record();
  }

  /** Admit, match, plan: everything that decides, nothing that acts. */
  async function route(call: ChatCall): Promise<{ admitted: Admission; plan: Plan }> {
    const { waitUntil } = call;
    const caller = await gate.authenticate(call.token, waitUntil);
    const snapshot = await catalog.snapshot(waitUntil);
    const admitted = await gate.admit({
      caller,
      body: call.body,
      headers: call.headers,
      canonicalModel: (name) => canonicalModel(snapshot, name),
      waitUntil,
    });
    checkProviderNames(snapshot, admitted.request.provider);
    const { entries } = match(snapshot, admitted.models, admitted.team.id);
    return { admitted, plan: planFor(admitted, snapshot, entries) };
  }

  function planFor({ facts, policy }: Admission, snapshot: CatalogSnapshot, entries: readonly ModelEntry[]): Plan {
    const nowMs = context.now();
    return makePlan({
      facts,
      policy,
      entries,
      snapshotVersion: snapshot.version,
      health: health.view(nowMs),
      nowMs,
      random: context.random,
      isCallable,
    });
  }

  function dispatchAlong({ call, left, admission: { request, facts, policy }, plan, trail }: Passage): Promise<DispatchResult> {
    return dispatch(
      {
        candidates: plan.candidates,
        request,
        facts,
        maxAttempts: policy.maxAttempts,
        allowFallbacks: policy.allowFallbacks,
        deadlineAtMs: call.arrivedAtMs + policy.deadlineMs,
        clientSignal: left?.signal ?? call.signal,
        trail,
      },
      { fetch: context.fetch, now: context.now, secret: context.secret, health, retryBudget },
    );
  }

  async function answerWhole(passage: Passage): Promise<Response> {
    const { id, tally } = passage;
    const result = await dispatchAlong(passage);
    if ('error' in result) throw settleFailure(passage, result.error);
    const { reply } = result;
    invariant(reply.opened.kind === 'json', 'a whole request is answered whole');

    addToTally(tally, reply.opened.reply, context.now());
    if (asksToHideReasoning(passage.admission.request)) reply.opened.reply.choices.forEach(hideReasoning);
    const last = settle(passage, reply, { state: 'completed' });
    const labels = { id, createdAtS: createdAtS(passage), model: reply.offer.modelId, provider: reply.offer.providerName };
    return Response.json(toAnswerBody(labels, reply.opened.reply, last), {
      headers: answerHeaders(passage, reply.offer, passage.trail.length),
    });
  }

  async function answerStream(passage: Passage): Promise<Response> {
    const { call, tally } = passage;
    const dispatched = dispatchAlong(passage);
    const inTime = await noLongerThan(HEADERS_AFTER_MS - (context.now() - call.arrivedAtMs), dispatched);
    if (inTime !== undefined && 'error' in inTime) throw settleFailure(passage, inTime.error);

    const settled = Promise.withResolvers<void>();
    call.waitUntil(settled.promise);
    let reply = inTime?.reply ?? null;
    const opening = dispatched.then((result): RelaySource | { error: GatewayError } => {
      if ('error' in result) return result;
      reply = result.reply;
      const { offer, opened } = reply;
      invariant(opened.kind === 'stream', 'a stream is answered as a stream');
      return { stream: opened.stream, model: offer.modelId, provider: offer.providerName };
    });
    const body = relayStream({
      id: passage.id,
      createdAtS: createdAtS(passage),
      tally,
      hidesReasoning: asksToHideReasoning(passage.admission.request),
      now: context.now,
      opening,
      toError: explainFailure,
      onEnd(end) {
        settled.resolve();
        if (end.state === 'failed') settleFailure(passage, end.error);
        else if (reply !== null) return settle(passage, reply, end);
        else call.waitUntil(settleAbandoned(passage, dispatched));
        return null;
      },
    });
    return new Response(body, {
      headers: {
        ...answerHeaders(passage, inTime?.reply.offer ?? null, passage.trail.length + 1),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
      },
    });
  }

  /** Ends a request whose client left before any upstream had answered. */
  async function settleAbandoned(passage: Passage, dispatched: Promise<DispatchResult>): Promise<void> {
    passage.left?.abort();
    const result = await dispatched;
    if ('error' in result) return void settleFailure(passage, result.error);
    if (result.reply.opened.kind === 'stream') result.reply.opened.stream.cancel();
    settle(passage, result.reply, { state: 'cancelled' });
  }

  /** Ends a request that an upstream answered: books the attempt, writes the receipt, returns what the client's last chunk says. */
  function settle(passage: Passage, { offer, finish }: Reply, end: StreamEnd): LastWords {
    const { tally, admission, hold, trail } = passage;
    const usage = settleUsage(tally, admission.facts.promptTokens, offer.supply, end.state === 'completed');
    const failure = end.state === 'interrupted' ? end.failure : null;
    const { firstTokenAtMs, lastTokenAtMs } = admission.facts.stream ? tally : UNTIMED;
    finish({ outcome: end.state, failure, usage, firstTokenAtMs, lastTokenAtMs });
    // The answer says what the ledger will capture, and that is never more than was held.
    const chargedNanoUsd = Math.min(hold.amountNanoUsd, trail.at(-1)?.costNanoUsd ?? 0);
    const record = writeReceipt(passage, {
      state: end.state,
      offer,
      usage,
      chargedNanoUsd,
      errorCode: failure && explainFailure(failure).code,
    });
    return {
      usage: toUsageBody(usage, offer.price, chargedNanoUsd),
      ...(wantsMetadata(passage) && {
        openrouter_metadata: toRouterMetadata(admission.request.model, record, trail, context.now() - passage.dispatchedAtMs),
      }),
    };
  }

  /** Ends a request that no upstream answered; the customer pays nothing. Returns the error with the request's id on it. */
  function settleFailure(passage: Passage, error: GatewayError): GatewayError {
    const state = passage.trail.at(-1)?.outcome === 'cancelled' ? 'cancelled' : 'failed';
    writeReceipt(passage, { state, offer: null, usage: null, chargedNanoUsd: 0, errorCode: error.code });
    return error.withHeaders({ 'x-generation-id': passage.id, 'x-headrace-attempts': String(passage.trail.length) });
  }

  function writeReceipt(passage: Passage, end: RequestEnd): PlanRecord {
    const { id, call, admission, hold, trail, tally, dispatchedAtMs } = passage;
    const plan = passage.plan.record();
    const times = { arrivedAtMs: call.arrivedAtMs, dispatchedAtMs, endedAtMs: context.now() };
    const durable = ledger.settle(hold, draftReceipt({ id, admission, hold, trail, tally, plan, times }, end));
    // One request of a batch stays to store it; keeping all of them alive would cost more than storing does.
    if (hold.leads) call.waitUntil(durable);
    return plan;
  }

  return {
    serveChat,
    explain,
    authenticate: gate.authenticate,
    snapshot: catalog.snapshot,
    findReceipt: ledger.find,
    endpointStats: createStatsReader(context),
    keyUsage: (caller) => readKeyUsage(context.db, caller, context.now()),
    isCallable,
    now: context.now,
    log: context.log,
  };
}

/** A whole answer arrives at once: it has no first token and no pace. */
const UNTIMED = { firstTokenAtMs: null, lastTokenAtMs: null };

function invariant(condition: boolean, why: string): asserts condition {
  if (!condition) throw new Error(why);
}

/** A controller that aborts with `signal`, and may be aborted without it. */
function follow(signal: AbortSignal): AbortController {
  const controller = new AbortController();
  if (signal.aborted) controller.abort();
  else signal.addEventListener('abort', () => controller.abort());
  return controller;
}

/** Waits for a promise, but no longer than `limitMs`; undefined when it takes longer. */
async function noLongerThan<T>(limitMs: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, limitMs));
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
