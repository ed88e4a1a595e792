/**
 * Compares registered endpoints with others of their model that are trusted more: the same random prompts to both, and how likely each held what.
 * What it costs is booked to the house, within a budget a day.
 */
import type { CatalogSnapshot, Offer } from '#schema/catalog';
import { costNanoUsd, NANO_PER_USD } from '#schema/money';
import { NOTHING_USED, type Receipt } from '#schema/receipt';
import { readDueForComparison, readTrust, writeComparison, type Trust } from '#src/nodes/comparing-store';
import { compareWith, withoutReference, type Fingerprinted } from '#src/nodes/probe/compare';
import { readRegistered, type RegisteredEndpoint } from '#src/nodes/registrations-store';
import { askFingerprint, fingerprintRequest, type FingerprintEnd } from './ask-fingerprint.ts';
import { COMPARISON_KEY_ID, toCanaryReceipt } from './canary-receipt.ts';
import type { CanaryPorts } from './send-canary.ts';
import type { RecentCanaries } from './store.ts';

const DAY_MS = 24 * 60 * 60_000;
/** A day's comparisons cost this much at most, both sides together. */
const BUDGET_NANO_USD_PER_DAY = 0.1 * NANO_PER_USD;
/** How long a comparison holds; one that differed is repeated over other prompts soon. */
const COMPARED_EVERY_MS = 6 * 60 * 60_000;
const DIFFERED_EVERY_MS = 10 * 60_000;
/** Endpoints of one run, prompts of one comparison, and references of one endpoint. */
const COMPARED_MAX = 4;
const PROMPTS = 4;
const REFERENCES_MAX = 2;
/** Nothing is begun after this: a comparison takes twelve seconds at most, and the run twenty-five. */
const COMPARE_FOR_MS = 10_000;
/** What one prompt is taken to use at worst. */
const WORST = { ...NOTHING_USED, promptTokens: 400, completionTokens: 16 };

/** What comparing uses. */
export interface ComparePorts extends CanaryPorts {
  db: D1Database;
  snapshot(): CatalogSnapshot | Promise<CatalogSnapshot>;
  /** Answers whether this deployment has the endpoint's key. */
  isCallable(offer: Offer): boolean;
  /** Sums up the comparisons since an instant. */
  readRecent(sinceMs: number): Promise<RecentCanaries>;
  /** Stores a receipt and what it posts. Never rejects. */
  book(receipt: Receipt): Promise<void>;
  log(event: Record<string, unknown>): void;
}

/** Compares the endpoints that are due. Rejects where D1 does not answer. */
export async function compareModels(ports: ComparePorts): Promise<void> {
  const { db, now } = ports;
  const nowMs = now();
  const due = await readDueForComparison(db, {
    comparedBeforeMs: nowMs - COMPARED_EVERY_MS,
    differedBeforeMs: nowMs - DIFFERED_EVERY_MS,
    limit: COMPARED_MAX,
  });
  if (due.length === 0) return;
  const [snapshot, recent] = await Promise.all([ports.snapshot(), ports.readRecent(nowMs - DAY_MS)]);
  const purse = { leftNanoUsd: BUDGET_NANO_USD_PER_DAY - recent.spentNanoUsd };
  for (const endpointId of due) {
    if (now() - nowMs > COMPARE_FOR_MS) return;
    const found = await readRegistered(db, endpointId);
    if (found !== null) await compareOne(found, snapshot, purse, ports);
  }
}

interface Purse {
  leftNanoUsd: number;
}

async function compareOne(found: RegisteredEndpoint, snapshot: CatalogSnapshot, purse: Purse, ports: ComparePorts): Promise<void> {
  const { endpoint, registration } = found;
  const offers = snapshot.models.get(endpoint.modelId)?.offers ?? [];
  const own = offers.find(({ endpointId }) => endpointId === endpoint.id);
  // Not in the snapshot yet, or no longer: the next run finds it as it is.
  if (own === undefined || !ports.isCallable(own)) return;
  const before = registration.seen?.comparison ?? null;
  const references = chooseReferences(own, offers, await readTrust(ports.db, endpoint.modelId), ports.isCallable);
  const costs = [own, ...references.map(({ offer }) => offer)].map(worstNanoUsd).reduce((sum, cost) => sum + cost, 0);
  // A comparison that nobody can pay today is no word on the endpoint; a model without references costs nothing.
  if (references.length > 0 && costs > purse.leftNanoUsd) return;
  purse.leftNanoUsd -= references.length > 0 ? costs : 0;
  const comparison =
    references.length === 0 ? withoutReference(before, ports.now()) : await compareWithThem(own, references, { before, snapshot, ports });
  if (comparison === null) return;
  const written = await writeComparison(ports.db, found, comparison, ports.now());
  const { verdict, distance, tolerance } = comparison;
  ports.log({ event: 'model_compared', endpointId: endpoint.id, verdict, distance, tolerance, state: written?.state });
}

interface ChosenReference {
  offer: Offer;
  isSure: boolean;
}

/**
 * Chooses with whom an endpoint is compared: never with its own operator, nor with anonymous supply; with what the deployment itself or a manager
 * says first, then with endpoints that have earned their place; one of each operator, the cheapest.
 */
export function chooseReferences(
  own: Offer,
  offers: readonly Offer[],
  trust: ReadonlyMap<string, Trust>,
  isCallable: (offer: Offer) => boolean,
): ChosenReference[] {
  const able = offers.filter(
    (offer) =>
      offer.operatorId !== own.operatorId &&
      offer.supply !== 'subnet' &&
      offer.ownerTeamId === null &&
      offer.price !== null &&
      offer.operations.has('chat') &&
      offer.capabilities.has('logprobs') &&
      isCallable(offer),
  );
  const ranked = able.flatMap((offer) => {
    const known = trust.get(offer.endpointId);
    const isSure = known === undefined || known.isTrusted;
    return isSure || known.isActive ? [{ offer, isSure }] : [];
  });
  const inOrder = ranked.toSorted((a, b) => Number(b.isSure) - Number(a.isSure) || worstNanoUsd(a.offer) - worstNanoUsd(b.offer));
  const firsts = [...Map.groupBy(inOrder, ({ offer }) => offer.operatorId).values()].flatMap(([first]) => first ?? []);
  return firsts.slice(0, REFERENCES_MAX);
}

function worstNanoUsd({ price }: Offer): number {
  return price === null ? 0 : PROMPTS * costNanoUsd(price, WORST);
}

interface Round {
  before: Parameters<typeof withoutReference>[0];
  snapshot: CatalogSnapshot;
  ports: ComparePorts;
}

/** Null where the endpoint itself did not answer: that is for probes and health to judge. */
async function compareWithThem(own: Offer, references: readonly ChosenReference[], { before, snapshot, ports }: Round) {
  const requests = Array.from({ length: PROMPTS }, () => fingerprintRequest(own.modelId, ports.random));
  const booked: Promise<void>[] = [];
  const askAll = async (offer: Offer): Promise<Fingerprinted | null> => {
    const ends: FingerprintEnd[] = [];
    for (const request of requests) ends.push(await askFingerprint(offer, request, ports));
    for (const end of ends) booked.push(ports.book(toCanaryReceipt(end, snapshot.version, ports.random, COMPARISON_KEY_ID)));
    const answers = ends.flatMap(({ fingerprint }) => (fingerprint === null ? [] : [fingerprint]));
    // Prompts are compared by their place, so all of them must have been answered.
    return answers.length < requests.length ? null : { answers, quantization: offer.quantization, kvCache: offer.kvCache };
  };
  const [ours, ...theirs] = await Promise.all([askAll(own), ...references.map(({ offer }) => askAll(offer))]);
  await Promise.all(booked);
  if (ours === null || ours === undefined) return null;
  const told = theirs.flatMap((their, place) => (their === null ? [] : [{ ...their, isSure: references[place]?.isSure ?? false }]));
  return compareWith(ours, told, { before, nowMs: ports.now() });
}
