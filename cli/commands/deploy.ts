/** `headrace deploy`: the Worker on Cloudflare, through wrangler. Creates the D1 database when it is missing, migrates, deploys. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import { withExamples } from '../options.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const WRANGLER = path.join(ROOT, 'node_modules/wrangler/bin/wrangler.js');
const DATABASE = 'headrace';
/** Stands in wrangler.toml, where each deployment has a database of its own. */
const LOCAL_DATABASE_ID = 'headrace-local';

/** What a new deployment needs before its first manifest. */
const AFTERWARDS = [
  '',
  'Secrets, once: npx wrangler secret put NAME',
  '  HEADRACE_ADMIN_KEY   sk-hr-mgmt- and 40 random characters: manages while no management key is stored; list it under management_keys',
  '  HEADRACE_SEAL_KEY    32 random bytes, hex (openssl rand -hex 32): seals the provider keys that teams bring',
  '  and every secret that the manifest names.',
  'Then: HEADRACE_KEY=sk-hr-mgmt-… npx headrace apply headrace.yaml --url https://YOUR-WORKER',
];

/** Adds the command that deploys. */
export function addDeployCommand(program: Command): void {
  const command = program
    .command('deploy')
    .description('deploy to Cloudflare: creates the D1 database if it is missing, migrates, deploys')
    .option('--dry-run', 'build only, into dist/', false)
    .action((options: { dryRun: boolean }) => deploy(options));
  withExamples(command, 'deploy --dry-run', 'deploy');
}

/** Deploys, or with `dryRun` only builds what would be deployed. Throws CommandError when wrangler fails; wrangler says why. */
async function deploy({ dryRun }: { dryRun: boolean }): Promise<void> {
  if (dryRun) return wrangler(['deploy', '--dry-run', '--outdir', 'dist']);
  const databaseId = await ensureDatabase();
  // Beside wrangler.toml, because wrangler reads `main` and `migrations_dir` relative to its file.
  const folder = mkdtempSync(path.join(ROOT, '.wrangler-deploy-'));
  const config = path.join(folder, 'wrangler.toml');
  try {
    const settings = readFileSync(path.join(ROOT, 'wrangler.toml'), 'utf8')
      .replace(LOCAL_DATABASE_ID, databaseId)
      .replace('main = "src/', 'main = "../src/')
      .replace('migrations_dir = "schema/', 'migrations_dir = "../schema/');
    writeFileSync(config, settings);
    await wrangler(['d1', 'migrations', 'apply', DATABASE, '--remote', '--config', config]);
    await wrangler(['deploy', '--config', config]);
    for (const line of AFTERWARDS) console.log(line);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ensureDatabase(): Promise<string> {
  const found = await findDatabase();
  if (found !== undefined) return found;
  await wrangler(['d1', 'create', DATABASE]);
  const created = await findDatabase();
  if (created === undefined) throw new CommandError(`the D1 database ${DATABASE} was created but is not listed; run the command again`);
  return created;
}

async function findDatabase(): Promise<string | undefined> {
  const output = await run(['d1', 'list', '--json'], 'pipe');
  try {
    const databases = JSON.parse(output) as { name: string; uuid: string }[];
    return databases.find((database) => database.name === DATABASE)?.uuid;
  } catch {
    throw new CommandError('wrangler did not list the databases; `npx wrangler whoami` says whether you are logged in');
  }
}

async function wrangler(args: string[]): Promise<void> {
  await run(args, 'inherit');
}

function run(args: string[], stdout: 'pipe' | 'inherit'): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WRANGLER, ...args], { cwd: ROOT, stdio: ['inherit', stdout, 'inherit'] });
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve(output) : reject(new CommandError(`wrangler ${args.slice(0, 2).join(' ')} failed`)),
    );
  });
}
