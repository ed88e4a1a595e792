/** Runs cells on as many threads as the machine has processors. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CellOrder, CellResult } from './cell.ts';
import type { Supply } from './supply.ts';

type Answer = { result: CellResult } | { error: string };

export interface PoolOptions {
  threads: number;
  /** Called as each cell is done. */
  onDone(done: CellResult, left: readonly CellOrder[]): void;
}

/** Runs all cells and gives their results in the order asked. Rejects with the first failure, naming the cell; all threads are gone by then. */
export async function runCells(orders: readonly CellOrder[], supply: Supply, { threads, onDone }: PoolOptions): Promise<CellResult[]> {
  const results: CellResult[] = [];
  const waiting = orders.map((order, place) => ({ order, place }));
  const running = new Set<CellOrder>();
  const workers = Array.from(
    { length: Math.min(threads, orders.length) },
    () => new Worker(join(import.meta.dirname, 'cell-thread.ts'), { workerData: supply }),
  );
  const serve = async (worker: Worker): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      running.add(next.order);
      const result = await ask(worker, next.order);
      running.delete(next.order);
      results[next.place] = result;
      onDone(result, [...running, ...waiting.map(({ order }) => order)]);
    }
  };
  try {
    await Promise.all(workers.map(serve));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return results;
}

function ask(worker: Worker, order: CellOrder): Promise<CellResult> {
  const { policy, scenario, seed } = order;
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      stop();
      reject(new Error(`${policy} in ${scenario}, seed ${seed}: ${why}`));
    };
    const onMessage = (answer: Answer): void => {
      if ('error' in answer) return fail(answer.error);
      stop();
      resolve(answer.result);
    };
    const onError = (error: unknown): void => fail(error instanceof Error ? error.message : String(error));
    const onExit = (code: number): void => fail(`its thread ended with code ${code}`);
    const stop = (): void => void worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(order);
  });
}
