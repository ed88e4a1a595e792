/** Starts the whole Worker as a subject: local D1, the Account object, a team with a budget, and eight endpoints on the bench upstream. */
import path from 'node:path';
import { localKeys, type LocalKeys } from '#cli/dev/local-key';
import { migrate } from '#cli/dev/migrate';
import { resolveLocalKeys } from '#cli/dev/resolve-keys';
import { houseFacts, surroundings } from '#cli/house-facts';
import { LOCAL_HOSTS } from '#cli/local-hosts';
import { checkManifest } from '#cli/read-manifest';
import { startWorker, type Subject } from '#bench/subject';
import { BENCH_MESSAGES_MODEL, BENCH_MODEL } from '#bench/wire';
import { compileManifest } from '#src/manifest/compile';
import { applyRows } from '#src/manifest/store';

const ENDPOINTS = 8;
const MIGRATIONS = path.resolve(import.meta.dirname, '../schema/migrations');
const ENTRY = `export * from '#src/index'; export { default } from '#src/index';`;

/** Starts the router and makes it ready to answer. `inspectorPort` opens it to a profiler. */
export async function startHeadrace(upstreamOrigin: string, inspectorPort?: number): Promise<Subject> {
  const bindings = { HEADRACE_ALLOWED_HOSTS: LOCAL_HOSTS.join(','), HEADRACE_VERSION: 'bench' };
  const { origin, pid, db, stop } = await startWorker(ENTRY, bindings, inspectorPort);
  const keys = localKeys(null);
  await fillDatabase(await db(), manifestText(upstreamOrigin), keys);
  return { id: 'headrace', origin: origin.origin, key: keys.inference, pid, stop };
}

/** Writes the benchmark's manifest: the same upstream eight times, each a little dearer than the one before. */
function manifestText(upstreamOrigin: string): string {
  const supplies = ['selfhosted', 'subnet', 'centralized'];
  const endpoints = Array.from({ length: ENDPOINTS }, (_, index) => ({
    id: `bench-${index}`,
    supply: supplies[index % supplies.length],
    model: BENCH_MODEL,
    dialect: 'openai-chat',
    url: `${upstreamOrigin}/v1`,
    context: 131_072,
    max_output: 16_384,
    max_concurrency: 10_000,
    price: { prompt: 0.02 + index * 0.01, completion: 0.06 + index * 0.03 },
    capabilities: ['tools', 'json_schema', 'seed', 'continuation'],
  }));
  endpoints.push({ ...endpoints[0]!, id: 'bench-messages', model: BENCH_MESSAGES_MODEL, dialect: 'anthropic-messages' });
  const teams = [{ id: 'bench', budget: { usd: 1_000_000, per: 'month' } }];
  return JSON.stringify({ version: 1, endpoints, teams }); // JSON is YAML
}

async function fillDatabase(db: D1Database, text: string, keys: LocalKeys): Promise<void> {
  await migrate(db, MIGRATIONS);
  const manifest = checkManifest(text, 'bench manifest', surroundings(true, LOCAL_HOSTS));
  const rows = compileManifest({ manifest, ...houseFacts(), clientKeys: new Map(), localKeys: resolveLocalKeys(keys) });
  await applyRows(db, rows, Date.now());
}
