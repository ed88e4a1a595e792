/** No upstream may put itself or its rivals to sleep for longer than this. */
const RETRY_AFTER_MS_MAX = 300_000;

/**
 * Reads how long an upstream asks us to stay away, in milliseconds clamped to [0, 300,000]; undefined when it says nothing usable.
 * Knows `retry-after-ms` (Azure, Portkey) and `retry-after` as seconds or HTTP date (RFC 9110 §10.2.3).
 */
export function readRetryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const delayMs = readNumber(headers.get('retry-after-ms')) ?? readSecondsOrDate(headers.get('retry-after'), nowMs);
  return delayMs === undefined ? undefined : Math.min(Math.max(Math.ceil(delayMs), 0), RETRY_AFTER_MS_MAX);
}

function readSecondsOrDate(value: string | null, nowMs: number): number | undefined {
  const seconds = readNumber(value);
  if (seconds !== undefined) return seconds * 1000;
  // Date.parse takes almost anything for a date; HTTP dates begin with a day's name.
  const text = value?.trim() ?? '';
  if (text.length > 40 || !/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text)) return undefined;
  const atMs = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(atMs) ? undefined : atMs - nowMs;
}

function readNumber(value: string | null): number | undefined {
  return value !== null && /^\s*[+-]?\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}
