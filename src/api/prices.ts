/** `/prices`: where prices come from, and which of them wait for a person; for the managers of the deployment. */
import type { Context } from 'hono';
import { z } from 'zod';
import { decidePrice } from '#schema/held-price';
import { readContract } from '#schema/read-contract';
import type { HeldPrice } from '#src/prices/held-store';
import type { FeedReport, FeedStanding } from '#src/prices/report';
import { toPriceWords } from '#src/prices/say-price';
import type { Hall } from '#src/serve';
import { requireDeploymentManager } from './caller.ts';
import { readBody } from './read-body.ts';
import { readQuery } from './read-query.ts';

const UNKNOWN_TOLD_MAX = 20;

/** Query of `POST /prices/feeds/{id}/read`. */
export const readFeedQuery = z
  .object({
    accept_shorter: z.enum(['true', 'false']).optional().describe('True: the list has really become less than half as long; believe it.'),
  })
  .meta({ id: 'ReadFeedQuery' });

/** Lists feeds and how reading them went. */
export async function servePriceFeeds(hall: Hall, c: Context): Promise<Response> {
  await requireDeploymentManager(hall, c);
  return c.json({ data: (await hall.prices.feeds()).map(toFeedBody) });
}

/** Reads a feed now and says what came of it. */
export async function serveReadPriceFeed(hall: Hall, c: Context): Promise<Response> {
  const { actor } = await requireDeploymentManager(hall, c);
  const { accept_shorter: shorter } = readQuery(readFeedQuery, c);
  const report = await hall.prices.read(c.req.param('id') ?? '', { actor, acceptsShorter: shorter === 'true' });
  return c.json({ data: toReportBody(report) });
}

/** Lists prices that wait for a decision, oldest first. */
export async function serveHeldPrices(hall: Hall, c: Context): Promise<Response> {
  await requireDeploymentManager(hall, c);
  return c.json({ data: (await hall.prices.held()).map(toHeldBody) });
}

/** Accepts or rejects a held price. */
export async function serveDecidePrice(hall: Hall, c: Context): Promise<Response> {
  const { actor } = await requireDeploymentManager(hall, c);
  const endpointId = c.req.param('endpoint') ?? '';
  const { decision, seen_at: seenAt } = readContract(decidePrice, await readBody(c.req.raw));
  await hall.prices.decide({ endpointId, seenAtMs: Date.parse(seenAt), decision: `${decision}ed`, actor });
  return c.json({ data: { endpoint: endpointId, decision } });
}

function toFeedBody(feed: FeedStanding) {
  return {
    id: feed.id,
    provider: feed.providerId,
    url: feed.url,
    source: feed.isCard ? 'card' : 'manifest',
    enabled: feed.isRead,
    state: feed.readAtMs === null ? 'never_read' : feed.error === null ? 'good' : 'failing',
    read_at: toInstant(feed.readAtMs),
    good_at: toInstant(feed.goodAtMs),
    next_read_at: feed.isRead && feed.nextReadAtMs > 0 ? toInstant(feed.nextReadAtMs) : null,
    error: feed.error,
    failed_readings: feed.failedReadings,
    models: feed.modelCount,
    changes: feed.changeCount,
  };
}

function toReportBody({ feed, atMs, error, models, changed, held, added, dropped, unknown, unpriced, problems }: FeedReport) {
  return {
    feed,
    at: toInstant(atMs),
    error,
    models,
    changed: changed.map(({ endpointId, from, to }) => ({ endpoint: endpointId, from: from && toPriceWords(from), to: toPriceWords(to) })),
    held: held.map(({ endpointId, from, price, reason }) => ({
      endpoint: endpointId,
      from: from && toPriceWords(from),
      to: toPriceWords(price),
      reason,
    })),
    added,
    dropped,
    unknown: { count: unknown.length, first: unknown.slice(0, UNKNOWN_TOLD_MAX) },
    unpriced,
    problems,
  };
}

function toHeldBody({ endpointId, feedId, operatorId, seenAtMs, price, current, reason }: HeldPrice) {
  return {
    endpoint: endpointId,
    feed: feedId,
    operator: operatorId,
    seen_at: toInstant(seenAtMs),
    current: current && toPriceWords(current),
    stated: toPriceWords(price),
    reason,
  };
}

function toInstant(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}
