/** Reads the ways in which traces write an instant. */

const DATE = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(\.\d+)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/i;
const EPOCH_MS_MIN = 1e11; // as seconds, the year 5138

/**
 * Reads a date with any number of fraction digits, or a number of seconds since whenever the trace began.
 * Numbers too large for seconds are milliseconds since 1970. Null when it is neither.
 */
export function readTimeMs(text: string): number | null {
  const date = DATE.exec(text);
  if (date === null) {
    const value = text === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value)) return null;
    return Math.abs(value) >= EPOCH_MS_MIN ? value : value * 1_000;
  }
  const [year, month, day, hour, minute, second] = date.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  const wholeMs = Date.UTC(year, month - 1, day, hour, minute, second);
  return wholeMs + Number(date[7] ?? 0) * 1_000 - zoneMs(date[8]);
}

function zoneMs(zone: string | undefined): number {
  const parts = /^([+-])(\d{2}):?(\d{2})$/.exec(zone ?? '');
  if (parts === null) return 0;
  const minutes = Number(parts[2]) * 60 + Number(parts[3]);
  return (parts[1] === '-' ? -minutes : minutes) * 60_000;
}
