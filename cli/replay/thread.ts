/** A thread of the replay: fetches the pages that it is sent and plans their requests again. */
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { CatalogFeed } from '#schema/answers/catalog-feed';
import type { ReceiptsFeed } from '#schema/answers/receipts-feed';
import { CommandError, EXIT } from '../command-error.ts';
import { createClient, RefusedError } from '../router/client.ts';
import type { Connection } from '../router/connection.ts';
import { toGround } from './ground.ts';
import { toOutcome, type Outcome } from './outcome.ts';
import { createResolver, type Scenario } from './scenario.ts';

/** Everything that a thread works with; the same for all of them. */
export interface ThreadOrder {
  connection: Connection;
  catalogue: CatalogFeed;
  scenario: Scenario;
  query: { since: string; until: string; team: string | null };
  isDetailed: boolean;
}

/** Which page to fetch: the cursor that the page before has told. */
export interface PageOrder {
  cursor: string | null;
}

/** What a thread says: where the next page begins as soon as it knows, then what came of this one; or why it gives up. */
export type ThreadNews =
  | { kind: 'fetched'; next: string | null; total: number | null }
  | { kind: 'planned'; outcomes: Outcome[] }
  | { kind: 'failed'; message: string; details: readonly string[]; exitCode: number };

/** Receipts in a page. */
const PAGE = 1000;
/** A database that is busy for a moment must not cost the whole replay. */
const TRIES = 3;
const RETRY_MS = 1_000;

const { connection, catalogue, scenario, query, isDetailed } = workerData as ThreadOrder;
const client = createClient(connection);
const setting = { ground: toGround(catalogue), resolve: createResolver(scenario), isDetailed };

async function fetchPage(cursor: string | null): Promise<ReceiptsFeed> {
  for (let tries = 1; ; tries++) {
    try {
      return await client.get<ReceiptsFeed>('/receipts', { ...query, cursor, limit: PAGE });
    } catch (failure) {
      if (!(failure instanceof RefusedError) || failure.status !== 503 || tries === TRIES) throw failure;
      await pause(RETRY_MS);
    }
  }
}

function tell(news: ThreadNews): void {
  parentPort?.postMessage(news);
}

parentPort?.on('message', async ({ cursor }: PageOrder) => {
  try {
    const { data, next_cursor, total = null } = await fetchPage(cursor);
    tell({ kind: 'fetched', next: next_cursor, total });
    tell({ kind: 'planned', outcomes: data.map((item) => toOutcome(item, setting)) });
  } catch (failure) {
    const message = failure instanceof Error ? failure.message : String(failure);
    const told = failure instanceof CommandError ? failure : { details: [], exitCode: EXIT.refused };
    tell({ kind: 'failed', message, details: told.details, exitCode: told.exitCode });
  }
});
