/** `GET /receipts`: recorded requests with what their plans depended on, for whoever plans them again. */
import type { Context } from 'hono';
import { z } from 'zod';
import { GatewayError } from '#schema/error';
import type { FeedItem, FeedPlace } from '#src/ledger/feed-store';
import type { Hall } from '#src/serve';
import { reachOf, requireManager } from './caller.ts';
import { instant, readQuery } from './read-query.ts';

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1000;
const EXPECTED_LIMIT = `expected a number from 1 to ${LIMIT_MAX}`;

/** Query of `GET /receipts`. */
export const receiptsQuery = z
  .strictObject({
    since: instant.optional(),
    until: instant.optional(),
    team: z.string().min(1).max(64).optional(),
    cursor: z.string().max(300).optional().describe('The `next_cursor` of the page before.'),
    limit: z
      .string()
      .regex(/^\d{1,4}$/, EXPECTED_LIMIT)
      .transform(Number)
      .refine((limit) => limit >= 1 && limit <= LIMIT_MAX, EXPECTED_LIMIT)
      .optional()
      .describe(`Receipts in a page, ${LIMIT_MAX} at most; ${LIMIT_DEFAULT} where it is absent.`),
  })
  .meta({ id: 'ReceiptsQuery' });

/** Answers with one page, team by team and oldest first. A plan is the text that the ledger keeps, nested as it is. */
export async function serveReceipts(hall: Hall, c: Context): Promise<Response> {
  const { since = 0, until = hall.now(), team, cursor, limit = LIMIT_DEFAULT } = readQuery(receiptsQuery, c);
  const reach = reachOf(await requireManager(hall, c), team);
  const after = cursor === undefined ? null : readCursor(cursor);
  const { items, total } =
    reach === null
      ? { items: [], total: after === null ? 0 : null }
      : await hall.receiptFeed.page({ ...reach, sinceMs: since, untilMs: until, after, limit });
  const last = items.length < limit ? undefined : items.at(-1);
  const header = { ...(total !== null && { total }), next_cursor: last === undefined ? null : writeCursor(last) };
  const body = `${JSON.stringify(header).slice(0, -1)},"data":[${items.map(toText).join(',')}]}`;
  return new Response(body, { headers: { 'content-type': 'application/json' } });
}

/** Both texts are JSON already: to read and write a plan again would cost more than to make it. */
function toText({ fields, plan }: FeedItem): string {
  return `${fields.slice(0, -1)},"plan":${plan}}`;
}

function writeCursor({ teamId, createdAtMs, id }: FeedPlace): string {
  return `${createdAtMs}:${id}:${teamId}`;
}

function readCursor(cursor: string): FeedPlace {
  const [, createdAtMs, id, teamId] = /^(\d{1,16}):([^:]{1,100}):(.{1,64})$/.exec(cursor) ?? [];
  if (createdAtMs !== undefined && id !== undefined && teamId !== undefined) return { createdAtMs: Number(createdAtMs), id, teamId };
  throw new GatewayError('invalid_request', "Invalid value for the query parameter 'cursor': expected the next_cursor of a page.", {
    param: 'cursor',
  });
}
