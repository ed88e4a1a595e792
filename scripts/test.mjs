/**
 * `npm test`: everything that CI runs, step by step, each with its time. Ends with one line `N passed, N failed`:
 * every static step and every test counts as one. `npm test -- --only static|unit|flow|clients|real` runs a part.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureInstalled, environmentFor, findNode, NODE_FLAGS, ROOT } from './bootstrap.mjs';

const PARTS = ['static', 'unit', 'flow', 'clients', 'real'];

/** Exit code of `engine/llama/main.ts --install` where there is no network, or no binary for this platform. */
const ENGINE_IMPOSSIBLE = 3;

/** Steps without tests of their own: name, script of a dependency (or ours), arguments. */
const STATIC_STEPS = [
  ['types', 'node_modules/typescript/bin/tsc', ['--noEmit', '-p', '.']],
  ['lint and floors', 'node_modules/oxlint/bin/oxlint', ['--type-aware', '--quiet']],
  ['format', 'node_modules/oxfmt/bin/oxfmt', ['--check', '.']],
  ['generated files', 'scripts/generate.ts', ['--check']],
];

const only = readParts(process.argv.slice(2));
await ensureInstalled();
const node = findNode();
const scratch = mkdtempSync(path.join(tmpdir(), 'headrace-test-'));
const total = { passed: 0, failed: 0 };
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    process.exitCode = 1;
    only.length = 0;
  });

if (only.includes('static')) for (const [name, script, args] of STATIC_STEPS) await step(name, () => runStatic(script, args));
for (const project of ['unit', 'flow']) if (only.includes(project)) await step(`${project} tests`, () => runVitest(project));
// Both wait for other processes most of the time.
await Promise.all([only.includes('clients') && testClients(), only.includes('real') && testRealEngine()]);

rmSync(scratch, { recursive: true, force: true });
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : (process.exitCode ?? 0);

function readParts(args) {
  if (args.length === 0) return [...PARTS];
  const part = args[0] === '--only' ? args[1] : undefined;
  if (args.length === 2 && PARTS.includes(part)) return [part];
  console.error(`usage: npm test -- [--only ${PARTS.join('|')}]`);
  process.exit(1);
}

/** Runs one step, adds what it counted, and says how it went; its output is shown only when something failed. */
async function step(name, run) {
  const startedAtMs = Date.now();
  const { passed, failed, output, skipped = [] } = await run();
  total.passed += passed;
  total.failed += failed;
  if (failed > 0) console.log(output.trimEnd());
  const counts = passed + failed === 1 ? '' : `: ${passed} passed${failed > 0 ? `, ${failed} failed` : ''}`;
  console.log(`${failed > 0 ? '✗' : '✓'} ${name}${counts}  ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`);
  for (const title of skipped) console.log(`- ${title}`);
}

async function testClients() {
  await step('clients tests', () => runVitest('clients'));
  const args = ['--check', '--report', reportOf('clients')];
  await step('compatibility table', () => runStatic('scripts/compatibility.ts', args));
}

async function testRealEngine() {
  const obstacle = await installEngine();
  if (obstacle === null) await step('real engine tests', () => runVitest('real-node'));
  else if (obstacle.code === ENGINE_IMPOSSIBLE) console.log(`- real engine tests: skipped (${obstacle.output.trim().split('\n').at(-1)})`);
  else await step('real engine tests', () => ({ passed: 0, failed: 1, output: obstacle.output }));
}

/** Installs the engine of `engine/llama` unless it is there. Resolves with how that ended; null when it is there. */
async function installEngine() {
  if (!existsSync(path.join(ROOT, 'engine/llama/node_modules'))) console.log('… installing llama.cpp for the real engine tests (85 MB)');
  const result = await run('engine/llama/main.ts', ['--install']);
  return result.code === 0 ? null : result;
}

async function runStatic(script, args) {
  const { code, output } = await run(script, args);
  return { passed: Number(code === 0), failed: Number(code !== 0), output };
}

/** Runs one vitest project. A file that does not load, an error outside tests and a crash count as one failure each. */
async function runVitest(project) {
  const report = reportOf(project);
  const args = [
    'run',
    '--config',
    'vitest.config.ts',
    '--project',
    `${project}*`,
    '--reporter=dot',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const { code, output } = await run('node_modules/vitest/vitest.mjs', args);
  const result = readReport(report);
  if (result === undefined) return { passed: 0, failed: 1, output };
  const broken = result.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  );
  const failed = result.numFailedTests + broken.length;
  const titles = result.testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(({ ancestorTitles }) => ancestorTitles[0] ?? ''),
  );
  // Tests of something that is not installed say so in their title.
  const skipped = new Set(titles.filter((title) => title.includes(': skipped (')));
  return { passed: result.numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed, output, skipped };
}

function reportOf(project) {
  return path.join(scratch, `${project}.json`);
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function run(script, args) {
  return new Promise((resolve) => {
    const child = spawn(node, [...NODE_FLAGS, path.join(ROOT, script), ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...environmentFor(node), NO_COLOR: '1' },
    });
    running.add(child);
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    const end = (result) => {
      running.delete(child);
      resolve(result);
    };
    child.on('error', (error) => end({ code: 1, output: String(error) }));
    child.on('close', (code) => end({ code, output: Buffer.concat(chunks).toString('utf8') }));
  });
}
