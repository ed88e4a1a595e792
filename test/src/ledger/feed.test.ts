import { describe, expect, it } from 'vitest';
import type { GatewayError } from '#schema/error';
import type { Receipt } from '#schema/receipt';
import { createReceiptFeed } from '#src/ledger/feed';
import type { FeedItem, FeedPlace, FeedQuery } from '#src/ledger/feed-store';
import { writeBatches } from '#src/ledger/store';
import { openSqliteD1 } from '../../support/sqlite-d1.ts';
import { sampleBatch, sampleReceipt } from './sample-receipt.ts';

const SILENT = () => undefined;
const ALL: FeedQuery = { teamId: null, sinceMs: 0, untilMs: 9e15, after: null, limit: 100 };

function receiptOf(teamId: string, createdAtMs: number, id: string, over: Partial<Receipt> = {}): Receipt {
  return sampleReceipt({ teamId, createdAtMs, id, ...over });
}

async function open(receipts: readonly Receipt[]) {
  const sqlite = openSqliteD1();
  for (const id of new Set(receipts.map(({ teamId }) => teamId))) {
    if (id !== 'headrace') sqlite.insert('teams', { id, created_at_ms: 0 });
  }
  await writeBatches(sqlite.db, [sampleBatch('b1', receipts)], 0);
  return { ...sqlite, feed: createReceiptFeed({ db: sqlite.db, log: SILENT }) };
}

const RECEIPTS = [
  receiptOf('b', 5, 'gen-5'),
  receiptOf('a', 20, 'gen-20'),
  // Three at the same millisecond, written in no order.
  receiptOf('a', 10, 'gen-z'),
  receiptOf('a', 10, 'gen-x'),
  receiptOf('a', 10, 'gen-y'),
  receiptOf('c', 10, 'gen-c'),
];
const ORDER = ['gen-x', 'gen-y', 'gen-z', 'gen-20', 'gen-5', 'gen-c'];

const idsOf = (items: readonly FeedItem[]) => items.map(({ id }) => id);

describe('the feed of receipts', () => {
  it('goes team by team and oldest first, whatever the order of writing', async () => {
    const { feed } = await open(RECEIPTS);
    expect(idsOf((await feed.page(ALL)).items)).toEqual(ORDER);
  });

  it('gives every receipt exactly once in pages of any size, also among equal instants', async () => {
    const { feed } = await open(RECEIPTS);
    for (let limit = 1; limit <= 7; limit++) {
      const seen: string[] = [];
      let after: FeedPlace | null = null;
      for (;;) {
        const { items }: { items: readonly FeedItem[] } = await feed.page({ ...ALL, limit, after });
        seen.push(...idsOf(items));
        if (items.length < limit) break;
        after = items.at(-1) ?? null;
      }
      expect(seen, `pages of ${limit}`).toEqual(ORDER);
    }
  });

  it('keeps to its span and its team, and counts on the first page alone', async () => {
    const { feed } = await open(RECEIPTS);
    const span = await feed.page({ ...ALL, sinceMs: 6, untilMs: 20 });
    expect([idsOf(span.items), span.total]).toEqual([['gen-x', 'gen-y', 'gen-z', 'gen-c'], 4]);
    expect(idsOf((await feed.page({ ...ALL, teamId: 'b' })).items)).toEqual(['gen-5']);
    const later = await feed.page({ ...ALL, sinceMs: 15, after: { teamId: 'a', createdAtMs: 10, id: 'gen-x' } });
    expect([idsOf(later.items), later.total]).toEqual([['gen-20'], null]);
  });

  it('has no place for canaries, which belong to no team', async () => {
    const { feed } = await open([...RECEIPTS, receiptOf('headrace', 10, 'gen-canary')]);
    expect((await feed.page(ALL)).total).toBe(6);
    expect((await feed.page({ ...ALL, teamId: 'headrace' })).total).toBe(0);
  });

  it('tells numbers, names and what the key may use, and passes the plan as it was stored', async () => {
    const { feed, insert, db } = await open([receiptOf('a', 10, 'gen-1')]);
    const key = { id: 'key-1', hash: 'h', label: 'l', name: 'ci', team_id: 'a', kind: 'inference', source: 'api' };
    insert('keys', { ...key, models: ['qwen/*'], created_at_ms: 0, updated_at_ms: 0 });
    const [item] = (await feed.page(ALL)).items;
    expect(JSON.parse(item?.fields ?? '')).toMatchObject({
      id: 'gen-1',
      created_at_ms: 10,
      team: 'a',
      key: 'key-1',
      key_models: ['qwen/*'],
      stream: true,
      usage: { prompt_tokens: 100, cache_read_tokens: 10, units: null },
      timing: { ttft_ms: 81, tpot_ms: 16.7 },
      charged_nano_usd: 5000,
    });
    const [stored] = await db.prepare('SELECT plan FROM receipts').raw<[string]>();
    expect(item?.plan).toBe(stored?.[0]);
  });

  it('says that accounts cannot be read while D1 fails', async () => {
    const { feed, behave } = await open([]);
    behave('fails');
    const failure = await feed.page(ALL).catch((error: unknown) => error as GatewayError);
    expect(failure).toMatchObject({ code: 'ledger_unavailable', retryAfterS: 2 });
  });
});
