/** The tutorial of docs/policies.md, copied out of the page and typed in as a reader would, from `cp` to `replay`. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pointAtDevnet, startLocalDevnet } from '#cli/dev/start-devnet';
import { startRouter, type Router } from '#cli/dev/start-router';
import type { Devnet } from '#devnet/devnet';
import { devnetSecrets } from '#devnet/secrets';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PAGE = readFileSync(path.join(ROOT, 'docs/policies.md'), 'utf8');
const SHELL = 'npx() { shift; "$NODE" "$ROOT/scripts/headrace.mjs" "$@"; }\n';
const run = promisify(execFile);

let devnet: Devnet;
let router: Router;
let folder: string;
beforeAll(async () => {
  devnet = await startLocalDevnet(() => {});
  folder = mkdtempSync(path.join(tmpdir(), 'headrace-tutorial-'));
  const manifestText = pointAtDevnet(readFileSync(path.join(ROOT, 'examples/local.yaml'), 'utf8'), devnet.url);
  mkdirSync(path.join(folder, 'examples'));
  writeFileSync(path.join(folder, 'examples/local.yaml'), manifestText);
  router = await startRouter({
    manifestText,
    stateDir: path.join(folder, '.wrangler/state'),
    environment: devnetSecrets(),
  });
});
afterAll(async () => {
  await router.stop();
  await devnet.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Receipts reach the database a second after their answer; a reader is slower than that. */
const WAIT = 'for i in $(seq 50); do npx headrace usage --team interns --json | grep -q "qwen/qwen3-8b" && break; sleep 0.2; done';

/** The commands of the blocks that are marked as the tutorial's: what follows a prompt, with its continued lines. */
function tutorial(): string {
  const blocks = PAGE.split('<!-- tutorial -->\n```console\n').slice(1);
  const commands = blocks.map((block) => commandsOf(block.slice(0, block.indexOf('```'))));
  return [...commands.slice(0, -1), WAIT, ...commands.slice(-1)].join('\n');
}

function commandsOf(block: string): string {
  const lines = block.split('\n').map((line) => {
    if (!line.startsWith('$ ')) return line;
    return `echo; echo "==> ${line.slice(2, 30).replaceAll(/[$"`]/g, '')}"\n${line.slice(2)}`;
  });
  return lines.join('\n');
}

it('gets a reader of docs/policies.md from a copied manifest to a refused request and a dry run over it', async () => {
  const file = path.join(folder, 'tutorial.sh');
  writeFileSync(file, `set -eu\n${SHELL}${tutorial().replaceAll('http://localhost:8787', router.url)}`);
  const { stdout } = await run('bash', [file], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, NODE: process.execPath, ROOT, HEADRACE_URL: router.url },
  });
  expect(stdout).toMatch(/headrace\.yaml: fine \(28 endpoints, 3 policies, 2 teams\)/);
  expect(stdout).toMatch(/\+ interns {2}policy: cheap, budget\.usd: 0\.001/);
  expect(stdout).toMatch(/applied version 2 \(teams \+1\)/);
  expect(stdout).toContain('[simulated by');
  expect(stdout).toMatch(/"code":402.*"insufficient_quota".*"of":"team","per":"day"/);
  expect(stdout).toMatch(/budget +\$0\.001 a day/);
  expect(stdout).toMatch(/first +interns +1 /);
  expect(stdout).toMatch(/Of 1 request 1 would go elsewhere and 0 be refused\./);
  expect(stdout).toMatch(/policy private \(version 1\)/);
});
