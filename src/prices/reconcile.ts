/** What a reading of a list changes: prices, endpoints that it brings, endpoints that it has dropped. Pure. */
import type { FeedReading, ListedModel } from '#schema/listed-model';
import type { Price } from '#schema/money';
import { comparePrice, isSamePrice, scopeOf } from './compare-price.ts';
import { doubtOf, type KnownBeside } from './doubt-reading.ts';

/** An endpoint that the list may speak of: of the catalogue, or brought by this feed. */
export interface KnownEndpoint {
  endpointId: string;
  upstreamModel: string;
  modelId: string;
  /** Whether this feed has brought it. */
  isBrought: boolean;
  isDisabled: boolean;
  price: Price | null;
  /** When that price began; null where none is known. */
  validFromMs: number | null;
  /** The price that held a week ago, or that was written or accepted by people since; the first one where all are younger. */
  settled: Price | null;
  /** The price of it that was held last, by whichever feed; null where none ever was. */
  held: { price: Price; decision: 'accepted' | 'rejected' | null } | null;
}

/** What is known before a reading. */
export interface KnownSupply {
  endpoints: readonly KnownEndpoint[];
  /** Median prompt price over the endpoints of a model, pico-USD a token, by model id; of prices above 0. */
  market: ReadonlyMap<string, number>;
  /** Ids of endpoints that begin with the feed's own: what it lists may be called like one that is not its own. */
  endpointIds: ReadonlySet<string>;
  /** Models that have a name here. */
  modelIds: ReadonlySet<string>;
  modelCountBefore: number;
  /** Good readings in a row without it, by id of an endpoint that the feed has brought. */
  missing: Readonly<Record<string, number>>;
}

export interface ReconcileOptions {
  /** Names an endpoint that the feed brings; absent where unknown models are only counted. */
  endpointIdOf?: (model: ListedModel) => string;
  acceptsShorter?: boolean;
}

export interface PriceChange {
  endpointId: string;
  from: Price | null;
  to: Price;
  /** The price that it takes the place of began then; null where there was none. */
  afterMs: number | null;
}

export interface HeldChange {
  endpointId: string;
  from: Price | null;
  price: Price;
  reason: string;
}

/** An endpoint that the list says there is. */
export interface BroughtEndpoint {
  endpointId: string;
  modelId: string;
  listed: ListedModel;
  isNew: boolean;
}

/** What a believed reading comes to. */
export interface Reconciled {
  changes: PriceChange[];
  held: HeldChange[];
  /** Endpoints whose held price the list does not state any more. */
  withdrawn: string[];
  brought: BroughtEndpoint[];
  /** Endpoints of the feed that come to an end, and those that are waited for, with how many readings they have been missing. */
  dropped: string[];
  missing: Record<string, number>;
  /** Ids of models that no endpoint here calls. */
  unknown: string[];
  /** Models with an endpoint of which the list states no price. */
  unpriced: number;
}

/** A model that was listed before comes to an end after this many good readings without it. */
const MISSING_MAX = 2;
const BROUGHT_MAX = 2_000;
/** What callers may name: as the manifest takes model names. */
const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,199}$/;

/** Compares a reading with what is known, or says why nothing of it is believed. */
export function reconcile(reading: FeedReading, known: KnownSupply, options: ReconcileOptions): { doubt: string } | Reconciled {
  const listed = new Map(reading.models.map((model) => [model.upstreamModel, model]));
  const pairs = known.endpoints.flatMap((endpoint) => {
    const model = listed.get(endpoint.upstreamModel);
    return model === undefined ? [] : [{ endpoint, model }];
  });
  const called = new Set(known.endpoints.map(({ upstreamModel }) => upstreamModel));
  const strangers = reading.models.filter(({ upstreamModel }) => !called.has(upstreamModel));
  const doubt = doubtOf({
    reading,
    beside: besides(pairs, options.endpointIdOf === undefined ? [] : strangers, known),
    modelCountBefore: known.modelCountBefore,
    acceptsShorter: options.acceptsShorter === true,
  });
  if (doubt !== null) return { doubt };

  const found: Reconciled = { changes: [], held: [], withdrawn: [], brought: [], dropped: [], missing: {}, unknown: [], unpriced: 0 };
  const scope = scopeOf(reading.models);
  const weigh = (endpoint: Omit<KnownEndpoint, 'upstreamModel' | 'isBrought' | 'isDisabled'>, model: ListedModel): void => {
    const { endpointId, price: from, validFromMs: afterMs, settled, held } = endpoint;
    const said = comparePrice(from, model, scope, { usualPrompt: known.market.get(endpoint.modelId) ?? null, settled });
    if (said.kind === 'unlisted') found.unpriced++;
    if (said.kind === 'held') {
      // Repeating it makes it no truer: an answer that was given stands, and a question that is open stays open.
      if (held !== null && held.decision !== 'accepted' && isSamePrice(held.price, said.price)) return;
      found.held.push({ endpointId, from, price: said.price, reason: said.reason });
    } else if (held !== null && held.decision === null && said.kind !== 'unlisted') found.withdrawn.push(endpointId);
    if (said.kind === 'change') found.changes.push({ endpointId, from, to: said.price, afterMs });
  };

  for (const { endpoint, model } of pairs) {
    weigh(endpoint, model);
    if (endpoint.isBrought) found.brought.push({ endpointId: endpoint.endpointId, modelId: endpoint.modelId, listed: model, isNew: false });
  }
  for (const model of strangers) {
    const endpointId = options.endpointIdOf?.(model);
    const modelId = modelIdOf(model, known.modelIds);
    if (endpointId === undefined || modelId === null || known.endpointIds.has(endpointId) || found.brought.length >= BROUGHT_MAX) {
      found.unknown.push(model.upstreamModel);
      continue;
    }
    found.brought.push({ endpointId, modelId, listed: model, isNew: true });
    weigh({ endpointId, modelId, price: null, validFromMs: null, settled: null, held: null }, model);
  }
  for (const { endpointId, upstreamModel, isBrought, isDisabled } of known.endpoints) {
    if (!isBrought || isDisabled || listed.has(upstreamModel)) continue;
    const readings = (known.missing[endpointId] ?? 0) + 1;
    if (readings >= MISSING_MAX) found.dropped.push(endpointId);
    else found.missing[endpointId] = readings;
  }
  return found;
}

/** Puts listed prices beside the endpoint's own, or beside what the model costs elsewhere. */
function besides(
  pairs: readonly { endpoint: KnownEndpoint; model: ListedModel }[],
  strangers: readonly ListedModel[],
  { market, modelIds }: KnownSupply,
): KnownBeside[] {
  const own = pairs.map(({ endpoint, model }) => ({
    listed: model,
    knownPrompt: endpoint.price?.promptPicoUsdPerToken || market.get(endpoint.modelId),
  }));
  const others = strangers.map((model) => ({ listed: model, knownPrompt: market.get(modelIdOf(model, modelIds) ?? '') }));
  return [...own, ...others].flatMap(({ listed, knownPrompt }) => (knownPrompt === undefined ? [] : [{ listed, knownPrompt }]));
}

/** Finds the model that a listed one is: under any of its names where one is known here, else under its own; null where nobody could name it. */
function modelIdOf({ aliases, upstreamModel }: ListedModel, modelIds: ReadonlySet<string>): string | null {
  const names = [...aliases, upstreamModel];
  const known = names.flatMap((name) => [name, name.toLowerCase()]).find((name) => modelIds.has(name));
  return known ?? names.find((name) => MODEL_NAME.test(name)) ?? null;
}
