/** Amounts, counts, times and limits as people read them. */
import type { Limits } from '#schema/limits';

/** Writes USD: cents from a dollar on, more digits the smaller it is, never less than a nano-USD and never an exponent. */
export function sayUsd(usd: number | null | undefined): string {
  if (usd === null || usd === undefined) return '';
  if (usd === 0) return '$0';
  const size = Math.abs(usd);
  const decimals = size >= 1 ? 2 : Math.min(9, 2 - Math.floor(Math.log10(size)));
  const digits = size.toLocaleString('en-US', { minimumFractionDigits: Math.min(decimals, 2), maximumFractionDigits: decimals });
  return `${usd < 0 ? '-' : ''}$${digits}`;
}

/** Writes a count with thousands separated. */
export function sayCount(count: number | null | undefined): string {
  return count === null || count === undefined ? '' : count.toLocaleString('en-US');
}

/** Writes a share as a percentage: `25 %`, `0.5 %`. */
export function sayShare(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}

/** Writes milliseconds: `340 ms`, `2.1 s`, `3 min`. */
export function sayMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '';
  if (ms < 1000) return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}

/** Writes an ISO 8601 instant to the minute, in UTC, as budgets and receipts count. */
export function sayInstant(iso: string | null | undefined): string {
  return iso === null || iso === undefined ? '' : `${iso.slice(0, 16).replace('T', ' ')}Z`;
}

/** Counts things in the singular or the plural: `1 key`, `2 keys`. */
export function sayNumberOf(count: number, one: string, many = `${one}s`): string {
  return `${sayCount(count)} ${count === 1 ? one : many}`;
}

/** Writes limits, such as `600 requests a minute, 64 at once`; empty where there are none. */
export function sayLimits(limits: Limits | null): string {
  const { requests_per_minute: requests, tokens_per_minute: tokens, concurrent } = limits ?? {};
  const parts = [
    requests === undefined ? '' : `${sayCount(requests)} requests a minute`,
    tokens === undefined ? '' : `${sayCount(tokens)} tokens a minute`,
    concurrent === undefined ? '' : `${sayCount(concurrent)} at once`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}
