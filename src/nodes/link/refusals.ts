/** What a NodeLink answers in the place of its node, worded so that the router classes it as it would an engine's own words. */

const REFUSALS = {
  node_unlinked: { status: 503, message: 'the node is not connected', retryAfterS: 2 },
  node_draining: { status: 503, message: 'the node is draining: it takes nothing new', retryAfterS: 10 },
  node_troubled: { status: 503, message: 'the node cannot serve now', retryAfterS: 5 },
  node_full: { status: 503, message: 'the node is full', retryAfterS: 1 },
  node_path: { status: 404, message: 'nodes serve no such path' },
  node_reset: { status: 502, message: 'the node broke the request off' },
  node_protocol: { status: 502, message: 'the node gave an answer that cannot be passed on' },
} as const satisfies Record<string, { status: number; message: string; retryAfterS?: number }>;

export type Refusal = keyof typeof REFUSALS;

/** Builds the answer. */
export function refuse(code: Refusal): Response {
  const { status, message, ...rest }: { status: number; message: string; retryAfterS?: number } = REFUSALS[code];
  const headers = rest.retryAfterS === undefined ? {} : { 'retry-after': String(rest.retryAfterS) };
  return Response.json({ error: { message, code } }, { status, headers });
}

const LINK_REFUSALS = {
  unknown: { status: 404, code: 'node_unknown', message: 'no such node: join it first' },
  too_often: { status: 429, code: 'too_many_connections', message: 'too many connections: come again later' },
  unreadable: { status: 503, code: 'try_again', message: 'the node cannot be looked up right now' },
} as const;

/** Refuses to open a link, before a socket is accepted. `retryAfterMs`: when it is worth another try; null: it is not. */
export function refuseLink(why: keyof typeof LINK_REFUSALS, retryAfterMs: number | null): Response {
  const { status, code, message } = LINK_REFUSALS[why];
  const headers = retryAfterMs === null ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) };
  return Response.json({ error: { message, code } }, { status, headers });
}
