/** Starts the whole router in this process: checks the manifest, bundles the Worker, runs it in workerd, migrates D1, applies the manifest. Prints nothing. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Miniflare, type MiniflareOptions } from 'miniflare';
import type { Change } from '#schema/change';
import type { Manifest } from '#schema/manifest';
import { houseFacts, surroundings } from '#src/house-facts';
import { compileManifest } from '#src/manifest/compile';
import type { ManifestSurroundings } from '#src/manifest/surroundings';
import { holdsKeys } from '#src/manifest/secrets';
import { applyRows, readClientKeys, type ApplyOptions } from '#src/manifest/store';
import { CommandError } from '../command-error.ts';
import { LOCAL_HOSTS } from '../local-hosts.ts';
import { countManifest } from '../manifest/describe-manifest.ts';
import { checkManifest } from '../manifest/read-manifest.ts';
import { silently, type Step } from '../progress.ts';
import { countChanges } from '../show/changes.ts';
import { readVersion } from '../version.ts';
import { bundleWorker } from './bundle.ts';
import { findKeptManifest, sayKeptManifest, START_ACTOR, type KeptManifest } from './kept-manifest.ts';
import { leaveNoWorker } from './leave-no-worker.ts';
import { localKeys } from './local-key.ts';
import { migrate } from './migrate.ts';
import { activeProviders, requireClientKeys, resolveLocalKeys, upstreamBindings } from './resolve-keys.ts';
import { sealBindings } from './seal-key.ts';
import { lockState } from './state-lock.ts';
import { WORKER_NAME, workerOptions } from './worker-options.ts';

/** Answers that have just ended are still being settled: a group commit gathers for 100 ms before it goes. */
const SETTLE_GRACE_MS = 300;
const ROOT = path.resolve(import.meta.dirname, '../..');

/** The cron of wrangler.toml: once a minute. workerd alone runs none. */
const CRON_EVERY_MS = 60_000;

export interface RouterOptions {
  manifestText: string;
  /** Name of the manifest in error messages. */
  manifestFile?: string;
  /** Leave a manifest in force that somebody applied through the API. Default false: `manifestText` is applied. */
  keepApplied?: boolean;
  /** Rewrites addresses in a kept manifest to where things run now. */
  adapt?: (text: string) => string;
  /** Default 0: any free port. */
  port?: number;
  /** Where D1 and the objects live; null keeps nothing. */
  stateDir: string | null;
  /** Whether keys may stand in the manifest. Default true. */
  allowValues?: boolean;
  /** Variables that secrets are read from. Default none. */
  environment?: Readonly<Record<string, string>>;
  /** Further text bindings of the Worker; they win. */
  extraBindings?: Readonly<Record<string, string>>;
  /** The Worker's entry file. Default `src/index.ts`. */
  entry?: string;
  /** Makes one module of the entry file. Default: bundles it anew. */
  bundle?: (entry: string) => Promise<string>;
  /** Takes what the Worker logs, one line at a time. */
  log?: (line: string) => void;
  step?: Step;
}

export interface Router {
  /** Such as `http://localhost:8787`, without trailing slash. */
  url: string;
  /** An inference key of the first team. */
  key: string;
  managementKey: string;
  manifest: Manifest;
  /** What applying the manifest changed. */
  applied: Change[];
  /** Real providers that have a key here. */
  activeProviders: string[];
  /** Client keys that were left out because their variable is not set. */
  missingKeys: string[];
  /** The manifest that was left in force; null where the given one was applied. */
  kept: KeptManifest | null;
  /** The router's own D1 database. */
  db(): Promise<D1Database>;
  /** Runs the scheduled jobs now, as the cron does once a minute. */
  runJobs(): Promise<void>;
  /** Stops workerd and closes the database; safe to call twice. */
  stop(): Promise<void>;
}

/** Starts a router. Rejects with CommandError for a bad manifest or a busy port, and then nothing has been written. */
export async function startRouter(options: RouterOptions): Promise<Router> {
  const { manifestText, manifestFile = 'manifest', port = 0, stateDir, environment = {} } = options;
  const { bundle = bundleWorker, log = () => {}, step = silently } = options;
  const around = surroundings(options.allowValues ?? true, LOCAL_HOSTS);
  const given = await step('manifest', () => checkManifest(manifestText, manifestFile, around), countManifest);
  requireClientKeys(given, environment);
  await refuseBusyPort(port);

  const script = await step('bundle', () => bundle(options.entry ?? path.join(ROOT, 'src/index.ts')), sayKib);
  const unlock = stateDir === null ? () => {} : lockState(stateDir);
  const keys = localKeys(stateDir);
  const optionsFor = (manifest: Manifest): MiniflareOptions => {
    const bindings = {
      HEADRACE_ALLOWED_HOSTS: LOCAL_HOSTS.join(','),
      HEADRACE_VERSION: readVersion(),
      ...upstreamBindings(manifest, environment),
      ...sealBindings(stateDir, environment),
      ...options.extraBindings,
    };
    return workerOptions({ script, port, stateDir, bindings, log });
  };
  leaveNoWorker();
  const miniflare = new Miniflare(optionsFor(given));
  try {
    await step('workerd', async () => {
      await miniflare.ready;
    });
    const db = async (): Promise<D1Database> => (await miniflare.getD1Database('DB')) as unknown as D1Database;
    await step(
      'migrations',
      async () => migrate(await db(), path.join(ROOT, 'schema/migrations')),
      (names) => (names.length === 0 ? 'up to date' : names.join(', ')),
    );
    const kept = options.keepApplied === true ? await findKept(await db(), around, options) : null;
    const { manifest, text } = kept ?? { manifest: given, text: manifestText };
    if (kept !== null) {
      await step(
        'manifest',
        () => kept.stored,
        (stored) => sayKeptManifest(stored, Date.now()),
      );
      // Its secrets may have other names than those that the Worker was started with.
      await miniflare.setOptions(optionsFor(manifest));
    }
    const client = requireClientKeys(manifest, environment);
    const clientKeys = new Map([...(kept === null ? [] : await readClientKeys(await db())), ...client.keys]);
    const rows = compileManifest({ manifest, ...houseFacts(), clientKeys, localKeys: resolveLocalKeys(keys) });
    const applied = await step(
      'manifest applied',
      async () => (await applyRows(await db(), rows, applyOptions(manifest, text))).changes,
      (changes) => countChanges(changes) || 'nothing to change',
    );
    const address = await miniflare.unsafeGetDirectURL(WORKER_NAME);
    const cron = setInterval(() => void runScheduled(miniflare, log), CRON_EVERY_MS);
    let stopping: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      clearInterval(cron);
      return (stopping ??= pause(SETTLE_GRACE_MS)
        .then(() => miniflare.dispose())
        .finally(unlock));
    };
    return {
      url: `http://localhost:${address.port}`,
      key: keys.inference,
      managementKey: keys.management,
      manifest,
      applied,
      activeProviders: activeProviders(manifest, environment),
      missingKeys: client.missing,
      kept: kept?.stored ?? null,
      db,
      runJobs: () => runScheduled(miniflare, log),
      stop,
    };
  } catch (error) {
    await miniflare.dispose();
    unlock();
    throw error;
  }
}

/** Finds the manifest to leave in force. One that this version does not accept is an error: what is stored stays as it is. */
async function findKept(
  db: D1Database,
  around: ManifestSurroundings,
  { adapt = (text) => text }: RouterOptions,
): Promise<{ stored: KeptManifest; manifest: Manifest; text: string } | null> {
  const stored = await findKeptManifest(db);
  if (stored === null) return null;
  const manifest = checkManifest(adapt(stored.text), `manifest version ${stored.version}`, around);
  // Under its own text, so that it stays the version that somebody applied.
  return { stored, manifest, text: stored.text };
}

function applyOptions(manifest: Manifest, text: string): ApplyOptions {
  return { nowMs: Date.now(), actor: START_ACTOR, auditId: randomUUID(), text, holdsKeys: holdsKeys(manifest), prune: false };
}

/** Runs the Worker's scheduled jobs once; a failure is logged, as it is on Cloudflare. */
async function runScheduled(miniflare: Miniflare, log: (line: string) => void): Promise<void> {
  try {
    const worker = await miniflare.getWorker();
    await worker.scheduled({ cron: '* * * * *' });
  } catch (error) {
    log(`scheduled jobs failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Fails early and in one line; workerd itself would say it in a page. */
async function refuseBusyPort(port: number): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'is in use; choose another with --port N' : `cannot be used (${error.code})`;
      reject(new CommandError(`port ${port} ${reason}`));
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve()));
  });
}

function sayKib(script: string): string {
  return `${Math.round(script.length / 1024)} KiB`;
}
