/**
 * The hall: one inference request, read top to bottom.
 * admit, match, plan, hold, dispatch, meter, settle. Rooms meet here and nowhere else.
 */
import type { CatalogSnapshot, ModelEntry, Offer } from '#schema/catalog';
import { GatewayError } from '#schema/error';
import type { ResolvedPolicy } from '#schema/policy';
import type { PlanRecord, PolicyLevels, Receipt, UsageSource } from '#schema/receipt';
import type { ClientChat, ClientUnit, Skin, UnitSkin } from '#schema/skin';
import { RUNTIME_TIMERS } from '#schema/timers';
import { createAnswers } from '#src/answer';
import { createAdmission, type Admission, type Asked, type Caller, type Team } from '#src/admission/admission';
import { chatFacts } from '#src/admission/facts';
import { unitFacts } from '#src/admission/unit-facts';
import { createEndpointKeys, withOpenKeys } from '#src/byok/endpoint-keys';
import { createOwnKeys } from '#src/byok/own-keys';
import { createSealer } from '#src/byok/seal';
import { readEndpointKeys, resealEndpointKey, resealProviderKey } from '#src/byok/store';
import { createCatalog } from '#src/catalog/catalog';
import { canonicalModel, checkProviderNames, countModels, findModel, match } from '#src/catalog/match';
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
import { createWithHold, type Routed } from '#src/hold';
import { createOnce } from '#src/ledger/idempotency/once';
import { createServeOnce } from '#src/ledger/idempotency/once-call';
import { createLedger } from '#src/ledger/ledger';
import { readReceipt, writeBatches } from '#src/ledger/store';
import { createOffice, type Office } from '#src/office';
import type { Call, Passage } from '#src/passage';
import { plan as makePlan, type Plan } from '#src/routing/plan';
import type { Reenactable } from '#src/routing/reenact';
import { replay as replayPlan } from '#src/routing/replay';
import { whyFull } from '#src/routing/room';
import { createSettler } from '#src/settle';

const SESSION_HEADER = 'x-session-id';
const SESSION_CHARS_MAX = 256;

/** What the porch may ask for. One per isolate. */
export interface Hall extends Office {
  /** Serves a conversation through one client API, whole or as a stream. */
  serve(call: Call, skin: Skin): Promise<Response>;
  /** Serves an operation that is answered whole. */
  serveUnit(call: Call, skin: UnitSkin): Promise<Response>;
  /** How many input tokens a request would be: as an endpoint of the client's own API counts them, else as we estimate them. Free. */
  countTokens(call: Call, skin: Skin): Promise<{ inputTokens: number; source: UsageSource }>;
  /** The plan that `serve` would follow now; dispatches nothing, charges nothing. */
  explain(call: Call, skin: Skin): Promise<Explanation>;
  /** Makes a recorded plan again, with the health of then, over the catalogue of now. */
  replay(recorded: Reenactable, waitUntil: Call['waitUntil']): Promise<PlanRecord>;
  authenticate(token: string | null, waitUntil: Call['waitUntil']): Promise<Caller>;
  snapshot(waitUntil: Call['waitUntil']): CatalogSnapshot | Promise<CatalogSnapshot>;
  findReceipt(teamId: string, generationId: string): Promise<Receipt | null>;
  /** The policy that holds for all requests of a key. */
  policyOf(caller: Caller, waitUntil: Call['waitUntil']): Promise<ResolvedPolicy>;
  /** Answers whether this deployment has what it takes to call an endpoint (its key). */
  isCallable(offer: Offer): boolean;
  /** The same for a team, which may have keys of its own; null for anybody. */
  callableBy(team: Team | null, waitUntil: Call['waitUntil']): Promise<(offer: Offer) => boolean>;
  /** Tells this isolate on which continent it stands, as Cloudflare names it; only the first request is asked. */
  stand(continent: () => unknown): void;
  now(): number;
  log: Context['log'];
}

/** The plan that a request would follow, and the policy that it was made under. */
export interface Explanation {
  plan: PlanRecord;
  policy: Pick<ResolvedPolicy, 'name' | 'version'>;
}

/** A request that has been admitted and planned, with what its client sent. */
type RoutedFrom<Client> = Omit<Routed, 'api'> & { client: Client };

/** Opens the rooms of this isolate. */
export function createHall(house: Context): Hall {
  const sealer = createSealer(house.secret);
  const endpointKeys = createEndpointKeys({
    ...house,
    sealer,
    read: (endpointId) => readEndpointKeys(house.db, endpointId),
    reseal: (key, seal) => resealEndpointKey(house.db, key, seal),
  });
  // The keys of registered endpoints are secrets like any other from here on.
  const context = { ...house, secret: endpointKeys.secret };
  const gate = createAdmission(context);
  const catalog = withOpenKeys(createCatalog(context), endpointKeys);
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
  const once = createOnce({ account: context.account, find: ledger.find, now: context.now });
  const serveOnce = createServeOnce({ once, authenticate: gate.authenticate, random: context.random });
  const withHold = createWithHold({ ...context, ledger, settler });
  const answers = createAnswers({ settler, dispatch: dispatchAlong, now: context.now });

  const ownKeys = createOwnKeys({ ...context, sealer, reseal: (sealed, seal) => resealProviderKey(context.db, sealed, seal) });

  const isCallable = (offer: Offer): boolean => hasKey(offer, context);

  async function callableBy(team: Team | null, waitUntil: Call['waitUntil']): Promise<(offer: Offer) => boolean> {
    const ownKeyOf = team === null ? undefined : await ownKeys.of(team, waitUntil);
    return ownKeyOf === undefined ? isCallable : (offer) => hasKey(offer, { ...context, ownKeyOf });
  }

  /** Admits, matches and plans; then, under a hold, dispatches, meters and settles. */
  async function serve(call: Call, skin: Skin): Promise<Response> {
    const { client, ...routed } = await routeChat(call, skin);
    const answer = routed.admitted.facts.stream ? answers.stream : answers.whole;
    return withHold(call, { api: skin.api, ...routed }, (passage) => answer(passage, client));
  }

  async function serveUnit(call: Call, skin: UnitSkin): Promise<Response> {
    const { client, ...routed } = await routeUnit(call, skin);
    return withHold(call, { api: skin.api, ...routed }, (passage) => answers.unit(passage, client, skin.operation));
  }

  async function explain(call: Call, skin: Skin): Promise<Explanation> {
    const { plan, admitted } = await routeChat(call, skin);
    return { plan: plan.record(), policy: admitted.policy };
  }

  async function replay(recorded: Reenactable, waitUntil: Call['waitUntil']): Promise<PlanRecord> {
    const { models, facts } = recorded.inputs;
    const snapshot = await catalog.snapshot(waitUntil);
    const entries = models.map((id) => findModel(snapshot, id, facts.teamId)).filter((entry) => entry !== null);
    return replayPlan(recorded, { entries, snapshotVersion: snapshot.version }).record();
  }

  async function countTokens(call: Call, skin: Skin): Promise<{ inputTokens: number; source: UsageSource }> {
    const { client, admitted, plan } = await routeChat(call, skin);
    const { request, native } = client;
    const counter = plan.candidates.find(({ offer }) => offer.dialect === native?.dialect)?.offer;
    const { fetch, secret } = context;
    const ports = { fetch, secret, ownKeyOf: admitted.ownKeyOf };
    const counted = counter ? await countUpstream({ kind: 'chat', request, native }, counter, call.signal, ports) : null;
    return counted === null
      ? { inputTokens: admitted.facts.promptTokens, source: 'counted' }
      : { inputTokens: counted, source: 'reported' };
  }

  function routeChat(call: Call, skin: Skin): Promise<RoutedFrom<ClientChat>> {
    return route(call, () => {
      const client = skin.read(call.body, call.headers);
      const { request } = client;
      return { client, request, toFacts: (of) => chatFacts(request, { ...client, ...of }) };
    });
  }

  function routeUnit(call: Call, skin: UnitSkin): Promise<RoutedFrom<ClientUnit>> {
    return route(call, () => {
      const client = skin.read(call.body, call.headers);
      return { client, request: client.request, toFacts: (of) => unitFacts(client, { ...of, operation: skin.operation }) };
    });
  }

  /** Admit, match, plan: everything that decides, nothing that acts. */
  async function route<Client>(call: Call, read: () => Asked & { client: Client }): Promise<RoutedFrom<Client>> {
    const caller = await gate.authenticate(call.token, call.waitUntil);
    const snapshot = await catalog.snapshot(call.waitUntil);
    const first = routeOver(snapshot, caller, call, read);
    if (!(await missesSomething(first))) return first;
    // What was asked for may have joined a moment ago.
    const newest = await catalog.newest(call.waitUntil);
    return newest === snapshot ? first : routeOver(newest, caller, call, read);
  }

  async function routeOver<Client>(
    snapshot: CatalogSnapshot,
    caller: Caller,
    { headers, waitUntil }: Call,
    read: () => Asked & { client: Client },
  ): Promise<RoutedFrom<Client>> {
    const gated = await gate.admit({
      caller,
      read: () => withSession(read(), headers),
      headers,
      canonicalModel: (name) => canonicalModel(snapshot, name),
      waitUntil,
    });
    checkProviderNames(snapshot, gated.request.provider);
    const opening = ownKeys.of(gated.team, waitUntil);
    const admitted = opening === undefined ? gated : { ...gated, ownKeyOf: await opening };
    const { entries } = match(snapshot, admitted.models, admitted.team.id);
    return { client: admitted.asked.client, admitted, plan: planFor(admitted, snapshot, entries) };
  }

  function planFor(
    { facts, policy, levels, models, ownKeyOf }: Admission,
    snapshot: CatalogSnapshot,
    entries: readonly ModelEntry[],
  ): Plan {
    const nowMs = context.now();
    return makePlan({
      facts,
      policy,
      entries,
      snapshotVersion: snapshot.version,
      health: health.view(nowMs, facts.teamId),
      nowMs,
      random: context.random,
      asked: withKnownModels(levels, models, { snapshot, teamId: facts.teamId }),
      isCallable: ownKeyOf === undefined ? isCallable : (offer) => hasKey(offer, { secret: context.secret, ownKeyOf }),
      ownKeyOf,
    });
  }

  function dispatchAlong(
    { call, left, admission: { facts, policy, ownKeyOf }, plan, trail, skipped }: Passage,
    ask: Ask,
  ): Promise<DispatchResult> {
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
        ownKeyOf,
        trail,
        skipped,
      },
      { call: callUpstream, now: context.now, timers: RUNTIME_TIMERS, secret: context.secret, health, retryBudget, hedgeBudget, whyFull },
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
    ...createOffice(context, { sealer, endpointKeys, catalog, gate }),
    serve: (call, skin) => serveOnce(call, (call) => serve(call, skin)),
    serveUnit: (call, skin) => serveOnce(call, (call) => serveUnit(call, skin)),
    countTokens,
    explain,
    replay,
    authenticate: gate.authenticate,
    snapshot: catalog.snapshot,
    findReceipt: ledger.find,
    policyOf: gate.policyOf,
    isCallable,
    callableBy,
    stand: (continent) => (region ??= regionOf(continent())),
    now: context.now,
    log: context.log,
  };
}

/** Tells whether a request found nobody to serve it, or named a model, provider or endpoint that the snapshot does not have. */
async function missesSomething(routing: Promise<{ plan: Plan }>): Promise<boolean> {
  try {
    return (await routing).plan.candidates.length === 0;
  } catch (error) {
    if (!(error instanceof GatewayError)) return false;
    return error.code === 'model_not_found' || (error.code === 'invalid_request' && error.param?.startsWith('provider.') === true);
  }
}

/** The session that the header names holds where the body names none. */
function withSession<A extends Asked>(asked: A, headers: Headers): A {
  asked.request.session_id ??= headers.get(SESSION_HEADER)?.slice(0, SESSION_CHARS_MAX);
  return asked;
}

/** Counts the models that were asked for among those that are planned over, where it may differ from the names. */
function withKnownModels(
  levels: PolicyLevels,
  names: readonly string[],
  { snapshot, teamId }: { snapshot: CatalogSnapshot; teamId: string },
): PolicyLevels {
  if (levels.requestedModels === 1) return levels;
  return { ...levels, requestedModels: countModels(snapshot, names.slice(0, levels.requestedModels), teamId) || 1 };
}
