/** A migrated D1 to apply manifests to, and what tests ask of it. */
import path from 'node:path';
import { Miniflare } from 'miniflare';
import { migrate } from '#cli/dev/migrate';
import { workerOptions } from '#cli/dev/worker-options';
import { keyId } from '#src/manifest/compile';
import type { Change } from '#schema/change';
import type { DeploymentRows } from '#src/manifest/deployment-rows';
import { applyRows, planApply, type ApplyOptions, type ApplyPlan } from '#src/manifest/store';

const script =
  "import { DurableObject } from 'cloudflare:workers'; export class Account extends DurableObject {} export class HealthBoard extends DurableObject {} export class NodeLink extends DurableObject {} export default { fetch: () => new Response('stub') };";
const TABLES = [
  'meta',
  'teams',
  'keys',
  'policies',
  'providers',
  'models',
  'aliases',
  'endpoints',
  'offers',
  'claims',
  'receipts',
  'journal',
  'audit',
  'manifests',
  'policy_versions',
];

/** A small deployment with something of every kind. */
export const MANIFEST = `version: 1
defaults: { policy: balanced }
aliases: { small: qwen/qwen3-8b }
policies: { balanced: {}, cheap: { extends: balanced, optimize: price } }
endpoints: [{ id: rig, model: qwen/qwen3-8b, url: http://127.0.0.1:1/v1, price: { prompt: 1, completion: 2 }, hardware: { gpu: rtx-4090 } }]
teams: [{ id: demo, keys: [{ name: ci, secret: CI_KEY }] }]`;
export const clientKeys = new Map([[keyId('demo', 'ci'), { hash: 'a'.repeat(64), label: 'sk-hr-ab…yz' }]]);

type Over = Partial<ApplyOptions>;

export interface Database {
  db: D1Database;
  /** Works out what applying rows would do. */
  plan(rows: DeploymentRows, nowMs: number, over?: Over): Promise<ApplyPlan>;
  /** Applies rows and tells what has changed. */
  apply(rows: DeploymentRows, nowMs: number, over?: Over): Promise<Change[]>;
  /** Every row, by table. */
  dump(): Promise<Record<string, unknown[]>>;
  /** Empties all tables. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

/** Opens an empty database in workerd. Stop it when done. */
export async function openDatabase(): Promise<Database> {
  const miniflare = new Miniflare(workerOptions({ script, port: 0, stateDir: null, bindings: {}, log: () => {} }));
  const db = (await miniflare.getD1Database('DB')) as unknown as D1Database;
  await migrate(db, path.resolve(import.meta.dirname, '../../../schema/migrations'));
  return {
    db,
    plan: (rows, nowMs, over = {}) => planApply(db, rows, optionsOf(rows, nowMs, over)),
    apply: async (rows, nowMs, over = {}) => (await applyRows(db, rows, optionsOf(rows, nowMs, over))).changes,
    async dump() {
      const results = await db.batch(TABLES.map((table) => db.prepare(`SELECT * FROM ${table}`)));
      return Object.fromEntries(results.map((result, index) => [TABLES[index], result.results]));
    },
    async clear() {
      await db.batch(TABLES.map((table) => db.prepare(`DELETE FROM ${table}`)));
    },
    stop: () => miniflare.dispose(),
  };
}

/** What goes with rows; texts differ with them, as those of manifests do. */
function optionsOf(rows: DeploymentRows, nowMs: number, over: Over): ApplyOptions {
  return { nowMs, actor: 'key-admin', auditId: `audit-${nowMs}`, text: JSON.stringify(rows), holdsKeys: false, prune: false, ...over };
}

/** Says what happens to objects of one kind: `add rig`. */
export function idsOf(changes: readonly Change[], object: string): string[] {
  return changes.filter((change) => change.object === object).map(({ action, id }) => `${action} ${id}`);
}
