/**
 * Engines that are nobody's dependency: a test that needs one looks for it, starts it, and is skipped with a reason where there is none.
 * `describe.skipIf(!engine.file)(engine.title, …)` says both.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { setPriority } from 'node:os';
import path from 'node:path';
import { findFreePort } from '#test/support/free-port';

export interface FoundEngine {
  /** Absolute; empty where there is none. */
  file: string;
  /** Name for the title of a test, with the reason where there is none. */
  title: string;
}

/** Looks for an engine: in the environment variable, which must be right when it is set, then on PATH. */
export function findEngine(command: string, variable: string): FoundEngine {
  const named = process.env[variable] ?? '';
  if (named !== '') {
    if (!isExecutable(named)) throw new Error(`${variable} names ${named}, which cannot be run`);
    return { file: path.resolve(named), title: command };
  }
  const onPath = (process.env.PATH ?? '').split(path.delimiter).map((directory) => path.resolve(directory, command));
  const file = onPath.find(isExecutable) ?? '';
  return { file, title: file === '' ? `${command}: skipped (none on PATH, and ${variable} is not set)` : command };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

export interface StartOptions {
  /** Arguments, given the port to listen on at 127.0.0.1. */
  args(port: number): string[];
  env?: Readonly<Record<string, string>>;
  /** Answers 200 once the engine serves. */
  readyPath?: string;
  /** Any free one unless a test says which. */
  port?: number;
  readyMsMax?: number;
}

export interface StartedEngine {
  url: string;
  port: number;
  pid: number;
  /** The end of what it has printed. */
  output(): string;
  exited: Promise<number | null>;
  /** Ends it and what it has started, politely for a while. */
  stop(): Promise<void>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
}

const READY_MS_MAX = 60_000;
const POLL_MS = 50;
const GOODBYE_MS_MAX = 5_000;
const OUTPUT_CHARS_MAX = 4_000;
/** Engines are the background of a test: what is measured beside them comes first. */
const NICENESS = 10;

/** Starts an engine and resolves when it serves. Rejects with the end of what it has said where it does not come up. */
export async function startEngine(file: string, options: StartOptions): Promise<StartedEngine> {
  const { args, env = {}, readyPath = '/health', port = await findFreePort(), readyMsMax = READY_MS_MAX } = options;
  // A group of its own: engines start workers, which must not outlive them.
  const child = spawn(file, args(port), { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: { ...process.env, ...env } });
  let output = '';
  let isOver = false;
  for (const pipe of [child.stdout, child.stderr])
    pipe.on('data', (chunk: Buffer) => void (output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX)));
  const exited = new Promise<number | null>((resolve) => {
    child.once('error', (error) => (output += error.message));
    child.once('close', (code) => {
      isOver = true;
      process.off('exit', killGroup);
      resolve(code);
    });
  });
  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined && !isOver) process.kill(-child.pid, signal);
    } catch {
      // It has just gone.
    }
  };
  const killGroup = (): void => signalGroup('SIGKILL');
  process.once('exit', killGroup);
  if (child.pid !== undefined) setPriority(child.pid, NICENESS);

  const started: StartedEngine = {
    url: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    async stop() {
      signalGroup('SIGTERM');
      const timer = setTimeout(killGroup, GOODBYE_MS_MAX);
      await exited;
      clearTimeout(timer);
    },
    async kill() {
      killGroup();
      await exited;
    },
  };
  for (const giveUpAtMs = performance.now() + readyMsMax; ; await new Promise((resolve) => setTimeout(resolve, POLL_MS))) {
    const status = await fetch(`${started.url}${readyPath}`).then(statusOf, () => null);
    if (status === 200) return started;
    if (!isOver && performance.now() < giveUpAtMs) continue;
    await started.kill();
    throw new Error(`${path.basename(file)} did not come up: ${output.trim() || 'it said nothing'}`);
  }
}

async function statusOf(response: Response): Promise<number> {
  await response.body?.cancel();
  return response.status;
}
