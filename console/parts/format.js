/** Prints numbers for people. Pure; an absent value prints as a dash. */

const NONE = '–';

function isNumber(value) {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Prints an amount in USD: eight decimals below a cent, so that columns align, four below a dollar, else two. */
export function formatUsd(usd) {
  if (!isNumber(usd)) return NONE;
  if (usd === 0) return '$0';
  if (usd < 1e-8) return '<$0.00000001';
  return `$${usd.toFixed(usd < 0.01 ? 8 : usd < 1 ? 4 : 2)}`;
}

/** Prints a sum of money to be read by itself: cents from a dollar on, three digits below, as few as are needed. `$1,234.50`, `$0.12`, `$0.0012`. */
export function formatSum(usd) {
  if (!isNumber(usd)) return NONE;
  const size = Math.abs(usd);
  const decimals = size >= 1 || size === 0 ? 2 : Math.min(9, 2 - Math.floor(Math.log10(size)));
  const digits = size.toLocaleString('en-US', { minimumFractionDigits: size === 0 ? 0 : 2, maximumFractionDigits: decimals });
  return `${usd < 0 ? '-' : ''}$${digits}`;
}

/** Prints a price in USD per million tokens from a decimal string in USD per token. A negative price is unknown: the API prints `-1`. */
export function formatPricePerMillion(usdPerToken) {
  const price = Number(usdPerToken ?? NaN) * 1e6;
  if (!Number.isFinite(price) || price < 0) return NONE;
  if (price === 0) return 'free';
  return price < 0.001 ? `$${price.toPrecision(2)}` : `$${price.toFixed(price < 1 ? 3 : 2)}`;
}

/** Prints a duration given in milliseconds: `<1 ms`, `12 ms`, `1.59 s`, `2 min 5 s`. */
export function formatMs(durationMs) {
  if (!isNumber(durationMs)) return NONE;
  if (durationMs > 0 && durationMs < 1) return '<1 ms';
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`;
  if (durationMs < 59_995) return `${(durationMs / 1000).toFixed(2)} s`;
  const seconds = Math.round(durationMs / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Prints milliseconds with at most one decimal, for paces: `8.6 ms`, `25 ms`. */
export function formatPace(paceMs) {
  return isNumber(paceMs) ? `${Math.round(paceMs * 10) / 10} ms` : NONE;
}

/** Prints a share of 1 as a percentage: `9.4 %`, `60 %`, `<0.1 %`. */
export function formatShare(share) {
  if (!isNumber(share)) return NONE;
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '<0.1 %';
  return `${percent < 10 ? Math.round(percent * 10) / 10 : Math.round(percent)} %`;
}

/** Prints a percentage that is already out of 100, such as an uptime. */
export function formatPercent(percent) {
  return isNumber(percent) ? formatShare(percent / 100) : NONE;
}

/** Prints a count that may be an estimate, with at most one decimal: `3`, `12.4`. */
export function formatCount(count) {
  return isNumber(count) ? String(Math.round(count * 10) / 10) : NONE;
}

/** Prints a count of tokens: `113`, `32.8k`, `1.05M`. */
export function formatTokens(tokens) {
  if (!isNumber(tokens)) return NONE;
  if (tokens < 10_000) return String(tokens);
  return tokens < 1_000_000 ? `${Number((tokens / 1000).toPrecision(3))}k` : `${Number((tokens / 1e6).toPrecision(3))}M`;
}

/** Counts things, thousands apart: `1 key`, `12,300 requests`. */
export function formatNumberOf(count, one, many = `${one}s`) {
  return isNumber(count) ? `${count.toLocaleString('en-US')} ${count === 1 ? one : many}` : NONE;
}

/** Prints an ISO 8601 instant in UTC, to the minute or the second: `2027-01-31 08:00 UTC`. */
export function formatInstant(iso, { seconds = false } = {}) {
  const atMs = Date.parse(iso ?? '');
  if (Number.isNaN(atMs)) return NONE;
  return `${new Date(atMs)
    .toISOString()
    .slice(0, seconds ? 19 : 16)
    .replace('T', ' ')} UTC`;
}

/** Prints a length of time in its largest unit: `9 days`, `5 hours`, `12 minutes`; never less than a minute. */
export function formatSpan(spanMs) {
  if (!isNumber(spanMs)) return NONE;
  const minutes = Math.max(1, Math.round(spanMs / 60_000));
  if (minutes < 120) return formatNumberOf(minutes, 'minute');
  return minutes < 48 * 60 ? formatNumberOf(Math.round(minutes / 60), 'hour') : formatNumberOf(Math.round(minutes / 1440), 'day');
}

/** Prints an index with three decimals: lower is better. */
export function formatIndex(index) {
  return isNumber(index) ? index.toFixed(3) : NONE;
}

/** Prints a word of the API for people: `zero_retention` as `zero retention`. */
export function formatWord(word) {
  return word === null || word === undefined || word === '' ? NONE : String(word).replaceAll('_', ' ');
}

/** Shortens a generation id to its end, which differs most. */
export function shortId(id) {
  return id.length > 12 ? `…${id.slice(-8)}` : id;
}

/** Places attempts on one time axis: from where to where each ran, as shares of the whole; `first` is its first token. */
export function placeAttempts(attempts) {
  const spans = attempts.map(({ started_at: startedAt, duration_ms: durationMs, ttft_ms: ttftMs }) => {
    const startMs = Date.parse(startedAt);
    return { startMs, endMs: startMs + durationMs, firstMs: ttftMs === null ? null : startMs + ttftMs };
  });
  const originMs = Math.min(...spans.map(({ startMs }) => startMs));
  const wholeMs = Math.max(1, ...spans.map(({ endMs }) => endMs - originMs));
  const share = (atMs) => (atMs - originMs) / wholeMs;
  return spans.map(({ startMs, endMs, firstMs }) => ({
    from: share(startMs),
    to: share(endMs),
    first: firstMs === null ? null : share(firstMs),
  }));
}
