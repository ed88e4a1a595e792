/** The pantry: an immutable snapshot of models and offers, kept fresh behind the requests' backs. */
import { createHash } from 'node:crypto';
import type { CatalogSnapshot } from '#schema/catalog';
import { GatewayError } from '#schema/error';
import { within } from '#schema/within';
import { buildSnapshot } from './build-snapshot.ts';
import type { CatalogRows } from './rows.ts';
import { readCatalogRows, readVersion } from './store.ts';

/** Keeps work alive after the response, as the Workers runtime offers it. */
export type WaitUntil = (work: Promise<unknown>) => void;

export interface CatalogPorts {
  db: D1Database;
  now(): number;
  log(event: Record<string, unknown>): void;
  /** Private hosts that this deployment may call. */
  allowedHosts: readonly string[];
  /** Absent: every provider is known. */
  isKnownProvider?(providerId: string): boolean;
}

export interface Catalog {
  /**
   * Answers at once with the last good snapshot and refreshes it in the background; only the first call of an isolate waits.
   * Throws GatewayError `no_endpoint_available` when nothing could ever be loaded.
   */
  snapshot(waitUntil: WaitUntil): CatalogSnapshot | Promise<CatalogSnapshot>;
  /**
   * Waits for a check whether there is a newer snapshot, for who misses something in this one. Checks once a second at most, whoever asks;
   * else, and where D1 does not answer, it is the last good snapshot again. Never rejects once there is one.
   */
  newest(waitUntil: WaitUntil): CatalogSnapshot | Promise<CatalogSnapshot>;
  /** Reads the catalogue anew, now that it is known to have changed. Never rejects: on failure the last good snapshot goes on. */
  renew(): Promise<void>;
}

/** A snapshot is checked for a newer version after this long. */
const CHECK_EVERY_MS = 5_000;
/** And this long for requests that miss something in it. */
const CHECK_ON_DEMAND_MS = 1_000;
/** It is read anew after this long whatever the version says, in case a writer forgot to change it. */
const READ_EVERY_MS = 300_000;
const READ_TIMEOUT_MS = 5_000;

interface Loaded {
  snapshot: CatalogSnapshot;
  storedVersion: string;
  readAtMs: number;
  nextPriceAtMs: number;
}

interface Refresh {
  work: Promise<Loaded>;
  startedAtMs: number;
}

/** Names a version after the stored one and the content, so that equal content keeps its name over isolates. */
function versionOf(rows: CatalogRows): string {
  const { nextPriceAtMs: _, version, ...content } = rows;
  return `${version}.${createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 12)}`;
}

/** Creates the catalogue of one isolate. */
export function createCatalog({ db, now, log, allowedHosts, isKnownProvider }: CatalogPorts): Catalog {
  let loaded: Loaded | null = null;
  let checkedAtMs = -Infinity;
  let running: Refresh | null = null;

  async function read(known: Loaded | null): Promise<Loaded> {
    const nowMs = now();
    const rows = await readCatalogRows(db, nowMs);
    const version = versionOf(rows);
    const terms = { storedVersion: rows.version, readAtMs: nowMs, nextPriceAtMs: rows.nextPriceAtMs ?? Infinity };
    if (known?.snapshot.version === version) return { ...terms, snapshot: known.snapshot };
    const built = buildSnapshot(rows, { nowMs, version, allowedHosts, ...(isKnownProvider && { isKnownProvider }) });
    for (const { endpointId, reason } of built.leftOut.slice(0, 20)) log({ event: 'endpoint_left_out', endpointId, reason });
    return { ...terms, snapshot: built.snapshot };
  }

  async function refresh(): Promise<Loaded> {
    checkedAtMs = now();
    const known = loaded;
    const isDue = !known || now() >= known.nextPriceAtMs || now() - known.readAtMs >= READ_EVERY_MS;
    const isCurrent = !isDue && (await within(readVersion(db), READ_TIMEOUT_MS)) === known.storedVersion;
    const fresh = isCurrent ? known : await within(read(known), READ_TIMEOUT_MS);
    loaded = fresh;
    return fresh;
  }

  function startRefresh(waitUntil: WaitUntil): Promise<Loaded> {
    // A refresh whose request was torn down never ends; a later request must not wait for it.
    if (running && now() - running.startedAtMs < 2 * READ_TIMEOUT_MS) return within(running.work, READ_TIMEOUT_MS);
    const started: Refresh = { work: refresh(), startedAtMs: now() };
    running = started;
    const cleanUp = () => {
      if (running === started) running = null;
    };
    waitUntil(started.work.then(cleanUp, cleanUp));
    return started.work;
  }

  function reportFailure(failure: unknown): void {
    log({ event: 'catalog_refresh_failed', cause: failure instanceof Error ? failure.name : 'unknown' });
  }

  async function firstSnapshot(waitUntil: WaitUntil): Promise<CatalogSnapshot> {
    try {
      return (await startRefresh(waitUntil)).snapshot;
    } catch (cause) {
      reportFailure(cause);
      throw new GatewayError('no_endpoint_available', 'The catalogue cannot be read right now. Try again shortly.', {
        retryAfterS: 2,
        cause,
      });
    }
  }

  return {
    snapshot(waitUntil) {
      if (!loaded) return firstSnapshot(waitUntil);
      const sinceCheckMs = now() - checkedAtMs;
      if (sinceCheckMs >= CHECK_EVERY_MS || sinceCheckMs < 0 || now() >= loaded.nextPriceAtMs) startRefresh(waitUntil).catch(reportFailure);
      return loaded.snapshot;
    },
    async newest(waitUntil) {
      if (!loaded) return firstSnapshot(waitUntil);
      if (Math.abs(now() - checkedAtMs) < CHECK_ON_DEMAND_MS && running === null) return loaded.snapshot;
      try {
        return (await startRefresh(waitUntil)).snapshot;
      } catch (failure) {
        reportFailure(failure);
        return loaded.snapshot;
      }
    },
    async renew() {
      try {
        loaded = await within(read(loaded), READ_TIMEOUT_MS);
        checkedAtMs = now();
      } catch (failure) {
        reportFailure(failure);
        checkedAtMs = -Infinity;
      }
    },
  };
}
