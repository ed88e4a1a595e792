/** Installs llama.cpp into this folder, once: the library and the one binary that this platform needs, not the 600 MB for every GPU. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const FOLDER = import.meta.dirname;
const STAMP = path.join(FOLDER, 'node_modules', '.headrace-install');
const INSTALL_MS_MAX = 300_000;

/** Node's platform and architecture → the package with llama.cpp's binary. */
const BINARIES: Readonly<Record<string, string>> = {
  'linux-x64': '@node-llama-cpp/linux-x64',
  'linux-arm64': '@node-llama-cpp/linux-arm64',
  'darwin-x64': '@node-llama-cpp/mac-x64',
  'darwin-arm64': '@node-llama-cpp/mac-arm64-metal',
  'win32-x64': '@node-llama-cpp/win-x64',
  'win32-arm64': '@node-llama-cpp/win-arm64',
};

/** Why the engine cannot be had here; null when it is there. */
export type Obstacle = string | null;

/** Tells whether the engine is installed as the lock file has it. */
export function isEngineInstalled(): boolean {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stampOf();
}

/** Installs the engine unless it is there. Says nothing; never rejects. */
export async function installEngine(): Promise<Obstacle> {
  if (isEngineInstalled()) return null;
  const platform = `${process.platform}-${process.arch}`;
  const binary = BINARIES[platform];
  if (binary === undefined) return `llama.cpp has no binary for ${platform}`;
  const { dependencies } = JSON.parse(readFileSync(path.join(FOLDER, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  // Without optional packages nothing comes for other platforms and GPUs, so the binary is asked for by name. Scripts would only look for it again.
  const { code, output } = await npm([
    'install',
    `${binary}@${dependencies['node-llama-cpp']}`,
    '--no-save',
    '--omit=optional',
    '--ignore-scripts',
    '--prefer-offline',
    '--fetch-retries=1',
    '--fetch-retry-maxtimeout=2000',
    '--fetch-retry-mintimeout=1000',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  if (code !== 0) return `npm could not install it: ${reasonIn(output)}`;
  writeFileSync(STAMP, stampOf());
  return null;
}

function stampOf(): string {
  return createHash('sha256')
    .update(readFileSync(path.join(FOLDER, 'package-lock.json')))
    .digest('hex');
}

/** Runs the npm that runs us, or the one on the path. */
function npm(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const own = process.env['npm_execpath'];
  const isOwn = own !== undefined && /npm-cli\.c?js$/.test(own);
  const [command, first] = isOwn ? [process.execPath, [own]] : ['npm', []];
  return new Promise((resolve) => {
    const child = spawn(command, [...first, ...args], {
      cwd: FOLDER,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: !isOwn && process.platform === 'win32',
      timeout: INSTALL_MS_MAX,
    });
    let output = '';
    const collect = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-8000));
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => resolve({ code: 1, output: error.message }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** Leaves out what an npm above us says of its own package: this one would install there. */
function environment(): NodeJS.ProcessEnv {
  const own = /^npm_(package_|lifecycle_|config_(local_prefix|prefix|global_prefix)$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
}

/** Finds npm's error code, or the first thing that it says. */
function reasonIn(output: string): string {
  const lines = output.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim());
  const said = lines.find((line) => line !== '' && !line.startsWith('npm warn')) ?? 'no reason given';
  return said.replace(/^code /, '');
}
