/** Runs a worker in real workerd: bundles it, applies migrations, hands out its bindings. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorker as bundle } from '#cli/dev/bundle';
import { convertV4MiniflareOptions, Miniflare, type V4MiniflareOptions } from 'miniflare';

export const COMPATIBILITY_DATE = '2026-11-01';
const MIGRATIONS = join(import.meta.dirname, '../../schema/migrations');

export interface WorkerSetup {
  /** Path of the entry module, or a file URL. */
  entry: string | URL;
  /** Text bindings: variables and secrets. */
  bindings?: Record<string, string>;
  /** Durable Object classes by binding name. Default: those of the Worker. */
  durableObjects?: Record<string, string>;
  /** Applies schema/migrations to the D1 database `DB`. Default true; a persisted database keeps its own. */
  migrations?: boolean;
  /** Directory where D1 and Durable Objects survive a restart. Default: memory. */
  persistDir?: string;
  /** Anything else that Miniflare takes, such as `outboundService`. */
  options?: Partial<V4MiniflareOptions>;
}

export interface RunningWorker {
  url: URL;
  miniflare: Miniflare;
  /** The worker's D1 database. */
  db: D1Database;
  /** Stops workerd; persisted state stays. */
  stop(): Promise<void>;
}

const bundles = new Map<string, Promise<string>>();

/** Bundles a worker into one module, as wrangler would; once in each process of tests. */
export function bundleWorker(entry: string | URL): Promise<string> {
  const file = entry instanceof URL ? entry.pathname : entry;
  let bundled = bundles.get(file);
  if (bundled === undefined) bundles.set(file, (bundled = bundle(file)));
  return bundled;
}

/** Starts a worker on a free loopback port. Stop it when done. */
export async function startWorker(setup: WorkerSetup): Promise<RunningWorker> {
  const objects = Object.entries(setup.durableObjects ?? { ACCOUNT: 'Account', HEALTH_BOARD: 'HealthBoard', NODE_LINK: 'NodeLink' });
  const options = {
    name: 'headrace',
    modules: true,
    script: await bundleWorker(setup.entry),
    host: '127.0.0.1',
    port: 0,
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: ['nodejs_compat', 'enable_request_signal', 'no_web_socket_compression'],
    bindings: setup.bindings ?? {},
    d1Databases: ['DB'],
    durableObjects: Object.fromEntries(objects.map(([binding, className]) => [binding, { className, useSQLite: true }])),
    logRequests: false,
    telemetry: { enabled: false },
    ...(setup.persistDir === undefined ? {} : { resourcePersistencePath: setup.persistDir }),
    ...setup.options,
  } as V4MiniflareOptions;
  const miniflare = new Miniflare(convertV4MiniflareOptions(options));
  const url = await miniflare.ready;
  const db = (await miniflare.getD1Database('DB')) as unknown as D1Database;
  if (setup.migrations !== false) await applyMigrations(db);
  return { url, miniflare, db, stop: () => miniflare.dispose() };
}

/** Applies schema/migrations in order; does nothing to a database that has tables. */
export async function applyMigrations(db: D1Database): Promise<void> {
  const tables = await db.prepare("SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = 'receipts'").first<number>('n');
  if (tables !== 0) return;
  const files = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql'));
  const statements = files.toSorted().flatMap((name) => readFileSync(join(MIGRATIONS, name), 'utf8').split('--> statement-breakpoint'));
  await db.batch(statements.map((statement) => db.prepare(statement)));
}
