/** Recorded requests that nobody has made: varied facts and health, planned by the real rooms. Seeded. */
import { createRandom, drawLognormal, type Random } from '#devnet/random';
import type { CatalogSnapshot, ModelEntry, Offer } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { EndpointHealth } from '#schema/health';
import { costNanoUsd } from '#schema/money';
import type { PolicyLevels, Receipt } from '#schema/receipt';
import { resolvePolicy, type PolicyBook } from '#src/admission/resolve-policy';
import { newGenerationId } from '#src/ledger/generation-id';
import { plan, type Candidate } from '#src/routing/plan';

/** What the requests are planned over. */
export interface TrafficWorld {
  snapshot: CatalogSnapshot;
  isCallable(offer: Offer): boolean;
  book: PolicyBook;
  teams: readonly { id: string; policy: string | null }[];
}

export interface TrafficSpan {
  requests: number;
  seed: number;
  fromMs: number;
  untilMs: number;
}

/** Shares of requests. */
const LONG_SHARE = 0.1;
const TOOLS_SHARE = 0.2;
const CONVERSATION_SHARE = 0.5;
const WISH_SHARE = 0.05;
const SEEN_SHARE = 0.9;
const MODEL_SHARES = [0.6, 0.85, 0.97];

/** Makes receipts, evenly over the span and oldest first. */
export function* makeTraffic(world: TrafficWorld, { requests, seed, fromMs, untilMs }: TrafficSpan): Generator<Receipt> {
  const random = createRandom(seed);
  const chats = [...world.snapshot.models.values()]
    .filter(({ offers }) => offers.some((offer) => offer.operations.has('chat') && world.isCallable(offer)))
    .toSorted((one, other) => countCallable(other, world) - countCallable(one, world));
  for (let place = 0; place < requests; place++) {
    const atMs = Math.floor(fromMs + ((untilMs - fromMs) * place) / requests);
    yield makeReceipt(world, { atMs, random, entry: chooseModel(chats, random) });
  }
}

function countCallable({ offers }: ModelEntry, { isCallable }: TrafficWorld): number {
  return offers.filter(isCallable).length;
}

/** Most requests ask for the models that most endpoints have. */
function chooseModel(chats: readonly ModelEntry[], random: Random): ModelEntry {
  const roll = random();
  const place = MODEL_SHARES.findIndex((share) => roll < share);
  const entry = chats[place < 0 ? MODEL_SHARES.length : place] ?? chats[0];
  if (entry === undefined) throw new Error('the fleet has no model to chat with');
  return entry;
}

function makeReceipt(world: TrafficWorld, { atMs, random, entry }: { atMs: number; random: Random; entry: ModelEntry }): Receipt {
  const team = world.teams[Math.floor(random() * world.teams.length)] ?? { id: 'demo', policy: null };
  const asked: PolicyLevels = {
    team: team.policy,
    key: null,
    request: null,
    ...(random() < WISH_SHARE && { wishes: [{ sort: 'price' as const }] }),
    requestedModels: 1,
  };
  const facts = makeFacts(team.id, random);
  const policy = resolvePolicy(world.book, asked, asked.wishes ?? []);
  const readings = new Map<string, EndpointHealth | undefined>();
  const made = plan({
    facts,
    policy,
    entries: [entry],
    snapshotVersion: world.snapshot.version,
    health: { read: (id) => readings.get(id) ?? readings.set(id, makeReading(random)).get(id), lastServed: () => null },
    nowMs: atMs,
    random,
    asked,
    isCallable: world.isCallable,
  });
  const first = made.candidates[0];
  return {
    id: newGenerationId(atMs, random),
    teamId: team.id,
    keyId: 'key-local',
    policy: policy.name,
    policyVersion: policy.version,
    createdAtMs: atMs,
    api: 'chat',
    stream: facts.stream,
    state: first === undefined ? 'failed' : 'completed',
    errorCode: first === undefined ? 'no_eligible_endpoint' : null,
    requestedModel: entry.model.id,
    model: entry.model.id,
    ...servedBy(first, facts, random),
    plan: made.record(),
  };
}

function makeFacts(teamId: string, random: Random): RequestFacts {
  const promptTokens = Math.ceil(drawLognormal(random, random() < LONG_SHARE ? 9_000 : 700, 0.9));
  const affinity = { key: '0123456789abcdef', prefixTokens: Math.floor(promptTokens * 0.8), isNamed: random() < 0.5 };
  return {
    teamId,
    operation: 'chat',
    promptTokens,
    maxTokens: random() < 0.3 ? 512 : null,
    choices: 1,
    expectedCompletionTokens: 250,
    stream: random() < 0.7,
    needs: random() < TOOLS_SHARE ? ['tools'] : [],
    wants: [],
    signedBy: [],
    reasoning: false,
    freeOnly: false,
    ...(random() < CONVERSATION_SHARE && { affinity }),
  };
}

function makeReading(random: Random): EndpointHealth | undefined {
  if (random() > SEEN_SHARE) return undefined;
  const ttftMs = drawLognormal(random, 600, 0.5);
  return {
    samples: random() * 100,
    failureProbability: 0.002 + 0.08 * random() ** 3,
    ttftNormalisedMs: ttftMs,
    ttftNormalisedMsP90: ttftMs * (1.3 + random()),
    ttftNormalisedMsP95: ttftMs * 2.5,
    tpotMs: drawLognormal(random, 15, 0.4),
    inFlight: random() * 6,
    newsAgeMs: random() * 2_000,
    cap: 8 + random() * 24,
    backoffUntilMs: 0,
    breaker: random() < 0.02 ? 'open' : 'closed',
    credentialDisabled: false,
  };
}

/** What the endpoint that was chosen would have brought. */
function servedBy(candidate: Candidate | undefined, { promptTokens }: RequestFacts, random: Random) {
  const completionTokens = candidate === undefined ? 0 : Math.ceil(drawLognormal(random, 220, 0.8));
  const counted = { promptTokens: candidate === undefined ? 0 : promptTokens, completionTokens, cacheReadTokens: 0, cacheWriteTokens: 0 };
  const price = candidate?.offer.price ?? null;
  const chargedNanoUsd = price === null ? 0 : costNanoUsd(price, counted);
  const ttftMs = candidate === undefined ? null : Math.round(candidate.ttftMs);
  return {
    endpointId: candidate?.offer.endpointId ?? null,
    providerId: candidate?.offer.providerId ?? null,
    providerName: candidate === undefined ? null : 'simulated',
    supply: candidate?.offer.supply ?? null,
    tier: candidate?.tier ?? null,
    finishReason: candidate === undefined ? null : 'stop',
    nativeFinishReason: null,
    upstreamId: 'simulated',
    sessionId: null,
    usage: { source: 'counted' as const, reasoningTokens: 0, ...counted },
    timing: { overheadMs: 0, ttftMs, tpotMs: 15, totalMs: (ttftMs ?? 0) + completionTokens * 15 },
    chargedNanoUsd,
    absorbedNanoUsd: 0,
    heldNanoUsd: 2 * chargedNanoUsd,
    attempts: [],
  };
}
