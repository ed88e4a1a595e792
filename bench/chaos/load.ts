/** Sends the load of a run at its times, however long the answers take. */
import { setTimeout as pause } from 'node:timers/promises';
import { sendRequest, type Outcome } from './client.ts';
import type { ChaosRequest } from './requests.ts';

/** More clients than this are not kept waiting at once; what would exceed it is not sent, and counted. */
const WAITING_MAX = 1000;

/** What came of the load. */
export interface LoadResult {
  outcomes: Outcome[];
  notSent: number;
}

/** Sends every request at its `atMs` and resolves when the last answer has ended. `now` in milliseconds from the start of the run. */
export async function sendLoad(origin: string, requests: readonly ChaosRequest[], now: () => number): Promise<LoadResult> {
  const outcomes: Outcome[] = [];
  const waiting = new Set<Promise<void>>();
  let notSent = 0;
  for (const request of requests) {
    const waitMs = request.atMs - now();
    if (waitMs > 0) await pause(waitMs);
    if (waiting.size >= WAITING_MAX) {
      notSent += 1;
      continue;
    }
    const client = sendRequest(origin, request, now).then((outcome) => {
      outcomes.push(outcome);
      waiting.delete(client);
    });
    waiting.add(client);
  }
  await Promise.all(waiting);
  return { outcomes: outcomes.sort((left, right) => left.startedAtMs - right.startedAtMs), notSent };
}
