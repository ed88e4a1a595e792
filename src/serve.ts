/**
 * The hall: one inference request, read top to bottom.
 * admit, match, plan, hold, dispatch, meter, settle. Rooms meet here and nowhere else.
 */
import type { CatalogSnapshot, ModelEntry, Offer } from '#schema/catalog';
import type { ResolvedPolicy } from '#schema/policy';
import type { ApiKind, PlanRecord, Receipt, UsageSource } from '#schema/receipt';
import type { ClientChat, ClientUnit, Skin, UnitSkin } from '#schema/skin';
import { RUNTIME_TIMERS } from '#schema/timers';
import { createAnswers } from '#src/answer';
import { createAdmission, type Admission, type Asked, type Caller } from '#src/admission/admission';
import { chatFacts } from '#src/admission/facts';
import { unitFacts } from '#src/admission/unit-facts';
import { createCatalog } from '#src/catalog/catalog';
import { canonicalModel, checkProviderNames, findModel, match } from '#src/catalog/match';
import { createStatsReader, type ReadEndpointStats } from '#src/catalog/stats-reader';
import type { Context } from '#src/context';
import type { Ask } from '#src/dispatch/ask';
import { attempt, type CallUpstream } from '#src/dispatch/attempt';
import { countUpstream } from '#src/dispatch/count-upstream';
import { dispatch, type DispatchResult } from '#src/dispatch/dispatch';
import { createHedgeBudget } from '#src/dispatch/hedge-budget';
import { createRetryBudget } from '#src/dispatch/retry-budget';
import { isCallable as hasKey } from '#src/dispatch/target';
import { LOCAL_REGION, regionOf } from '#src/health/board-name';
import { createHealth } from '#src/health/health';
import { createKeyring, type Keyring } from '#src/keys/keyring';
import { newGenerationId } from '#src/ledger/generation-id';
import { createLedger } from '#src/ledger/ledger';
import { readReceipt, writeBatches } from '#src/ledger/store';
import { createTally } from '#src/metering/tally';
import { worstCaseNanoUsd, type Call, type Passage } from '#src/passage';
import { plan as makePlan, type Plan } from '#src/routing/plan';
import { refusal } from '#src/routing/refusal';
import { replay as replayPlan, type Replayable } from '#src/routing/replay';
import { createSettler } from '#src/settle';
import { createBooks, type Books } from '#src/usage/books';

const SESSION_HEADER = 'x-session-id';
const SESSION_CHARS_MAX = 256;

/** What the porch may ask for. One per isolate. */
export interface Hall {
  /** Serves a conversation through one client API, whole or as a stream. */
  serve(call: Call, skin: Skin): Promise<Response>;
  /** Serves an operation that is answered whole. */
  serveUnit(call: Call, skin: UnitSkin): Promise<Response>;
  /** How many input tokens a request would be: as an endpoint of the client's own API counts them, else as we estimate them. Free. */
  countTokens(call: Call, skin: Skin): Promise<{ inputTokens: number; source: UsageSource }>;
  /** The plan that `serve` would follow now; dispatches nothing, charges nothing. */
  explain(call: Call, skin: Skin): Promise<PlanRecord>;
  /** Makes a recorded plan again, with the health of then, over the catalogue of now. */
  replay(recorded: Replayable, waitUntil: Call['waitUntil']): Promise<PlanRecord>;
  authenticate(token: string | null, waitUntil: Call['waitUntil']): Promise<Caller>;
  snapshot(waitUntil: Call['waitUntil']): CatalogSnapshot | Promise<CatalogSnapshot>;
  findReceipt(teamId: string, generationId: string): Promise<Receipt | null>;
  /** The policy that holds for all requests of a key. */
  policyOf(caller: Caller, waitUntil: Call['waitUntil']): Promise<ResolvedPolicy>;
  /** Reads how endpoints have done lately, by endpoint id. */
  endpointStats: ReadEndpointStats;
  /** Sums over what was served and charged. */
  books: Books;
  /** Management of inference keys. */
  keys: Keyring;
  /** Answers whether this deployment has what it takes to call an endpoint (its key). */
  isCallable(offer: Offer): boolean;
  /** Tells this isolate on which continent it stands, as Cloudflare names it; only the first request is asked. */
  stand(continent: () => unknown): void;
  now(): number;
  log: Context['log'];
}

/** A request that has been admitted and planned. */
interface Routed<Client> {
  client: Client;
  admitted: Admission;
  plan: Plan;
}

/** Opens the rooms of this isolate. */
export function createHall(context: Context): Hall {
  const gate = createAdmission(context);
  const catalog = createCatalog(context);
  let region: string | null = null;
  const health = createHealth({ ...context, region: () => region ?? LOCAL_REGION });
  const ledger = createLedger({
    ...context,
    writeDirect: (batch) => writeBatches(context.db, [batch], context.now()),
    readDirect: (teamId, generationId) => readReceipt(context.db, teamId, generationId),
  });
  const settler = createSettler({ ledger, now: context.now, onSettled: shareHealth });
  const retryBudget = createRetryBudget(context.now);
  const hedgeBudget = createHedgeBudget();
  const callUpstream: CallUpstream = (order) => attempt(order, context);
  const answers = createAnswers({ settler, dispatch: dispatchAlong, now: context.now });

  const isCallable = (offer: Offer): boolean => hasKey(offer, context.secret);

  async function serve(call: Call, skin: Skin): Promise<Response> {
    const { client, admitted, plan } = await routeChat(call, skin);
    const passage = await begin(call, skin.api, admitted, plan);
    return outlive(call, admitted.facts.stream ? answers.stream(passage, client) : answers.whole(passage, client));
  }

  async function serveUnit(call: Call, skin: UnitSkin): Promise<Response> {
    const { client, admitted, plan } = await routeUnit(call, skin);
    const passage = await begin(call, skin.api, admitted, plan);
    return outlive(call, answers.unit(passage, client, skin.operation));
  }

  async function explain(call: Call, skin: Skin): Promise<PlanRecord> {
    return (await routeChat(call, skin)).plan.record();
  }

  async function replay(recorded: Replayable, waitUntil: Call['waitUntil']): Promise<PlanRecord> {
    const { models, facts } = recorded.inputs;
    const snapshot = await catalog.snapshot(waitUntil);
    const entries = models.map((id) => findModel(snapshot, id, facts.teamId)).filter((entry) => entry !== null);
    return replayPlan(recorded, { entries, snapshotVersion: snapshot.version }).record();
  }

  async function countTokens(call: Call, skin: Skin): Promise<{ inputTokens: number; source: UsageSource }> {
    const { client, admitted, plan } = await routeChat(call, skin);
    const { request, native } = client;
    const counter = plan.candidates.find(({ offer }) => offer.dialect === native?.dialect)?.offer;
    const counted = counter ? await countUpstream({ kind: 'chat', request, native }, counter, call.signal, context) : null;
    return counted === null
      ? { inputTokens: admitted.facts.promptTokens, source: 'counted' }
      : { inputTokens: counted, source: 'reported' };
  }

  function routeChat(call: Call, skin: Skin): Promise<Routed<ClientChat>> {
    return route(call, () => {
      const client = skin.read(call.body, call.headers);
      const { request } = client;
      return { client, request, toFacts: (of) => chatFacts(request, { ...client, ...of }) };
    });
  }

  function routeUnit(call: Call, skin: UnitSkin): Promise<Routed<ClientUnit>> {
    return route(call, () => {
      const client = skin.read(call.body, call.headers);
      return { client, request: client.request, toFacts: (of) => unitFacts(client, { ...of, operation: skin.operation }) };
    });
  }

  /** Admit, match, plan: everything that decides, nothing that acts. */
  async function route<Client>(call: Call, read: () => Asked & { client: Client }): Promise<Routed<Client>> {
    const { waitUntil } = call;
    const caller = await gate.authenticate(call.token, waitUntil);
    const snapshot = await catalog.snapshot(waitUntil);
    const admitted = await gate.admit({
      caller,
      read: () => withSession(read(), call.headers),
      headers: call.headers,
      canonicalModel: (name) => canonicalModel(snapshot, name),
      waitUntil,
    });
    checkProviderNames(snapshot, admitted.request.provider);
    const { entries } = match(snapshot, admitted.models, admitted.team.id);
    return { client: admitted.asked.client, admitted, plan: planFor(admitted, snapshot, entries) };
  }

  function planFor({ facts, policy }: Admission, snapshot: CatalogSnapshot, entries: readonly ModelEntry[]): Plan {
    const nowMs = context.now();
    return makePlan({
      facts,
      policy,
      entries,
      snapshotVersion: snapshot.version,
      health: health.view(nowMs, facts.teamId),
      nowMs,
      random: context.random,
      isCallable,
    });
  }

  /** Holds what the request may cost. A request that nothing can serve ends here, with a receipt that says why. */
  async function begin(call: Call, api: ApiKind, admission: Admission, plan: Plan): Promise<Passage> {
    const passage: Passage = {
      id: newGenerationId(call.arrivedAtMs, context.random),
      api,
      call,
      admission,
      plan,
      hold: await ledger.hold(admission.team, worstCaseNanoUsd(plan)),
      trail: [],
      tally: createTally(),
      dispatchedAtMs: context.now(),
      left: admission.facts.stream ? follow(call.signal) : null,
    };
    if (plan.candidates.length === 0) throw settler.settleFailure(passage, refusal(admission.request.model, plan));
    return passage;
  }

  function dispatchAlong({ call, left, admission: { facts, policy }, plan, trail }: Passage, ask: Ask): Promise<DispatchResult> {
    const dispatched = dispatch(
      {
        candidates: plan.candidates,
        ask,
        facts,
        maxAttempts: policy.maxAttempts,
        allowFallbacks: policy.allowFallbacks,
        fixedOrder: plan.method !== 'index',
        hedge: policy.hedge,
        resume: policy.resume,
        deadlineAtMs: call.arrivedAtMs + policy.deadlineMs,
        clientSignal: left?.signal ?? call.signal,
        trail,
      },
      { call: callUpstream, now: context.now, timers: RUNTIME_TIMERS, secret: context.secret, health, retryBudget, hedgeBudget },
    );
    shareHealth(call);
    return dispatched;
  }

  /** Lets the request keep the exchange with the health boards alive where one is due; it never waits for it. */
  function shareHealth({ waitUntil }: Pick<Call, 'waitUntil'>): void {
    const work = health.sync();
    if (work !== null) waitUntil(work);
  }

  return {
    serve,
    serveUnit,
    countTokens,
    explain,
    replay,
    authenticate: gate.authenticate,
    snapshot: catalog.snapshot,
    findReceipt: ledger.find,
    policyOf: gate.policyOf,
    endpointStats: createStatsReader(context),
    books: createBooks(context),
    keys: createKeyring({ ...context, forget: gate.forget }),
    isCallable,
    stand: (continent) => (region ??= regionOf(continent())),
    now: context.now,
    log: context.log,
  };
}

/** The session that the header names holds where the body names none. */
function withSession<A extends Asked>(asked: A, headers: Headers): A {
  asked.request.session_id ??= headers.get(SESSION_HEADER)?.slice(0, SESSION_CHARS_MAX);
  return asked;
}

/** A client that leaves ends its own request; what is settled must not end with it. */
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
