/** What is compared. Each Worker runs in a workerd process of its own, so that processor time and memory are its own. */
import path from 'node:path';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { childPids } from '#bench/process-usage';
import { workerOptions } from '#cli/dev/worker-options';

export const SUBJECT_IDS = ['direct', 'passThrough', 'relay', 'headrace'] as const;
export type SubjectId = (typeof SUBJECT_IDS)[number];

/** Something that answers chat requests at `url`. `pid` is its own process; null for the upstream itself. */
export interface Subject {
  id: SubjectId;
  url: string;
  key: string;
  pid: number | null;
  stop(): Promise<void>;
}

/** A Worker in its own workerd. */
export interface RunningWorker {
  /** Answers without Miniflare's own entry Worker in between. */
  origin: URL;
  pid: number | null;
  db(): Promise<D1Database>;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

/** Starts a Worker from the text of an entry module that stands in bench/workers/. One at a time: its process is the child that was not there before. */
export async function startWorker(
  entry: string,
  bindings: Readonly<Record<string, string>>,
  inspectorPort?: number,
): Promise<RunningWorker> {
  const script = await bundle(entry);
  const before = new Set(childPids(process.pid));
  const miniflare = new Miniflare(
    withDirectNetwork(workerOptions({ script, port: 0, stateDir: null, bindings, log: () => {} }), inspectorPort),
  );
  await miniflare.ready;
  const added = childPids(process.pid).filter((pid) => !before.has(pid));
  return {
    origin: await miniflare.unsafeGetDirectURL(),
    pid: added.length === 1 ? (added[0] as number) : null,
    db: async () => (await miniflare.getD1Database('DB')) as unknown as D1Database,
    stop: () => miniflare.dispose(),
  };
}

/** Starts a Worker from bench/workers/ whose `handle(request, { UPSTREAM })` is its fetch handler. */
export async function startBareWorker(id: 'passThrough' | 'relay', file: string, upstreamUrl: string): Promise<Subject> {
  const entry = `import './network.ts'; export { Account } from './idle-account.ts'; import { handle } from './${file}'; export default { fetch: handle };`;
  const { origin, pid, stop } = await startWorker(entry, { UPSTREAM: upstreamUrl });
  return { id, url: chatUrl(origin), key: 'sk-none', pid, stop };
}

/** Names the surface that every subject is measured at. */
export function chatUrl(origin: URL): string {
  return `${origin.origin}/v1/chat/completions`;
}

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: path.join(import.meta.dirname, 'workers') },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['browser', 'module', 'main'],
    external: ['cloudflare:*', 'node:*'],
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

/**
 * Opens a socket straight to the Worker and a network straight from it. By default Miniflare puts a Worker of its own on either side,
 * which no production has and which cost more than a pass-through.
 */
function withDirectNetwork(options: ReturnType<typeof workerOptions>, inspectorPort: number | undefined): ReturnType<typeof workerOptions> {
  return {
    ...options,
    ...(inspectorPort === undefined ? {} : { inspectorPort }),
    workers: options.workers.map((worker) => ({
      ...worker,
      config: { ...worker.config, env: { ...worker.config.env, NETWORK: { type: 'network', allow: ['public', 'private'] } } },
      dev: { ...worker.dev, unsafeDirectSockets: [{ host: HOST, port: 0 }] },
    })),
  };
}
