/** Replays all pages on several threads: while one plans, another fetches. */
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { CommandError, EXIT, Unreachable } from '../command-error.ts';
import type { Outcome } from './outcome.ts';
import type { PageOrder, ThreadNews, ThreadOrder } from './thread.ts';

export interface ReplayedPage {
  outcomes: Outcome[];
  /** Receipts in all, as the first page told; null where it did not. */
  total: number | null;
}

export interface PoolSetting {
  threads: number;
  /** Ends the replay: the pages end with its reason. */
  signal: AbortSignal;
}

/** Gives the pages in the order of the feed. Throws the first failure, as CommandError; all threads are gone by then. */
export async function* replayPages(order: ThreadOrder, { threads, signal }: PoolSetting): AsyncGenerator<ReplayedPage> {
  const workers = Array.from({ length: threads }, () => new Worker(path.join(import.meta.dirname, 'thread.ts'), { workerData: order }));
  const pool = startPool(workers, signal);
  try {
    for (let page = 0; ; page++) {
      const replayed = await pool.page(page);
      if (replayed === null) return;
      yield replayed;
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

interface Pool {
  /** Waits for one page; null after the last. Pages are asked for in order. */
  page(number: number): Promise<ReplayedPage | null>;
}

/** Sends the next page to whoever is free once its cursor is known; so at most one page is fetched at a time, and no more are held than there are threads. */
function startPool(workers: readonly Worker[], signal: AbortSignal): Pool {
  const idle = [...workers];
  const done = new Map<number, ReplayedPage>();
  let cursor: string | null | undefined = null;
  let sent = 0;
  let pages = Infinity;
  let total: number | null = null;
  let failure: unknown;
  let wake = (): void => {};

  function send(): void {
    const worker = cursor === undefined ? undefined : idle.shift();
    if (worker === undefined) return;
    const number = sent++;
    const order: PageOrder = { cursor: cursor ?? null };
    cursor = undefined;
    const onNews = (news: ThreadNews): void => {
      if (news.kind === 'fetched') {
        total ??= news.total;
        if (news.next === null) pages = sent;
        else cursor = news.next;
      } else {
        worker.off('message', onNews);
        idle.push(worker);
        if (news.kind === 'failed') failure ??= toError(news);
        else done.set(number, { outcomes: news.outcomes, total });
      }
      wake();
    };
    worker.on('message', onNews);
    worker.postMessage(order);
  }

  for (const worker of workers) {
    worker.on('error', (error) => {
      failure ??= error;
      wake();
    });
  }
  signal.addEventListener('abort', () => wake());

  return {
    async page(number) {
      for (;;) {
        signal.throwIfAborted();
        if (failure !== undefined) throw failure;
        const replayed = done.get(number);
        if (replayed !== undefined) {
          done.delete(number);
          return replayed;
        }
        if (number >= pages) return null;
        // Of what is finished little may wait for the reader.
        if (sent - number < workers.length * 2) send();
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

function toError({ message, details, exitCode }: Extract<ThreadNews, { kind: 'failed' }>): CommandError {
  return exitCode === EXIT.unreachable ? new Unreachable(message, details) : new CommandError(message, details);
}
