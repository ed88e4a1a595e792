/**
 * Bounds on what comes from the other side of an exchange: another version, a broken clock or an absurd number must not reach the state.
 * Single observations and endpoints that make no sense are left out; a message that makes none is ignored as a whole.
 */
import {
  BOARD_PROTOCOL,
  type BoardAnswer,
  type BoardReport,
  type EndpointReport,
  type ReportedObservation,
  type SharedBreaker,
  type SharedCounters,
  type SharedEndpoint,
  type SharedLatency,
  type SharedTenantBreaker,
} from './board-port.ts';
import type { NodeLoad } from '#schema/node-service';
import { RECENT_MAX } from './latency.ts';
import { OBSERVED_AGO_MAX_MS } from './observation.ts';
import { LEASE_MS } from './slot-leases.ts';
import { TENANTS_MAX } from './tenant-circuits.ts';

/** The most endpoints of one message. */
export const ENDPOINTS_OF_MESSAGE_MAX = 512;
const OBSERVATIONS_MAX = 500;
const ID_CHARS_MAX = 200;
const IN_FLIGHT_MAX = 100_000;
const TOKENS_MAX = 1e12;
const ISOLATES_MAX = 5_000;
const COUNT_MAX = 1e9;
const TIMES_MAX = 100_000;
const SLOTS_MAX = 4_096;
/** A day: no latency, wait or age is longer. */
const DURATION_MAX_MS = 86_400_000;

type Fields = Record<string, unknown>;

/** Reads a report, or null if it is no report of this version. */
export function checkReport(report: unknown): BoardReport | null {
  if (!isFields(report) || report['protocol'] !== BOARD_PROTOCOL || !isId(report['isolateId'])) return null;
  const { isolateId, board, answerAgeMs } = report;
  return {
    protocol: BOARD_PROTOCOL,
    isolateId,
    ...(isId(board) && { board }),
    answerAgeMs: isWithin(answerAgeMs, 0, DURATION_MAX_MS) ? answerAgeMs : null,
    endpoints: listOf(report['endpoints'], ENDPOINTS_OF_MESSAGE_MAX, checkEndpointReport),
    slotsWanted: listOf(report['slotsWanted'], ENDPOINTS_OF_MESSAGE_MAX, checkWish),
  };
}

/** Reads an answer, or null if it is no answer of this version. */
export function checkAnswer(answer: unknown): BoardAnswer | null {
  if (!isFields(answer) || answer['protocol'] !== BOARD_PROTOCOL || !isWithin(answer['activeIsolates'], 1, ISOLATES_MAX)) return null;
  return {
    protocol: BOARD_PROTOCOL,
    activeIsolates: answer['activeIsolates'],
    endpoints: listOf(answer['endpoints'], ENDPOINTS_OF_MESSAGE_MAX, checkSharedEndpoint),
    operators: listOf(answer['operators'], ENDPOINTS_OF_MESSAGE_MAX, checkOperator),
    leaseMs: isWithin(answer['leaseMs'], 0, LEASE_MS) ? answer['leaseMs'] : 0,
  };
}

/** Reads one endpoint as a board shares or stores it, or null if a number of it makes no sense. */
export function checkSharedEndpoint(shared: unknown): SharedEndpoint | null {
  if (!isFields(shared) || !isId(shared['endpointId']) || !isId(shared['operatorId'])) return null;
  const { endpointId, operatorId, isAnonymous, declaredSlots, inFlight, cap, baseMs, failuresInARow, leasedSlots, backoff } = shared;
  const { inFlightTokens } = shared;
  const nodeLoad = checkAgedLoad(shared['nodeLoad']);
  const counters = checkCounters(shared['counters']);
  const longCounters = checkCounters(shared['longCounters']);
  const ttft = checkLatency(shared['ttft']);
  const tpot = checkLatency(shared['tpot']);
  const breaker = checkBreaker(shared['breaker']);
  if (counters === null || longCounters === null || ttft === null || tpot === null || breaker === null) return null;
  if (!isWithin(inFlight, 0, IN_FLIGHT_MAX) || !isWithin(cap, 0.01, SLOTS_MAX) || !isCount(failuresInARow)) return null;
  if (!isFields(backoff) || !isWithin(backoff['remainingMs'], 0, DURATION_MAX_MS) || !isCount(backoff['refusals'])) return null;
  return {
    endpointId,
    operatorId,
    isAnonymous: isAnonymous === true,
    declaredSlots: isWithin(declaredSlots, 1, SLOTS_MAX) ? declaredSlots : null,
    counters,
    longCounters,
    ttft,
    tpot,
    inFlight,
    ...(isWithin(inFlightTokens, 0, TOKENS_MAX) && { inFlightTokens }),
    ...(nodeLoad !== null && { nodeLoad }),
    cap,
    baseMs: isDuration(baseMs) ? baseMs : null,
    backoff: { remainingMs: backoff['remainingMs'], refusals: backoff['refusals'] },
    breaker,
    failuresInARow,
    tenantBreakers: listOf(shared['tenantBreakers'], TENANTS_MAX, checkTenant),
    leasedSlots: isWithin(leasedSlots, 0, SLOTS_MAX) ? leasedSlots : null,
  };
}

/** Reads an operator's pooled counts, or null if they make no sense. */
export function checkOperator(shared: unknown): BoardAnswer['operators'][number] | null {
  if (!isFields(shared) || !isId(shared['operatorId'])) return null;
  const counters = checkCounters(shared['counters']);
  return counters === null ? null : { operatorId: shared['operatorId'], counters };
}

function checkEndpointReport(report: unknown): EndpointReport | null {
  if (!isFields(report) || !isId(report['endpointId']) || !isId(report['operatorId'])) return null;
  const { endpointId, operatorId, isAnonymous, declaredSlots, inFlight, inFlightTokens, observations } = report;
  if (!isWithin(inFlight, 0, IN_FLIGHT_MAX)) return null;
  return {
    endpointId,
    operatorId,
    isAnonymous: isAnonymous === true,
    declaredSlots: isWithin(declaredSlots, 1, SLOTS_MAX) ? declaredSlots : null,
    inFlight: Math.floor(inFlight),
    ...(isWithin(inFlightTokens, 0, TOKENS_MAX) && { inFlightTokens }),
    observations: listOf(observations, OBSERVATIONS_MAX, checkObservation),
  };
}

function checkWish(wish: unknown): BoardReport['slotsWanted'][number] | null {
  if (!isFields(wish) || !isId(wish['endpointId']) || !isWithin(wish['slots'], 0, SLOTS_MAX)) return null;
  return { endpointId: wish['endpointId'], slots: Math.floor(wish['slots']) };
}

function checkObservation(seen: unknown): ReportedObservation | null {
  if (!isFields(seen) || !isWithin(seen['ageMs'], 0, OBSERVED_AGO_MAX_MS)) return null;
  const { ageMs, sequence, tenant, normalisedMs, inFlight, tpotMs, retryAfterMs, times } = seen;
  const when = { ageMs, ...(isCount(sequence) && { sequence }) };
  const flags = { isProbe: seen['isProbe'] === true, isTenantProbe: seen['isTenantProbe'] === true };
  const isLong = seen['isLong'] === true;
  switch (seen['kind']) {
    case 'first_token':
      if (!isDuration(normalisedMs) || !isWithin(inFlight, 0, IN_FLIGHT_MAX)) return null;
      return { kind: 'first_token', ...when, ...flags, normalisedMs, inFlight, ...(isId(tenant) && { tenant }) };
    case 'completed': {
      if (!isId(tenant) || (tpotMs !== null && !isDuration(tpotMs))) return null;
      const alike = isWithin(times, 1, TIMES_MAX) ? Math.floor(times) : 1;
      return { kind: 'completed', ...when, ...flags, tenant, tpotMs, isLong, isEmpty: seen['isEmpty'] === true, times: alike };
    }
    case 'paced':
      return isDuration(tpotMs) ? { kind: 'paced', ...when, tpotMs } : null;
    case 'failed':
      return isId(tenant) && isDuration(normalisedMs) ? { kind: 'failed', ...when, ...flags, tenant, normalisedMs, isLong } : null;
    case 'refused': {
      if (inFlight !== null && !isWithin(inFlight, 0, IN_FLIGHT_MAX)) return null;
      return { kind: 'refused', ...when, inFlight, retryAfterMs: isDuration(retryAfterMs) ? retryAfterMs : null };
    }
    case 'outrun':
      return isDuration(normalisedMs) ? { kind: 'outrun', ...when, normalisedMs } : null;
    case 'load': {
      const load = checkLoad(seen);
      return load && { kind: 'load', ...when, ...load };
    }
    case 'probe_returned':
      return { kind: 'probe_returned', ...when, ...(isId(tenant) && { tenant }) };
    default:
      return null;
  }
}

/** A word of a node that makes no sense is none: its load stays unknown. */
function checkLoad({ running, waiting, kvUsage }: Fields): NodeLoad | null {
  if (!isCount(running) || !isCount(waiting) || !(kvUsage === null || isWithin(kvUsage, 0, 1))) return null;
  return { running, waiting, kvUsage };
}

function checkAgedLoad(told: unknown): (NodeLoad & { ageMs: number }) | null {
  if (!isFields(told)) return null;
  const { ageMs } = told;
  const load = checkLoad(told);
  return load && isDuration(ageMs) ? { ...load, ageMs } : null;
}

function checkCounters(counters: unknown): SharedCounters | null {
  if (!isFields(counters)) return null;
  const { fastOk, fastBad, slowOk, slowBad } = counters;
  return isCount(fastOk) && isCount(fastBad) && isCount(slowOk) && isCount(slowBad) ? { fastOk, fastBad, slowOk, slowBad } : null;
}

function checkLatency(latency: unknown): SharedLatency | null {
  if (!isFields(latency) || !Array.isArray(latency['recentMs'])) return null;
  const { logMean, ageMs } = latency;
  // An age below zero comes from the future: nothing of it can be true.
  if (!isWithin(ageMs, 0, DURATION_MAX_MS) || (logMean !== null && !isWithin(logMean, -20, 20))) return null;
  return { logMean, ageMs, recentMs: latency['recentMs'].slice(-RECENT_MAX).filter(isDuration) };
}

function checkBreaker(breaker: unknown): SharedBreaker | null {
  if (!isFields(breaker) || !isCount(breaker['trips'])) return null;
  const { state, trips, closedForMs, remainingMs, probe } = breaker;
  if (state === 'closed' && isDuration(closedForMs)) return { state, trips, closedForMs };
  if (state === 'open' && isDuration(remainingMs)) return { state, trips, remainingMs };
  if (state === 'half_open') return { state, trips, probe: probe === 'yours' ? 'yours' : 'taken' };
  return null;
}

function checkTenant(shared: unknown): SharedTenantBreaker | null {
  if (!isFields(shared) || !isId(shared['tenant'])) return null;
  const { tenant, failuresInARow, fastOk, fastBad, isInRow } = shared;
  const breaker = checkBreaker(shared['breaker']);
  if (breaker === null || !isCount(failuresInARow) || !isCount(fastOk) || !isCount(fastBad)) return null;
  return { tenant, breaker, failuresInARow, isInRow: isInRow === true, fastOk, fastBad };
}

function listOf<Item>(list: unknown, max: number, check: (item: unknown) => Item | null): Item[] {
  if (!Array.isArray(list)) return [];
  return list
    .slice(0, max)
    .map(check)
    .filter((item) => item !== null);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= ID_CHARS_MAX;
}

function isWithin(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max;
}

function isCount(value: unknown): value is number {
  return isWithin(value, 0, COUNT_MAX);
}

function isDuration(value: unknown): value is number {
  return isWithin(value, 0, DURATION_MAX_MS);
}
