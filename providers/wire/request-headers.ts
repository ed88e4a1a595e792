import type { DialectTarget } from '#providers/provider';
import { LOAD_FORMAT, LOAD_FORMAT_HEADER } from './node-load.ts';

/** Vendors' session headers take plain visible text; anything else would be refused or could split the header. */
const SESSION_ID = /^[\x21-\x7e]{1,256}$/;

/**
 * Builds the headers of an upstream request: content negotiation, the card's fixed headers, our credential, the wish to hear of its load, and the
 * session where the card names a header for it. Nothing of the client's own headers is ever here.
 */
export function requestHeaders(target: DialectTarget, streaming: boolean, sessionId: unknown): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(target.headers)) headers[name.toLowerCase()] = value;
  headers['content-type'] = 'application/json';
  headers['accept'] = streaming ? 'text/event-stream' : 'application/json';
  if (target.key !== null && target.auth === 'bearer') headers['authorization'] = `Bearer ${target.key}`;
  if (target.key !== null && target.auth === 'x-api-key') headers['x-api-key'] = target.key;
  if (target.quirks.reportsLoad === true) headers[LOAD_FORMAT_HEADER] = LOAD_FORMAT;
  const sessionHeader = target.quirks.sessionHeader;
  if (sessionHeader !== undefined && typeof sessionId === 'string' && SESSION_ID.test(sessionId)) {
    headers[sessionHeader.toLowerCase()] = sessionId;
  }
  return headers;
}

/** Joins a base URL with or without trailing slash and a path. */
export function joinUrl(baseUrl: string, path: string): string {
  return baseUrl.endsWith('/') ? `${baseUrl.slice(0, -1)}${path}` : `${baseUrl}${path}`;
}
