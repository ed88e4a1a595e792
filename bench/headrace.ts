/** Starts the whole Worker as a subject: local D1, Account objects, a team with a budget and teams to compare, and eight endpoints on the bench upstream. */
import path from 'node:path';
import { localKeys, type LocalKeys } from '#cli/dev/local-key';
import { migrate } from '#cli/dev/migrate';
import { requireClientKeys, resolveLocalKeys } from '#cli/dev/resolve-keys';
import { houseFacts, surroundings } from '#src/house-facts';
import { LOCAL_HOSTS } from '#cli/local-hosts';
import { checkManifest } from '#cli/manifest/read-manifest';
import { startWorker, TEAM_IDS, type Subject } from '#bench/subject';
import { BENCH_MESSAGES_MODEL, BENCH_MODEL } from '#bench/wire';
import { compileManifest } from '#src/manifest/compile';
import { applyRows } from '#src/manifest/store';

const ENDPOINTS = 8;
const MIGRATIONS = path.resolve(import.meta.dirname, '../schema/migrations');
const ENTRY = `export * from '#src/index'; export { default } from '#src/index';`;

/** Larger than anything that a run can use up. */
const BUDGET = { usd: 1_000_000, per: 'month' };
const LIMITS = { requests_per_minute: 1_000_000_000, tokens_per_minute: 1_000_000_000_000, concurrent: 1_000_000 };
const TEAM_KEYS = { unbounded: 'sk-hr-bench-unbounded-0000', bounded: 'sk-hr-bench-bounded-000000' };

/** Starts the router and makes it ready to answer: the subject itself first, then its other teams. `inspectorPort` opens it to a profiler. */
export async function startHeadrace(upstreamOrigin: string, inspectorPort?: number): Promise<Subject[]> {
  const bindings = { HEADRACE_ALLOWED_HOSTS: LOCAL_HOSTS.join(','), HEADRACE_VERSION: 'bench' };
  const { origin, pid, db, stop } = await startWorker(ENTRY, bindings, inspectorPort);
  const keys = localKeys(null);
  await fillDatabase(await db(), manifestText(upstreamOrigin), keys);
  const headrace: Subject = { id: 'headrace', origin: origin.origin, key: keys.inference, pid, stop };
  return [headrace, ...TEAM_IDS.map((id) => ({ ...headrace, id, key: TEAM_KEYS[id], stop: async () => {} }))];
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
  const teams = [
    { id: 'bench', budget: BUDGET },
    { id: 'unbounded', keys: [{ name: 'key', value: TEAM_KEYS.unbounded }] },
    { id: 'bounded', budget: BUDGET, limits: LIMITS, keys: [{ name: 'key', value: TEAM_KEYS.bounded, budget: BUDGET, limits: LIMITS }] },
  ];
  return JSON.stringify({ version: 1, endpoints, teams }); // JSON is YAML
}

/** Migrates a database and applies a manifest to it. */
export async function fillDatabase(db: D1Database, text: string, keys: LocalKeys): Promise<void> {
  await migrate(db, MIGRATIONS);
  const manifest = checkManifest(text, 'bench manifest', surroundings(true, LOCAL_HOSTS));
  const { keys: clientKeys } = requireClientKeys(manifest, {});
  const rows = compileManifest({ manifest, ...houseFacts(), clientKeys, localKeys: resolveLocalKeys(keys) });
  await applyRows(db, rows, { nowMs: Date.now(), actor: 'bench', auditId: 'bench', text, holdsKeys: false, prune: false });
}
