/** A thread of the simulator: runs the cells that it is sent, one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { runCell, type CellOrder } from './cell.ts';
import type { Supply } from './supply.ts';

const supply = workerData as Supply;

parentPort?.on('message', async (order: CellOrder) => {
  try {
    parentPort?.postMessage({ result: await runCell(order, supply) });
  } catch (error) {
    parentPort?.postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
