import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EndpointHealth } from '#schema/health';
import { boardNameOf } from '#src/health/board-name';
import { startWorker, type RunningWorker } from '#test/support/workerd';
import { PATIENCE } from '#test/support/patience';

const ENTRY = join(import.meta.dirname, 'health-board-worker.ts');
const BOARD = boardNameOf('local', 'lab/model');
const SOON = { ...PATIENCE, interval: 100 };

let worker: RunningWorker;
let stateDir: string;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'board-'));
  worker = await startWorker({ entry: ENTRY, durableObjects: { HEALTH_BOARD: 'TestBoard' }, persistDir: stateDir, migrations: false });
});

afterAll(async () => {
  await worker.stop();
  await rm(stateDir, { recursive: true, force: true });
});

async function call<Answer>(path: string, query: Record<string, string | number> = {}): Promise<Answer> {
  const url = new URL(path, worker.url);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return (await (await fetch(url)).json()) as Answer;
}

const served = new Map<string, number>();

/** Serves one request; returns how long it took, ms. */
async function serve(isolate: string, kind = 'ok'): Promise<number> {
  served.set(isolate, (served.get(isolate) ?? 0) + 1);
  const startedMs = performance.now();
  await call('/serve', { isolate, kind });
  return performance.now() - startedMs;
}

const read = (isolate: string) => call<EndpointHealth | null>('/read', { isolate });

/** Serves one request more, and counts the samples that the isolate has not taken itself. */
async function heardFromOthers(isolate: string): Promise<number> {
  await serve(isolate);
  return ((await read(isolate))?.samples ?? 0) - (served.get(isolate) ?? 0);
}

describe('a health board in workerd', () => {
  test('what one isolate has seen, another one knows after its first request', async () => {
    for (let request = 0; request < 30; request++) await serve('one');
    await expect.poll(async () => (await read('one'))?.samples, SOON).toBeGreaterThan(25);
    await expect.poll(() => heardFromOthers('two'), SOON).toBeGreaterThan(25);
    expect((await read('two'))?.ttftNormalisedMsP95).toBeCloseTo(700 / (0.5 + 0.5 * (1_500 / 1_650)), 3);
  });

  test('a breaker that opens at one isolate is open at the others', async () => {
    for (let request = 0; request < 12; request++) await serve('one', 'fail');
    await expect
      .poll(async () => {
        await serve('two', 'leave');
        return (await read('two'))?.breaker;
      }, SOON)
      .not.toBe('closed');
  });

  test('what a node says at one isolate’s answer, another one knows', async () => {
    await serve('one', 'loaded');
    await expect
      .poll(async () => {
        await serve('two', 'leave');
        return (await read('two'))?.nodeLoad;
      }, SOON)
      .toMatchObject({ running: 3, waiting: 1, kvUsage: 0.75 });
  });

  test('what the link of a node reports reaches isolates through the registry', async () => {
    await expect.poll(() => call<string[]>('/known'), SOON).toEqual([BOARD]);
    let running = 10;
    await expect
      .poll(async () => {
        // The registry reads its list of boards every ten seconds.
        await call('/report', { running: ++running });
        await serve('two', 'leave');
        return (await read('two'))?.nodeLoad?.running;
      }, SOON)
      .toBeGreaterThan(10);
  });

  test('R13: requests are served at once while the board throws or hangs, and what they saw arrives when it is back', async () => {
    for (const board of ['down', 'hangs']) {
      await call('/fault', { board });
      const isolate = `after ${board}`;
      for (let request = 0; request < 5; request++) expect(await serve(isolate)).toBeLessThan(1_000);
      await call('/fault', { board: 'up' });
      await expect.poll(() => heardFromOthers(isolate), SOON).toBeGreaterThan(20);
    }
  });

  test('R14: a board that was evicted knows what it had written down, and is in the registry', async () => {
    await call('/restart', { board: BOARD });
    expect(await call<string[]>('/known')).toEqual([BOARD]);
    await expect.poll(() => heardFromOthers('newcomer'), SOON).toBeGreaterThan(20);
  });
});
