/**
 * Writes docs/compatibility.md from what the tests in test/clients gave: client × operation × result.
 * `--report FILE` takes the results of a run that has been (vitest's JSON reporter) instead of running the tests.
 * `--check` writes nothing and exits with 1 when the table is out of date.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = path.resolve(import.meta.dirname, '..');
const TABLE = path.join(ROOT, 'docs/compatibility.md');

/** The part of vitest's JSON report that is read. */
interface Report {
  testResults: { name: string; assertionResults: { ancestorTitles: string[]; title: string; status: string }[] }[];
}

/** One promise that was tried. Titles follow the convention of test/support/client-name.ts. */
interface Trial {
  client: string;
  operation: string;
  promise: string;
  works: boolean;
}

/** Hazard ids are for those who read the tests. */
const HAZARD_IDS = /^[A-Z]\d+(?:, [A-Z]\d+)*: /;

const INTRODUCTION = `# Compatibility

Every client here is the published one, unchanged: only its base URL and key are set, and its retries where something else is tried.
The tests in \`test/clients\` run it against the whole Worker with scripted upstreams; this page is made of their results by
\`npm run compatibility\`, and \`npm test\` fails when it is out of date.
`;

function readTrials({ testResults }: Report): Trial[] {
  const files = testResults.toSorted((one, other) => one.name.localeCompare(other.name));
  return files.flatMap(({ assertionResults }) =>
    assertionResults.map(({ ancestorTitles: [client = '', operation = ''], title, status }) => ({
      client,
      operation,
      promise: title.replace(HAZARD_IDS, ''),
      works: status === 'passed',
    })),
  );
}

function writePage(trials: readonly Trial[]): string {
  const clients = Map.groupBy(trials, ({ client }) => client);
  const sections = [...clients].map(([client, its]) => `## ${client}\n\n${tableOf(its)}`);
  return `${[INTRODUCTION, summaryOf(clients), ...sections].join('\n')}`;
}

function summaryOf(clients: ReadonlyMap<string, readonly Trial[]>): string {
  const rows = [...clients].map(([client, its]) => {
    const operations = new Set(its.map(({ operation }) => operation));
    return [client, String(operations.size), `${its.filter(({ works }) => works).length} of ${its.length}`];
  });
  return toTable(['client', 'operations', 'promises kept'], rows);
}

function tableOf(trials: readonly Trial[]): string {
  const operations = Map.groupBy(trials, ({ operation }) => operation);
  const rows = [...operations].flatMap(([operation, its]) =>
    its.map(({ promise, works }, index) => [index === 0 ? `\`${operation}\`` : '', promise, works ? 'works' : '**fails**']),
  );
  return toTable(['operation', 'promise', 'result'], rows);
}

function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return [head, head.map(() => '---'), ...rows].map(line).join('');
}

/** Runs the tests and returns their report; failures are part of it. */
function runClients(): Report {
  const scratch = mkdtempSync(path.join(tmpdir(), 'headrace-clients-'));
  const file = path.join(scratch, 'report.json');
  const vitest = path.join(ROOT, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${file}`];
  try {
    spawnSync(process.execPath, [vitest, 'run', '--project', 'clients', ...reporters], { cwd: ROOT, stdio: 'inherit' });
    return readReport(file);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function readReport(file: string): Report {
  return JSON.parse(readFileSync(file, 'utf8')) as Report;
}

const { values: flags } = parseArgs({ options: { report: { type: 'string' }, check: { type: 'boolean' } } });
const page = writePage(readTrials(flags.report === undefined ? runClients() : readReport(flags.report)));
if (flags.check !== true) writeFileSync(TABLE, page);
else if (readFileSync(TABLE, 'utf8') !== page) {
  console.error('docs/compatibility.md is not what the tests gave; run `npm run compatibility` and commit the result');
  process.exitCode = 1;
}
