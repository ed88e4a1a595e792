/** `GET /openapi.json`: the description of the API as it was generated; `npm run generate` writes it, tests hold it to the code. */
/* oxlint-disable import/default -- text has a default export that the rule cannot see; the compiler checks it */
import type { Context } from 'hono';
import text from '#console/openapi.json' with { type: 'text' };

/** The document as text: the compiler, not the bundler, takes such a file for its content. */
export const OPENAPI_TEXT = text as unknown as string;

/** Answers with the OpenAPI document. */
export function serveOpenapi(c: Context): Response {
  return c.body(OPENAPI_TEXT, 200, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-cache' });
}
