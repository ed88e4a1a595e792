/** Runs the engine in a process of its own, for tests and for `npm start`. */
import { spawn } from 'node:child_process';
import path from 'node:path';

const MAIN = path.join(import.meta.dirname, 'main.ts');
const START_MS_MAX = 120_000;
/** What it says when it serves. */
const READY = /^ready (http:\/\/127\.0\.0\.1:\d+)$/m;

export interface RunningEngine {
  /** Such as `http://127.0.0.1:43001`. */
  url: string;
  /** What it has printed on its way up. */
  output: string;
  pid: number;
  /** Resolves with the exit code; null where a signal has ended it. */
  exited: Promise<number | null>;
  /** Lets it finish what it is saying, and resolves when it is gone. */
  stop(): Promise<void>;
}

/** Starts the engine with its command's flags, on any free port unless one is given. Rejects with what it says where it does not come up. */
export function spawnEngine(flags: readonly string[] = []): Promise<RunningEngine> {
  // The channel ends it when this process is gone, however it went.
  const child = spawn(process.execPath, [MAIN, '--port', '0', ...flags], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX);
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const url = READY.exec(output)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve({ url, output, pid: child.pid ?? 0, exited, stop });
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', reject);
    void exited.then(() => reject(new Error(output.trim() || 'the engine has ended before it was ready')));
  });
}
