/** What is compared. Each Worker runs in a workerd process of its own, so that processor time and memory are its own. */
import { build } from 'esbuild';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { fileURLToPath } from 'node:url';
import { childPids } from '#bench/process-usage';

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

/** Starts the workerd of one subject and finds its process: the child that was not there before. Not for concurrent use. */
export async function startInOwnProcess<Started>(start: () => Promise<Started>): Promise<{ started: Started; pid: number | null }> {
  const before = new Set(childPids(process.pid));
  const started = await start();
  const added = childPids(process.pid).filter((pid) => !before.has(pid));
  return { started, pid: added.length === 1 ? (added[0] as number) : null };
}

/** Starts a Worker from bench/workers/ whose `handle(request, { UPSTREAM })` is its fetch handler. */
export async function startBareWorker(id: 'passThrough' | 'relay', file: string, upstreamUrl: string): Promise<Subject> {
  const bundle = await build({
    stdin: {
      contents: `import './network.ts'; import { handle } from './${file}'; export default { fetch: handle };`,
      resolveDir: fileURLToPath(new URL('workers', import.meta.url)),
    },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    external: ['cloudflare:workers'],
  });
  const { started: worker, pid } = await startInOwnProcess(async () => {
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        name: id,
        modules: true,
        script: bundle.outputFiles[0]?.text ?? '',
        compatibilityDate: '2026-11-01',
        bindings: { UPSTREAM: upstreamUrl },
        serviceBindings: { NETWORK: { network: { allow: ['public', 'private'] } } },
        host: '127.0.0.1',
        port: 0,
        unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
      }),
    );
    await miniflare.ready;
    return miniflare;
  });
  const origin = await worker.unsafeGetDirectURL();
  return { id, url: new URL('/v1/chat/completions', origin).href, key: 'sk-none', pid, stop: () => worker.dispose() };
}
