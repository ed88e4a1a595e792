/** What a node brings, as rows, over what it brought before. */
import type { NodeModel } from '#schema/node';
import type { ExpectedService } from '#schema/node-service';
import type { OrUnavailable } from '#schema/or-unavailable';
import { TUNNEL_SCHEME, type CreateEndpoint, type JoinNode } from '#schema/registration';
import { priceOfRow } from '../price/price-row.ts';
import { takePrices, type GivenPrice } from '../price/take-price.ts';
import { toNodeEndpointRow } from '../register/endpoint-row.ts';
import { checkPublicPrice, refuseField } from '../register/endpoint-wish.ts';
import { newRegistration } from '../register/new-registration.ts';
import { readMemory, recall, seenOfAnother, type Memory } from '../register/recall.ts';
import type { RegisteredEndpoint, StoredEndpoint, StoredRegistration } from '../register/registrations-store.ts';
import { endpointIdsOf } from '../register/slug.ts';
import type { Vouching } from '../register/vouching.ts';
import { begin, move, type RegistrationEvent } from '../states.ts';
import type { SupplyPorts } from '../supply-ports.ts';
import type { Enrolment } from './enrol-store.ts';
import { readKnownModels } from './nodes-store.ts';

/** Rows of the endpoints that stand on a node from now on, and the ids of those that do not any more. */
export type Brought = Pick<Enrolment, 'endpoints' | 'registrations' | 'events' | 'offers' | 'held' | 'gone'>;

/** What a node of the manifest brings, whose endpoints and terms stand there. */
export const NOTHING_BROUGHT: Brought = { endpoints: [], registrations: [], events: [], offers: [], held: new Map(), gone: [] };

/** Who brings it. */
export interface Bringer {
  operatorId: string;
  teamId: string | null;
  /** It comes with its own key: what it does not say stays as it is. */
  isAgain: boolean;
  /** It has the key that it had. */
  isKeySame: boolean;
}

/** Turns what a node brings into rows. Throws GatewayError: `invalid_request` with `param`, `limit_exceeded`, `ledger_unavailable`. */
export type Bring = (wish: JoinNode, bringer: Bringer, before: readonly RegisteredEndpoint[]) => Promise<Brought>;

/** One model as rows. */
interface BroughtModel {
  endpoint: StoredEndpoint;
  /** Null: it stays where it stands. */
  registration: StoredRegistration | null;
  event: RegistrationEvent | null;
  /** Null: what is charged stays. */
  given: GivenPrice | null;
}

/** What all models of a node are brought into. */
interface Around extends Bringer {
  wish: JoinNode;
  nowMs: number;
  modelContexts: ReadonlyMap<string, number | null>;
  memory: Memory;
  priceOf: SupplyPorts['priceOf'];
}

/** Prepares the turning of wishes into rows. */
export function createBringing({ db, now, priceOf, judgePrices }: SupplyPorts, ask: OrUnavailable): Bring {
  const judge: typeof judgePrices = (operatorId, asked) => ask(judgePrices(operatorId, asked));

  return async (wish, bringer, before) => {
    const { operatorId } = bringer;
    const nowMs = now();
    const names = wish.models.map(({ model }) => model);
    const known = await ask(readKnownModels(db, names));
    const upstreamNames = wish.models.map(({ upstream_model: name }) => name);
    const ids = endpointIdsOf(wish.node, upstreamNames);
    const past = { operatorId, ids, url: `${TUNNEL_SCHEME}${wish.node}`, pathsDiffer: true, nowMs };
    const memory = await readMemory({ db, ask }, past);
    const described = new Map(wish.description.models.map((model) => [model.upstreamModel, model]));
    const around: Around = { ...bringer, wish, nowMs, modelContexts: known.contexts, memory, priceOf };

    const models = wish.models.map(({ upstream_model: upstreamModel, model }, place) => {
      const target = known.aliases.get(model);
      if (target !== undefined) throw refuseField(`models.${place}.model`, `it is an alias here: name the model itself, ${target}`);
      const facts = described.get(upstreamModel);
      if (facts === undefined) throw refuseField(`models.${place}.upstream_model`, 'the description does not tell of it');
      const id = ids[place] as string;
      const old = before.find(({ registration }) => registration.endpointId === id) ?? null;
      return bringModel({ id, place, facts, old }, around);
    });

    const given = models.flatMap((one) => one.given ?? []);
    const taken = await takePrices(judge, given, { operatorId, isManager: false, nowMs });
    const asked = taken.flatMap(({ held }, place) => (held === undefined ? [] : [[given[place]?.endpoint.id ?? '', held] as const]));
    return {
      endpoints: models.map(({ endpoint }) => endpoint),
      registrations: models.flatMap(({ registration }) => registration ?? []),
      events: models.flatMap(({ event }) => event ?? []),
      offers: taken.flatMap(({ offer }) => offer ?? []),
      held: new Map(asked),
      gone: before
        .filter(({ registration: { endpointId, state } }) => state !== 'retired' && !ids.includes(endpointId))
        .map(({ endpoint }) => endpoint.id),
    };
  };
}

/** `place`: among the models of the wish. `old`: the endpoint of that id as it is. */
function bringModel(
  { id, place, facts, old }: { id: string; place: number; facts: NodeModel; old: RegisteredEndpoint | null },
  around: Around,
): BroughtModel {
  const { wish, operatorId, teamId, isAgain, isKeySame, nowMs } = around;
  const { upstream_model: upstreamModel, model, price } = wish.models[place] as JoinNode['models'][number];
  const isSame = old !== null && old.endpoint.modelId === model && old.endpoint.upstreamModel === upstreamModel;
  const stays = isAgain && isSame && old.registration.state !== 'retired';
  const modelContext = around.modelContexts.get(model) ?? null;
  const endpoint = stays
    ? keepEndpoint(old.endpoint, wish)
    : toNodeEndpointRow({ id, model, described: facts }, wish, { operatorId, teamId, modelContext });

  const isPriceKept = isAgain && price === undefined;
  const stated = around.priceOf({ price, capabilities: endpoint.capabilities as CreateEndpoint['capabilities'] });
  const terms = isPriceKept ? priceOfRow(old?.offer ?? null) : stated;
  checkPublicPrice(terms, endpoint);
  const given = { endpoint, price: terms, before: old?.offer ?? null, path: `models.${place}.price` };
  if (stays) return { endpoint, registration: null, event: null, given: isPriceKept ? null : given };

  // Whoever was found out does not get away by joining again, nor by leaving before.
  const isCaught = old?.registration.state === 'quarantined';
  // What has stood here all along, with the same key, answers for itself alone.
  const isStanding = isSame && isKeySame && old.registration.state !== 'retired';
  const named = { id, modelId: model, upstreamModel };
  const { caught: found, difference } = recall(around.memory, named, isStanding ? named : null, `models.${place}.model`);
  const caught = isCaught ? old.registration : (found ?? null);
  const state = caught === null ? 'pending' : 'quarantined';
  const reason = isCaught ? old.registration.reason : found === undefined ? 'its node is not connected yet' : found.reason;
  const step = { reason, actor: `node:${wish.node}`, atMs: nowMs };
  const registration = newRegistration(id, operatorId, {
    nowMs,
    state,
    reason,
    failedProbes: caught?.failedProbes ?? 0,
    nodeId: wish.node,
    provenAtMs: nowMs,
    expected: expectedOf(facts),
    capacity: facts.capacity,
    ...(old !== null && { createdAtMs: old.registration.createdAtMs }),
    seen: isStanding ? old.registration.seen : seenOfAnother(old?.registration.seen ?? null, difference, nowMs),
    // A manager's word was given for this model of the node that has this key.
    ...(isSame && isKeySame && wordFor(old.registration)),
  });
  return {
    endpoint,
    registration: { ...registration, updatedAtMs: Math.max(nowMs, (old?.registration.updatedAtMs ?? 0) + 1) },
    event: old === null ? begin(id, state, step) : (move(old.registration, state, step)?.event ?? null),
    given,
  };
}

/** What a node says of a model itself, its link takes over, and looks again where that has changed. */
function keepEndpoint(known: StoredEndpoint, { max_concurrency: maxConcurrency, jurisdiction }: JoinNode): StoredEndpoint {
  return { ...known, maxConcurrency: maxConcurrency ?? known.maxConcurrency, jurisdiction: jurisdiction ?? known.jurisdiction };
}

function wordFor({ vouchedBy, vouchedAtMs }: Vouching): Vouching {
  return { vouchedBy, vouchedAtMs };
}

/** Reads what to expect of a model until it has been probed: what its node has measured, else what the capacity model says. */
function expectedOf({ measured, predicted }: NodeModel): ExpectedService | null {
  if (measured !== null) return { ttftMs: measured.ttftMs, tpotMs: measured.tpotMs, source: 'node' };
  return predicted && { ttftMs: predicted.ttftMs, tpotMs: predicted.tpotMs, source: 'model' };
}
