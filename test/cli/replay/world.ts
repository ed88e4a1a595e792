/** Recorded requests for replays: planned by the real rooms, kept and told as the router does. */
import type { CatalogFeed } from '#schema/answers/catalog-feed';
import type { ReceiptFeedItem } from '#schema/answers/receipts-feed';
import { supplyKind, type CatalogSnapshot, type ModelEntry, type Offer } from '#schema/catalog';
import type { EndpointHealth } from '#schema/health';
import type { PolicyDocument } from '#schema/policy';
import type { PolicyLevels } from '#schema/receipt';
import { resolvePolicy, type PolicyBook } from '#src/admission/resolve-policy';
import { withFallbacks } from '#src/admission/fallback-models';
import { toCatalogFeed } from '#src/api/catalog-feed';
import { countModels, match } from '#src/catalog/match';
import { encodePlan } from '#src/ledger/plan-text';
import { plan, type PlanInput } from '#src/routing/plan';
import { toOutcome, type Outcome } from '#cli/replay/outcome';
import { toGround } from '#cli/replay/ground';
import { createResolver, storedScenario, type Scenario, type StoredPolicies } from '#cli/replay/scenario';
import { entryOf, inputOf, TEAM, viewOf } from '../../src/routing/fleet.ts';
import type { Dice } from '../../src/routing/random-world.ts';

/** Policies by name; `base` is the deployment's default. */
export type Documents = Readonly<Record<string, PolicyDocument>>;

/** What `GET /policies` answers. */
export function storedOf(documents: Documents): StoredPolicies {
  const data = Object.entries(documents).map(([name, document]) => ({ name, version: 1, document }));
  return { data, default: 'base' in documents ? 'base' : null };
}

/** The stored policies as they are. */
export function scenarioOf(documents: Documents): Scenario {
  const stored = storedOf(documents);
  return { ...storedScenario(Object.keys(documents)[0] ?? '', stored), instead: null };
}

export function snapshotOf(entries: readonly ModelEntry[], version = 'v1'): CatalogSnapshot {
  return {
    version,
    takenAtMs: 0,
    models: new Map(entries.map((entry) => [entry.model.id, entry])),
    aliases: new Map(),
    providers: new Map(),
  };
}

/** The catalogue as a router tells it, through JSON. */
export function feedOf(entries: readonly ModelEntry[], version = 'v1'): CatalogFeed {
  const told = toCatalogFeed(snapshotOf(entries, version), { teamId: null, isCallable: ({ keySecret }: Offer) => keySecret !== 'MISSING' });
  return JSON.parse(JSON.stringify(told)) as CatalogFeed;
}

export interface World {
  entries: readonly ModelEntry[];
  documents: Documents;
}

export interface Request extends Partial<PlanInput> {
  levels?: Partial<PolicyLevels>;
  item?: Partial<ReceiptFeedItem>;
  readings?: Readonly<Record<string, EndpointHealth>>;
}

let count = 0;

/** Plans a request as the router would and gives its receipt as the feed tells it. Throws where admission would. */
export function record({ entries, documents }: World, { levels, item, readings = {}, ...input }: Request = {}): ReceiptFeedItem {
  const { data, default: defaultName } = storedOf(documents);
  const book: PolicyBook = { policies: new Map(data.map((policy) => [policy.name, policy])), defaultName };
  const asked: PolicyLevels = { team: null, key: null, request: null, requestedModels: 1, ...levels };
  const policy = resolvePolicy(book, asked, asked.wishes ?? []);
  const snapshot = snapshotOf(entries);
  const requested = [...snapshot.models.keys()].slice(0, asked.requestedModels);
  const names = withFallbacks(requested, policy, { caller: { models: null }, canonicalModel: (name) => name });
  const made = plan({
    ...inputOf([]),
    entries: match(snapshot, names, TEAM).entries,
    policy,
    asked: { ...asked, requestedModels: countModels(snapshot, requested, TEAM) },
    health: viewOf(readings),
    isCallable: ({ keySecret }) => keySecret !== 'MISSING',
    ...input,
  }).record();
  return {
    id: `gen-${String(count++).padStart(8, '0')}`,
    created_at_ms: made.plannedAtMs,
    team: TEAM,
    key: 'key-1',
    key_models: null,
    policy: policy.name,
    policy_version: policy.version,
    api: 'chat',
    stream: true,
    state: 'completed',
    error_code: null,
    requested_model: made.model,
    model: made.model,
    endpoint: made.candidates[0]?.endpointId ?? null,
    provider: null,
    supply: null,
    tier: null,
    usage: {
      source: 'reported',
      prompt_tokens: 1000,
      completion_tokens: 250,
      reasoning_tokens: 0,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      units: null,
    },
    timing: { overhead_ms: 1, ttft_ms: 100, tpot_ms: 10, total_ms: 1000 },
    charged_nano_usd: 1,
    plan: JSON.parse(JSON.stringify(encodePlan(made))) as ReceiptFeedItem['plan'],
    ...item,
  };
}

/** Replays one item over a catalogue under a scenario. */
export function replayOne(
  item: ReceiptFeedItem,
  { entries, version = 'v1' }: { entries: readonly ModelEntry[]; version?: string },
  scenario: Scenario,
): Outcome {
  return toOutcome(item, { ground: toGround(feedOf(entries, version)), resolve: createResolver(scenario), isDetailed: true });
}

/** One model with these offers. */
export function oneModel(offers: readonly Offer[]): ModelEntry[] {
  return [entryOf(offers)];
}

/** Restrictions of one level, most often few. */
export function randomRestrictions({ chance, pick, some }: Dice): PolicyDocument {
  const seldom = <Field extends object>(field: Field): Partial<Field> => (chance(0.12) ? field : {});
  return {
    ...seldom({ ignore: some(['alpha', 'beta', 'e0', 'e1', 'gamma/fp8'], 0.3) }),
    ...seldom({ only: [...some(['alpha', 'beta', 'gamma'], 0.6), 'e2', 'e3'] }),
    ...seldom({ max_price: { prompt: pick([0, 0.3, 0.7]) } }),
    ...seldom({ supply: { ignore: [pick(supplyKind.options)] } }),
    ...seldom({ zdr: true }),
    ...seldom({ data_collection: 'deny' as const }),
    ...seldom({ privacy: { jurisdictions: ['DE', pick(['FR', 'US'])], accept_operator_claims: chance(0.5) } }),
    ...seldom({ verification: 'required' as const }),
    ...seldom({ require_parameters: true }),
    ...seldom({ quantizations: some(['fp8', 'int4', 'bf16', 'fp16'] as const, 0.7).concat('fp8') }),
  };
}

/** Preferences of one level. */
export function randomPreferences({ chance, pick, some }: Dice): PolicyDocument {
  return {
    ...(chance(0.5) && { optimize: pick(['price', 'balanced', 'latency', 'throughput'] as const) }),
    ...(chance(0.1) && { sort: pick(['price', 'throughput', 'latency', 'exacto'] as const) }),
    ...(chance(0.1) && { order: some(['alpha', 'e1', 'e2'], 0.6) }),
    ...(chance(0.1) && { allow_fallbacks: false }),
    ...(chance(0.1) && { preferred_max_latency: { p90: 1.5 } }),
    ...(chance(0.2) && { models: { fallbacks: { 'lab/first': ['lab/second'] } } }),
    ...(chance(0.2) && { allow_unpriced: true }),
  };
}
