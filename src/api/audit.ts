/** `GET /audit`: who changed what and when, for the holders of management keys. */
import type { Context } from 'hono';
import { z } from 'zod';
import type { AuditEntry } from '#schema/audit';
import type { Hall } from '#src/serve';
import { requireManager } from './caller.ts';
import { instant, readQuery, whole } from './read-query.ts';

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1000;

/** Where a page ended: instant and id of its last entry, of which the caller has chosen a part where it is a payment. */
const cursor = z
  .string()
  .regex(/^\d{1,16}_[\x21-\x7e]{1,200}$/, 'expected the next_cursor of the page before')
  .transform((text) => {
    const at = text.indexOf('_');
    return { atMs: Number(text.slice(0, at)), id: text.slice(at + 1) };
  });

/** Query of `GET /audit`. */
export const auditQuery = z
  .object({
    since: instant.optional().describe('Only what happened from this instant on: ISO 8601 or epoch milliseconds.'),
    limit: whole.pipe(z.number().min(1).max(PAGE_MAX)).default(PAGE_DEFAULT).describe(`Entries of one page, at most ${PAGE_MAX}.`),
    cursor: cursor.optional().describe('The `next_cursor` of the page before.'),
  })
  .meta({ id: 'AuditQuery' });

/** Lists changes, newest first. The manager of one team sees what was done to it and its keys. */
export async function serveAudit(hall: Hall, c: Context): Promise<Response> {
  const { teamId } = await requireManager(hall, c);
  const { since = 0, limit, cursor: after = null } = readQuery(auditQuery, c);
  // One more than asked tells whether there is a next page.
  const entries = await hall.deployment.audit({ teamId, sinceMs: since, after, limit: limit + 1 });
  const page = entries.slice(0, limit);
  const last = entries.length > limit ? page.at(-1) : undefined;
  return c.json({ data: page.map(toBody), next_cursor: last === undefined ? null : `${last.atMs}_${last.id}` });
}

function toBody({ id, atMs, actor, action, object, fromVersion, toVersion, changes }: AuditEntry) {
  return { id, at: new Date(atMs).toISOString(), actor, action, object, from_version: fromVersion, to_version: toVersion, changes };
}
