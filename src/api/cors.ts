/** Cross-origin access: any page may call with a key of its own; no cookies are involved. */

/** What lets a page read an answer. */
export const ALLOW_ANY_ORIGIN: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers':
    'x-generation-id, x-request-id, request-id, x-headrace-endpoint, x-headrace-provider, x-headrace-supply, x-headrace-tier, x-headrace-policy, x-headrace-attempts, x-headrace-replayed, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens, x-ratelimit-limit-concurrent, x-ratelimit-remaining-concurrent, retry-after, retry-after-ms',
};

/** Adds the headers that let a page read an answer. */
export function allowAnyOrigin(response: Response): Response {
  for (const [name, value] of Object.entries(ALLOW_ANY_ORIGIN)) response.headers.set(name, value);
  return response;
}

/** Answers a preflight: every method and header that we know what to do with. A day is as long as browsers remember at most. */
export function respondPreflight(requestedHeaders: string | null): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...ALLOW_ANY_ORIGIN,
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
      'access-control-allow-headers': requestedHeaders ?? 'authorization, content-type, x-api-key',
      'access-control-max-age': '86400',
    },
  });
}
