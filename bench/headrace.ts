/** Starts the whole Worker as a subject: local D1, the Account object, a team with a budget, and eight endpoints on the bench upstream. */
import { build } from 'esbuild';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { providers } from '#providers/registry';
import { startInOwnProcess, type Subject } from '#bench/subject';
import { BENCH_MODEL } from '#bench/wire';
import { compileManifest, keyLabel } from '#src/manifest/compile';
import { parseManifest } from '#src/manifest/parse';
import { sha256Hex } from '#src/manifest/secrets';
import { applyRows } from '#src/manifest/store';

const ENDPOINTS = 8;
const ALLOWED_HOST = '127.0.0.1';
const MIGRATIONS = new URL('../schema/migrations/', import.meta.url);

/** Starts the router and makes it ready to answer. `inspectorPort` opens it to a profiler. */
export async function startHeadrace(upstreamOrigin: string, inspectorPort?: number): Promise<Subject> {
  const script = await bundleWorker();
  const { started: worker, pid } = await startInOwnProcess(async () => {
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        name: 'headrace',
        modules: true,
        script,
        compatibilityDate: '2026-11-01',
        compatibilityFlags: ['nodejs_compat', 'enable_request_signal'],
        bindings: { HEADRACE_ALLOWED_HOSTS: ALLOWED_HOST, HEADRACE_VERSION: 'bench' },
        serviceBindings: { NETWORK: { network: { allow: ['public', 'private'] } } },
        d1Databases: { DB: 'headrace' },
        durableObjects: { ACCOUNT: { className: 'Account', useSQLite: true } },
        host: ALLOWED_HOST,
        port: 0,
        unsafeDirectSockets: [{ host: ALLOWED_HOST, port: 0 }],
        ...(inspectorPort === undefined ? {} : { inspectorPort }),
      }),
    );
    await miniflare.ready;
    return miniflare;
  });
  const key = `sk-hr-${randomBytes(24).toString('hex')}`;
  await fillDatabase(await worker.getD1Database('DB'), manifestText(upstreamOrigin), key);
  const origin = await worker.unsafeGetDirectURL();
  return { id: 'headrace', url: new URL('/v1/chat/completions', origin).href, key, pid, stop: () => worker.dispose() };
}

/** Bundles the Worker as it is deployed, behind an entry that only replaces `fetch`. */
async function bundleWorker(): Promise<string> {
  const bundle = await build({
    stdin: {
      contents: `import './network.ts'; export * from '#src/index'; export { default } from '#src/index';`,
      resolveDir: fileURLToPath(new URL('workers', import.meta.url)),
    },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
  });
  return bundle.outputFiles[0]?.text ?? '';
}

/** Writes the benchmark's manifest: the same upstream eight times, each a little dearer than the one before. */
function manifestText(upstreamOrigin: string): string {
  const endpoints = Array.from({ length: ENDPOINTS }, (_, index) => ({
    id: `bench-${index}`,
    provider: 'selfhosted',
    supply: (['selfhosted', 'subnet', 'centralized'] as const)[index % 3],
    model: BENCH_MODEL,
    url: `${upstreamOrigin}/v1`,
    context: 131_072,
    max_output: 16_384,
    max_concurrency: 10_000,
    price: { prompt: 0.02 + index * 0.01, completion: 0.06 + index * 0.03 },
    capabilities: ['tools', 'json_schema', 'seed', 'continuation'],
  }));
  const teams = [{ id: 'bench', budget: { usd: 1_000_000, per: 'month' } }];
  return JSON.stringify({ version: 1, endpoints, teams }); // JSON is YAML
}

async function fillDatabase(db: D1Database, text: string, key: string): Promise<void> {
  const files = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql'));
  const statements = files.toSorted().flatMap((name) => readFileSync(new URL(name, MIGRATIONS), 'utf8').split('--> statement-breakpoint'));
  await db.batch(statements.map((statement) => db.prepare(statement)));

  const parsed = parseManifest(text, {
    providers: new Map([...providers.values()].map(({ id, supply, baseUrl }) => [id, { supply, hasBaseUrl: baseUrl !== null }])),
    models: new Set(),
    allowedHosts: [ALLOWED_HOST],
    allowValues: true,
  });
  if (!parsed.ok) throw new Error(`the benchmark's manifest is wrong: ${parsed.errors[0]?.message}`);
  const { manifest } = parsed;
  const localKey = { hash: sha256Hex(key), label: keyLabel(key) };
  const rows = compileManifest({ manifest, cards: providers, catalogue: { models: [], offers: [] }, clientKeys: new Map(), localKey });
  await applyRows(db, rows, Date.now());
}
