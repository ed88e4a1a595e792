/** Per-minute limits of a centralized API, counted in fixed windows and told in headers. */
import type { RateLimits } from './card.ts';

const WINDOW_MS = 60_000;

/** Counts one key's traffic in the current minute. */
export interface RateWindow {
  /** Takes one request of `tokens`, or answers with the whole seconds to wait. */
  take(tokens: number, nowMs: number): { admitted: true } | { admitted: false; retryAfterS: number };
  /** Builds the rate-limit headers in the words of OpenAI or Anthropic. */
  headers(style: 'openai' | 'anthropic', nowMs: number): Record<string, string>;
}

/** Creates a window that begins with the first request. */
export function createRateWindow(limits: RateLimits): RateWindow {
  let openedAtMs = Number.NEGATIVE_INFINITY;
  let requests = 0;
  let tokens = 0;
  const roll = (nowMs: number): void => {
    if (nowMs - openedAtMs < WINDOW_MS) return;
    openedAtMs = nowMs;
    requests = 0;
    tokens = 0;
  };

  return {
    take(wanted, nowMs) {
      roll(nowMs);
      if (requests + 1 > limits.requestsPerMinute || tokens + wanted > limits.tokensPerMinute) {
        return { admitted: false, retryAfterS: Math.max(1, Math.ceil((openedAtMs + WINDOW_MS - nowMs) / 1000)) };
      }
      requests += 1;
      tokens += wanted;
      return { admitted: true };
    },
    headers(style, nowMs) {
      roll(nowMs);
      const resetsAtMs = openedAtMs + WINDOW_MS;
      const reset = style === 'openai' ? `${Math.ceil((resetsAtMs - nowMs) / 1000)}s` : new Date(resetsAtMs).toISOString();
      const figures = {
        requests: { limit: limits.requestsPerMinute, remaining: limits.requestsPerMinute - requests },
        tokens: { limit: limits.tokensPerMinute, remaining: limits.tokensPerMinute - tokens },
      };
      const headers: Record<string, string> = {};
      for (const [unit, { limit, remaining }] of Object.entries(figures)) {
        const name = (figure: string): string =>
          style === 'openai' ? `x-ratelimit-${figure}-${unit}` : `anthropic-ratelimit-${unit}-${figure}`;
        headers[name('limit')] = String(limit);
        headers[name('remaining')] = String(remaining);
        headers[name('reset')] = reset;
      }
      return headers;
    },
  };
}
