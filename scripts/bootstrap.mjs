/**
 * What the commands need before anything of the house can run: dependencies, and a Node that runs TypeScript.
 * Plain JavaScript for Node 20, because it runs before either is there.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const LOCK = path.join(ROOT, 'package-lock.json');
const MODULES = path.join(ROOT, 'node_modules');
const STAMP = path.join(MODULES, '.headrace-install');
const SAY_EVERY_MS = 4000;
const PARENT_EVERY_MS = 250;

/** Oldest Node that runs `.ts` files without a flag. */
const NODE_MIN = [22, 18];

/**
 * Flags of every Node that the house starts. V8 13.6 can end the process (`Check failed: jit_page.has_value()`) when it frees
 * the code that it compiled for a busy call from WebAssembly to JavaScript, which is how `fetch` parses HTTP: none is compiled.
 */
export const NODE_FLAGS = ['--wasm-wrapper-tiering-budget=2147483647'];

/** Installs dependencies when they are missing or older than the lock file. Ends the process when that fails. */
export async function ensureInstalled() {
  const hash = createHash('sha256').update(readFileSync(LOCK)).digest('hex');
  if (isInstalled(hash)) return;
  const startedAtMs = Date.now();
  const stopSaying = sayProgress(startedAtMs);
  // Install scripts are not needed: binaries come in platform packages. NODE_ENV=production would leave out the tools.
  const flags = ['--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  let result = await npm(['ci', ...flags]);
  if (result.code !== 0) result = await npm(['install', '--no-save', ...flags]);
  stopSaying();
  if (result.code !== 0) {
    process.stderr.write(`${result.output.trim()}\nheadrace: npm could not install the dependencies\n`);
    process.exit(1);
  }
  writeFileSync(STAMP, hash);
  process.stderr.write(`✓ dependencies  ${seconds(startedAtMs)} s\n`);
}

function isInstalled(hash) {
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash) return true;
  // Installed by hand since the lock file changed: npm leaves this file, as new as its last run.
  const npmMark = path.join(MODULES, '.package-lock.json');
  if (!existsSync(npmMark) || statSync(npmMark).mtimeMs < statSync(LOCK).mtimeMs) return false;
  writeFileSync(STAMP, hash);
  return true;
}

/** Turns a spinner on a terminal; elsewhere says a line every few seconds. Returns what stops it. */
function sayProgress(startedAtMs) {
  const isTerminal = process.stderr.isTTY === true;
  const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
  let frame = 0;
  const say = () => {
    const text = `installing dependencies … ${seconds(startedAtMs)} s`;
    process.stderr.write(isTerminal ? `\r${frames[frame++ % frames.length]} ${text}` : `${text}\n`);
  };
  say();
  const timer = setInterval(say, isTerminal ? 100 : SAY_EVERY_MS);
  return () => {
    clearInterval(timer);
    if (isTerminal) process.stderr.write('\r\u001b[K');
  };
}

function seconds(startedAtMs) {
  return Math.round((Date.now() - startedAtMs) / 1000);
}

/** Runs the npm that runs us, or the one on the path. */
function npm(args) {
  const own = process.env.npm_execpath;
  const isOwn = own !== undefined && /npm-cli\.c?js$/.test(own);
  const [command, first] = isOwn ? [process.execPath, [own]] : ['npm', []];
  return new Promise((resolve) => {
    const child = spawn(command, [...first, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: !isOwn && process.platform === 'win32',
    });
    let output = '';
    const collect = (chunk) => (output = (output + chunk).slice(-8000));
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => resolve({ code: 1, output: String(error) }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** Finds the Node to run the house with: the one that came with the dependencies, or this one when it is new enough. */
export function findNode() {
  const { platform, arch } = process;
  const name = platform === 'win32' ? 'node.exe' : 'node';
  const folders = [`node-${platform === 'win32' ? 'win' : platform}-${arch}`, `node-bin-${platform}-${arch}`];
  const found = folders.map((folder) => path.join(MODULES, folder, 'bin', name)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return process.execPath;
  process.stderr.write(
    `headrace: no Node 24 for ${platform}-${arch} came with the dependencies; install Node ${NODE_MIN.join('.')} or newer\n`,
  );
  process.exit(1);
}

/** Environment in which `node` is the one found, so that tools which look for it find the same, and what it has compiled is kept: a command starts in half the time. */
export function environmentFor(node) {
  const separator = process.platform === 'win32' ? ';' : ':';
  return {
    NODE_COMPILE_CACHE: path.join(MODULES, '.cache', 'compiled'),
    ...process.env,
    PATH: [path.dirname(node), process.env.PATH ?? ''].join(separator),
    WRANGLER_SEND_METRICS: 'false',
  };
}

/**
 * Runs a `.ts` or `.js` file of the house with arguments, forwards signals, and ends this process with its exit code.
 * With `ownGroup` the file runs in a process group of its own, and whatever is left of the group when it ends is ended too;
 * such a file cannot ask questions on the terminal.
 */
export async function runFile(file, args, { ownGroup }) {
  await ensureInstalled();
  const node = findNode();
  const isGroup = ownGroup && process.platform !== 'win32';
  const child = spawn(node, [...NODE_FLAGS, file, ...args], {
    // The channel tells the child when this process is gone, however it went.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: environmentFor(node),
    detached: isGroup,
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  watchParent(() => child.kill('SIGTERM'));
  child.on('error', (error) => {
    process.stderr.write(`headrace: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (isGroup) endGroup(child.pid);
    process.exit(code ?? (signal === 'SIGINT' ? 130 : 1));
  });
}

/** Under npm the parent is a shell that dies of a signal without passing it on; its death is the signal then. */
function watchParent(onGone) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, PARENT_EVERY_MS);
  timer.unref();
}

function endGroup(group) {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // Nothing was left.
  }
}
