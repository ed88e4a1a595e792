/**
 * Compares registered endpoints with others of their model that are trusted more: the same random prompts to both, and how likely each held what, or what each said.
 * What it costs is booked to the house, within a budget a day.
 */
import type { CatalogSnapshot } from '#schema/catalog';
import { NANO_PER_USD } from '#schema/money';
import { withoutReference } from '#src/nodes/probe/compare';
import { readDueForComparison, readTrust, writeComparison } from '#src/nodes/probe/comparing-store';
import { readRegistered, type RegisteredEndpoint } from '#src/nodes/register/registrations-store';
import { worstNanoUsd } from './choose-references.ts';
import { chooseMethod, type MethodPorts } from './compare-methods.ts';
import type { RecentCanaries } from './store.ts';

const DAY_MS = 24 * 60 * 60_000;
/** A day's comparisons cost this much at most, both sides together. */
const BUDGET_NANO_USD_PER_DAY = 0.1 * NANO_PER_USD;
/** This much of it is not spent on endpoints that were never compared: whoever makes new ones all day leaves it to the others. */
const KEPT_SHARE = 0.5;
/** How long a comparison holds; one that differed is repeated over other prompts soon. */
const COMPARED_EVERY_MS = 6 * 60 * 60_000;
const DIFFERED_EVERY_MS = 10 * 60_000;
/** Endpoints of one run. */
const COMPARED_MAX = 4;
/** Nothing is begun after this: a comparison takes sixteen seconds at most, and the run twenty-five. */
const COMPARE_FOR_MS = 8_000;

/** What comparing uses. */
export interface ComparePorts extends MethodPorts {
  db: D1Database;
  snapshot(): CatalogSnapshot | Promise<CatalogSnapshot>;
  /** Sums up the comparisons since an instant. */
  readRecent(sinceMs: number): Promise<RecentCanaries>;
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
  if (own === undefined) return;
  const before = registration.seen?.comparison ?? null;
  const trust = await readTrust(ports.db, endpoint.modelId);
  const { method, references } = chooseMethod(own, offers, { trust, before, isCallable: ports.isCallable });
  const costs = [own, ...references.map(({ offer }) => offer)]
    .map((offer) => method.requests * worstNanoUsd(offer))
    .reduce((sum, cost) => sum + cost, 0);
  // A comparison that nobody can pay today is no word on the endpoint; a model without references costs nothing.
  const keptNanoUsd = before === null ? BUDGET_NANO_USD_PER_DAY * KEPT_SHARE : 0;
  if (references.length > 0 && costs > purse.leftNanoUsd - keptNanoUsd) return;
  purse.leftNanoUsd -= references.length > 0 ? costs : 0;
  const round = { own, references, before, snapshot, ports };
  const comparison = references.length === 0 ? withoutReference(before, ports.now()) : await method.compare(round);
  const written = await writeComparison(ports.db, found, comparison, ports.now());
  const { verdict, by, distance, tolerance } = comparison;
  ports.log({ event: 'model_compared', endpointId: endpoint.id, verdict, by, distance, tolerance, state: written?.state });
}
