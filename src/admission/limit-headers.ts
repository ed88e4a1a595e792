/** What answers say of the caller's limits, in the headers that OpenAI's clients read. https://platform.openai.com/docs/guides/rate-limits */
import type { QuotaStanding, QuotaUnit } from '#schema/quota';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** A caller without limits is told nothing. */
export const NO_LIMITS: Readonly<Record<string, string>> = Object.freeze({});

/**
 * Writes `x-ratelimit-limit-*`, `-remaining-*` and `-reset-*` for requests and tokens, and the first two for `concurrent`: of what is limited,
 * and where team and key both limit it, of the one with less left.
 */
export function limitHeaders(standings: readonly QuotaStanding[]): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  addHeaders(headers, 'requests', tightest(standings, 'requests'));
  addHeaders(headers, 'tokens', tightest(standings, 'tokens'));
  addHeaders(headers, 'concurrent', tightest(standings, 'slots'));
  return headers;
}

function addHeaders(headers: Record<string, string>, name: string, standing: QuotaStanding | undefined): void {
  if (standing === undefined) return;
  headers[`x-ratelimit-limit-${name}`] = String(standing.cap.amount);
  headers[`x-ratelimit-remaining-${name}`] = String(standing.remaining);
  // Slots come back when requests end, and nobody knows when that is.
  if (name !== 'concurrent') headers[`x-ratelimit-reset-${name}`] = durationText(standing.resetsInMs);
}

function tightest(standings: readonly QuotaStanding[], unit: QuotaUnit): QuotaStanding | undefined {
  let found: QuotaStanding | undefined;
  for (const standing of standings) {
    if (standing.quota.unit !== unit) continue;
    if (found === undefined || isTighter(standing, found)) found = standing;
  }
  return found;
}

function isTighter(one: QuotaStanding, other: QuotaStanding): boolean {
  return one.remaining === other.remaining ? one.cap.amount < other.cap.amount : one.remaining < other.remaining;
}

/** Writes a duration as OpenAI does, which is how Go does: `0s`, `6ms`, `1s`, `1.5s`, `6m0s`, `1h0m0s`. Takes milliseconds, rounded up. */
export function durationText(durationMs: number): string {
  const wholeMs = Math.max(0, Math.ceil(durationMs));
  if (wholeMs > 0 && wholeMs < SECOND_MS) return `${wholeMs}ms`;
  const seconds = `${(wholeMs % MINUTE_MS) / SECOND_MS}s`;
  if (wholeMs < MINUTE_MS) return seconds;
  const minutes = `${Math.floor((wholeMs % HOUR_MS) / MINUTE_MS)}m${seconds}`;
  return wholeMs < HOUR_MS ? minutes : `${Math.floor(wholeMs / HOUR_MS)}h${minutes}`;
}
