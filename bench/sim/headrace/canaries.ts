/** The scheduled probes of the router, once a virtual minute: the real job, with the simulation behind its ports. */
import type { ModelEntry } from '#schema/catalog';
import { boardNameOf, LOCAL_REGION } from '#src/health/board-name';
import type { BoardPort } from '#src/health/board-port';
import { sendCanaries } from '#src/jobs/canaries';
import type { Listing, Stage } from '../contract.ts';
import { epochMs, timersOf } from './epoch.ts';
import { createUpstream } from './upstream.ts';

/** How often the schedule runs. */
const EVERY_MS = 60_000;
/** The first run falls somewhere into the first minute, as it does for a Worker that starts when it likes. */
const FIRST_MS = 20_000;

export interface CanaryOptions {
  board: BoardPort;
  toEntries(listings: readonly Listing[]): readonly ModelEntry[];
}

/** Starts the schedule; it goes on as long as the run. */
export function startCanaries(stage: Stage, { board, toEntries }: CanaryOptions): void {
  const now = () => epochMs(stage);
  const sent: { endpointId: string; atMs: number; nanoUsd: number }[] = [];
  const ports = {
    now,
    timers: timersOf(stage),
    random: stage.random('canaries'),
    secret: () => undefined,
    log() {},
    call: createUpstream(stage, { request: null, isolate: 0, now }),
    board: () => board,
    knownBoards: () => Promise.resolve(toEntries(stage.listings()).map(({ model }) => boardNameOf(LOCAL_REGION, model.id))),
    snapshot: () => ({
      version: 'sim',
      takenAtMs: now(),
      models: new Map(toEntries(stage.listings()).map((entry) => [entry.model.id, entry])),
      aliases: new Map(),
      providers: new Map(),
    }),
    isCallable: () => true,
    readRecent(sinceMs: number) {
      const recent = sent.filter(({ atMs }) => atMs >= sinceMs);
      return Promise.resolve({
        askedAtMs: new Map(recent.map(({ endpointId, atMs }) => [endpointId, atMs])),
        spentNanoUsd: recent.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0),
      });
    },
    book({
      attempts,
      createdAtMs,
      absorbedNanoUsd,
    }: {
      attempts: readonly { endpointId: string }[];
      createdAtMs: number;
      absorbedNanoUsd: number;
    }) {
      for (const { endpointId } of attempts) sent.push({ endpointId, atMs: createdAtMs, nanoUsd: absorbedNanoUsd });
      return Promise.resolve();
    },
  };
  const run = () => {
    sendCanaries(ports).catch(stage.abort);
    stage.after(EVERY_MS, run);
  };
  stage.after(FIRST_MS, run);
}
