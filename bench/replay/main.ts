/** `npm run bench:replay`: how fast recorded requests are planned again, through the real router and the real command. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { runCommand, tell } from '#bench/command';
import { startRouter, type Router } from '#cli/dev/start-router';
import { stopBundler } from '#cli/dev/bundle';
import { devnetSecrets } from '#devnet/secrets';
import { createClient } from '#cli/router/client';
import type { ReplayReport } from '#cli/replay/report';
import { readCatalogFeed, toGround } from '#cli/replay/ground';
import { DAY_MS } from '#schema/budget-period';
import { toStoredDocument } from '#src/manifest/lineage';
import { toReceiptRow } from '#src/ledger/rows';
import { writeBatches } from '#src/ledger/store';
import { HELP, parseFlags, type ReplayBenchFlags } from './flags.ts';
import { makeTraffic, type TrafficWorld } from './traffic.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SPAN_DAYS = 7;
/** Receipts in one write: about half of what D1 takes as one value. */
const BATCH_CHARS_MAX = 1_000_000;
const TEAMS = [
  { id: 'demo', policy: 'balanced' },
  { id: 'clinic', policy: 'private' },
  { id: 'students', policy: 'cheap' },
  { id: 'visitors', policy: null },
];
/** What is tried: everybody saves. */
const TRIED = 'cheap';
const REPORT_BYTES_MAX = 64 * 1024 * 1024;

/** Rates are requests per second of the whole command, start and report included. */
interface ReplayBenchReport {
  /** Nobody has made these requests. */
  simulated: true;
  requests: number;
  seconds: number;
  requestsPerSecond: number;
  /** Bytes of the stored plans, on average. */
  planBytes: number;
  fillSeconds: number;
  /** What the replay found; a replay of the policies as they are found nothing. */
  changed: number;
  refused: number;
  newlyServed: number;
  faithfulShare: number;
}

const stops: (() => Promise<void>)[] = [];

async function start(): Promise<Router> {
  const example = parse(readFileSync(path.join(ROOT, 'examples/local.yaml'), 'utf8')) as Record<string, unknown>;
  const teams = TEAMS.map(({ id, policy }) => ({ id, ...(policy !== null && { policy }) }));
  // JSON is YAML.
  const router = await startRouter({ manifestText: JSON.stringify({ ...example, teams }), stateDir: null, environment: devnetSecrets() });
  stops.push(() => router.stop());
  await stopBundler();
  return router;
}

async function worldOf(router: Router): Promise<TrafficWorld> {
  const client = createClient({ url: router.url, key: router.managementKey });
  const ground = toGround(readCatalogFeed(await client.get('/catalog')));
  const { policies, defaults } = router.manifest;
  const stored = Object.keys(policies).map((name) => ({ name, version: 1, document: toStoredDocument(name, policies) }));
  const book = { policies: new Map(stored.map((policy) => [policy.name, policy])), defaultName: defaults.policy ?? null };
  return { ...ground, book, teams: TEAMS };
}

/** Writes the receipts and gives the mean size of their plans. */
async function fill(router: Router, { requests, seed }: ReplayBenchFlags): Promise<number> {
  const db = await router.db();
  const world = await worldOf(router);
  const untilMs = Date.now();
  let rows: string[] = [];
  let chars = 0;
  let planBytes = 0;
  let batches = 0;
  const flush = async (): Promise<void> => {
    await writeBatches(db, [{ batchId: `simulated-${batches++}`, receipts: rows.join(','), attempts: '', journal: '' }], untilMs);
    rows = [];
    chars = 0;
  };
  for (const receipt of makeTraffic(world, { requests, seed, fromMs: untilMs - SPAN_DAYS * DAY_MS, untilMs })) {
    const columns = toReceiptRow(receipt, `simulated-${batches}`);
    const row = JSON.stringify(columns);
    rows.push(row);
    chars += row.length;
    planBytes += JSON.stringify(columns.find((value) => typeof value === 'object' && value !== null)).length;
    if (chars > BATCH_CHARS_MAX) await flush();
  }
  if (rows.length > 0) await flush();
  return Math.round(planBytes / requests);
}

async function replay(router: Router): Promise<{ report: ReplayReport; seconds: number }> {
  const startedAtMs = performance.now();
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [path.join(ROOT, 'cli/main.ts'), 'replay', '--policy', TRIED, '--since', `${SPAN_DAYS + 1}d`, '--json'],
    { env: { ...process.env, HEADRACE_URL: router.url, HEADRACE_KEY: router.managementKey }, maxBuffer: REPORT_BYTES_MAX },
  );
  return { report: JSON.parse(stdout) as ReplayReport, seconds: (performance.now() - startedAtMs) / 1000 };
}

async function run(flags: ReplayBenchFlags): Promise<ReplayBenchReport> {
  tell('starting the router');
  const router = await start();
  tell(`writing ${flags.requests} simulated receipts`);
  const filledAtMs = performance.now();
  const planBytes = await fill(router, flags);
  const fillSeconds = (performance.now() - filledAtMs) / 1000;
  tell('replaying');
  const { report, seconds } = await replay(router);
  const { same_catalogue: same, other_catalogue: other } = report.fidelity;
  return {
    simulated: true,
    requests: report.replayed,
    seconds: rounded(seconds),
    requestsPerSecond: Math.round(report.replayed / seconds),
    planBytes,
    fillSeconds: rounded(fillSeconds),
    changed: report.total.changed,
    refused: report.total.refused,
    newlyServed: report.total.newly_served,
    faithfulShare: (same.same_first + other.same_first) / Math.max(1, report.replayed),
  };
}

function rounded(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}

await runCommand<ReplayBenchFlags, ReplayBenchReport>({
  name: 'bench:replay',
  help: HELP,
  parseFlags,
  run,
  toTable: (report) =>
    Object.entries(report)
      .map(([name, value]) => `${name.padEnd(20)}${String(value)}`)
      .join('\n'),
  isSound: ({ faithfulShare, requests }) => requests > 0 && faithfulShare === 1,
  stopAll: async () => {
    await Promise.allSettled(stops.splice(0).map((stop) => stop()));
  },
});
