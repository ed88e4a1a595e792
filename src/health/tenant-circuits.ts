/**
 * What single tenants have met at one endpoint. A tenant whose requests fail shuts the endpoint for itself; for everybody only what
 * several tenants have met counts (R9). Tenants without a failure leave no trace.
 */
import { close, type BreakerLimits } from './breaker.ts';
import { createCircuit, isFailing, isFailingByShare, settleCircuit, tripOn, type Circuit } from './circuit.ts';
import { count, decayed, type Counters } from './counters.ts';
import { elapsedMs } from './timers.ts';

/** Tenants remembered at one endpoint. */
export const TENANTS_MAX = 16;
/** Fewer recent failures than this are forgotten: one that is a minute old. */
const FORGOTTEN_BAD = 0.05;
const TRIPS_FORGIVEN_MS = 300_000;

export interface TenantCircuit extends Circuit {
  /** Digest of the tenant. */
  tenant: string;
  counters: Counters;
  /** Its last request failed, and the endpoint has not succeeded for anybody since. */
  isInRow: boolean;
  failedAtMs: number;
}

/** Finds a tenant's circuit; undefined while it has met no failure. */
export function findTenant(tenants: readonly TenantCircuit[], tenant: string): TenantCircuit | undefined {
  return tenants.find((met) => met.tenant === tenant);
}

/** Counts a tenant's failure and opens the endpoint for it where that is reason enough. `endpoint` is the record before this failure. */
export function learnTenantFailure(
  tenants: TenantCircuit[],
  failure: { tenant: string; isTenantProbe: boolean; eventMs: number; nowMs: number },
  context: { endpoint: Counters; limits: BreakerLimits; random: () => number },
): void {
  const { tenant, isTenantProbe, eventMs, nowMs } = failure;
  const met = findTenant(tenants, tenant) ?? remember(tenants, tenant, context.endpoint, nowMs);
  count(met.counters, { ok: 0, bad: 1, atMs: eventMs }, nowMs);
  met.failuresInARow++;
  met.isInRow = true;
  met.failedAtMs = eventMs;
  settleCircuit(met, context.limits, nowMs);
  tripOn(met, { isReason: isFailing(met.failuresInARow, met.counters), isProbe: isTenantProbe, eventMs }, context);
}

/** Counts a tenant's success, which ends every row of failures, and forgets tenants that are well again. */
export function learnTenantSuccess(
  tenants: TenantCircuit[],
  success: { tenant: string; isTenantProbe: boolean; times: number; eventMs: number; nowMs: number },
): void {
  for (const met of tenants) met.isInRow = false;
  const met = findTenant(tenants, success.tenant);
  if (met === undefined) return;
  met.failuresInARow = 0;
  count(met.counters, { ok: success.times, bad: 0, atMs: success.eventMs }, success.nowMs);
  if (success.isTenantProbe && met.breaker.state === 'half_open') met.breaker = close(met.breaker, success.nowMs);
  if (isWell(met, success.nowMs)) tenants.splice(tenants.indexOf(met), 1);
}

/** Tells whether the failures of an endpoint are more than one tenant's: a row of them from several, or a share that is high without the worst one's. */
export function failsForSeveral(tenants: readonly TenantCircuit[], failuresInARow: number, { fastOk, fastBad, atMs }: Counters): boolean {
  const inRow = tenants.filter(({ isInRow }) => isInRow).length;
  if (inRow >= 2 && isFailing(failuresInARow, NO_COUNTS)) return true;
  const worstBad = Math.max(0, ...tenants.map(({ counters }) => decayed(counters, atMs).fastBad));
  return isFailingByShare({ fastOk, fastBad: fastBad - worstBad });
}

const NO_COUNTS = { fastOk: 0, fastBad: 0 } as const;

function remember(tenants: TenantCircuit[], tenant: string, endpoint: Counters, nowMs: number): TenantCircuit {
  if (tenants.length >= TENANTS_MAX) {
    const stalest = tenants.reduce((oldest, met) => (met.failedAtMs < oldest.failedAtMs ? met : oldest));
    tenants.splice(tenants.indexOf(stalest), 1);
  }
  // Its successes so far were not counted apart: all of the endpoint's are taken to be its own, so that one bad moment looks like one.
  const counters = { ...decayed(endpoint, nowMs), fastBad: 0, slowOk: 0, slowBad: 0 };
  const met: TenantCircuit = { ...createCircuit(), tenant, counters, isInRow: false, failedAtMs: nowMs };
  tenants.push(met);
  return met;
}

function isWell({ breaker, counters }: TenantCircuit, nowMs: number): boolean {
  if (breaker.state !== 'closed' || counters.fastBad > FORGOTTEN_BAD) return false;
  return breaker.trips === 0 || elapsedMs(breaker.closedAtMs, nowMs) > TRIPS_FORGIVEN_MS;
}
