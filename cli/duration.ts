/** Times as people type them: `30m`, `24h`, `7d`, `2w`, a date, an instant. */
import { InvalidArgumentError } from 'commander';

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const DURATION = /^(\d{1,9})([smhdw])$/;
const ISO_INSTANT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/;
/** The last instant that dates can have (ECMA-262). */
const TIME_MS_MAX = 8.64e15;

/** Reads a length of time such as `24h`, in milliseconds; null where it is none. */
export function readDurationMs(text: string): number | null {
  const [, count, unit = ''] = DURATION.exec(text) ?? [];
  return count === undefined ? null : Number(count) * (UNIT_MS[unit] ?? 0);
}

/** Reads `--overlap` and the like, in whole seconds. Throws InvalidArgumentError. */
export function parseDurationS(text: string): number {
  const durationMs = readDurationMs(text);
  if (durationMs === null) throw new InvalidArgumentError('expected a length of time such as 30m, 24h or 7d.');
  return durationMs / 1000;
}

/** Reads `--since` and `--until`: so long ago, a UTC date, or an ISO 8601 instant (UTC unless it names a zone). Returns ISO 8601. Throws InvalidArgumentError. */
export function parseInstant(text: string, _previous?: unknown, nowMs = Date.now()): string {
  const agoMs = readDurationMs(text);
  const instantMs = agoMs === null ? readIsoMs(text) : nowMs - agoMs;
  if (!(Math.abs(instantMs) <= TIME_MS_MAX))
    throw new InvalidArgumentError('expected 7d, 24h, 30m, a date or an instant such as 2027-01-31T08:00Z.');
  return new Date(instantMs).toISOString();
}

/** Reads `--expires`: a UTC date, an ISO 8601 instant, or a length of time from now. Returns ISO 8601. Throws InvalidArgumentError. */
export function parseDeadline(text: string, _previous?: unknown, nowMs = Date.now()): string {
  const aheadMs = readDurationMs(text);
  const instantMs = aheadMs === null ? readIsoMs(text) : nowMs + aheadMs;
  if (!(Math.abs(instantMs) <= TIME_MS_MAX)) throw new InvalidArgumentError('expected a date such as 2027-01-31, or 90d from now.');
  return new Date(instantMs).toISOString();
}

function readIsoMs(text: string): number {
  const [, time, , , zone] = ISO_INSTANT.exec(text) ?? [];
  if (!ISO_INSTANT.test(text)) return NaN;
  return Date.parse(time !== undefined && zone === undefined ? `${text}Z` : text);
}
