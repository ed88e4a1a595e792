/** What is compared. Each Worker runs in a workerd process of its own, so that processor time and memory are its own. */
import path from 'node:path';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { childPids } from '#bench/process-usage';
import { WORKER_BUNDLE } from '#cli/dev/bundle';
import { workerOptions } from '#cli/dev/worker-options';

export const SUBJECT_IDS = ['direct', 'passThrough', 'relay', 'headrace'] as const;
/** Teams of the one router, told apart by what bounds them: nothing, or a budget and every limit, for the team and once more for the key. */
export const TEAM_IDS = ['unbounded', 'bounded'] as const;
export type SubjectId = (typeof SUBJECT_IDS)[number] | (typeof TEAM_IDS)[number];

/** Something that answers requests at `origin`. `pid` is the process that answers; null for the upstream itself. */
export interface Subject {
  id: SubjectId;
  origin: string;
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

/** Starts a Worker from the text of an entry module that stands in bench/workers/. One at a time: its process is the child that was not there before. */
export async function startWorker(
  entry: string,
  bindings: Readonly<Record<string, string>>,
  inspectorPort?: number,
): Promise<RunningWorker> {
  const script = await bundle(entry);
  const before = new Set(childPids(process.pid));
  const miniflare = new Miniflare({
    ...workerOptions({ script, port: 0, stateDir: null, bindings, log: () => {} }),
    ...(inspectorPort === undefined ? {} : { inspectorPort }),
  });
  await miniflare.ready;
  const added = childPids(process.pid).filter((pid) => !before.has(pid));
  return {
    origin: await miniflare.unsafeGetDirectURL(),
    pid: added.length === 1 ? (added[0] as number) : null,
    db: async () => (await miniflare.getD1Database('DB')) as unknown as D1Database,
    stop: () => miniflare.dispose(),
  };
}

/** Starts a Worker from bench/workers/ whose `handle(request, { UPSTREAM })` is its fetch handler; `UPSTREAM` is an origin. */
export async function startBareWorker(id: 'passThrough' | 'relay', file: string, upstreamOrigin: string): Promise<Subject> {
  const entry = `import './network.ts'; export { Account, HealthBoard, NodeLink } from './idle-objects.ts'; import { handle } from './${file}'; export default { fetch: handle };`;
  const { origin, pid, stop } = await startWorker(entry, { UPSTREAM: upstreamOrigin });
  return { id, origin: origin.origin, key: 'sk-none', pid, stop };
}

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    ...WORKER_BUNDLE,
    stdin: { contents: entry, resolveDir: path.join(import.meta.dirname, 'workers') },
  });
  return outputFiles[0]?.text ?? '';
}
