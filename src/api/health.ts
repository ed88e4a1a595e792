/** `GET /healthz`: answers as long as this isolate can. Touches no store, so that a slow database takes no Worker out of rotation. */
import type { Context } from 'hono';

/** Says that the Worker runs. */
export function serveHealth(c: Context): Response {
  return c.json({ status: 'ok' });
}
