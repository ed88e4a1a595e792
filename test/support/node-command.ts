/** `headrace node join` as a child process, with its events at hand. */
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');

/** One line of `--json`. */
export type JsonEvent = { event: string } & Record<string, unknown>;

export interface NodeCommand {
  child: ChildProcess;
  events: JsonEvent[];
  /** What it has said on stderr. */
  err(): string;
  /** Waits for an event; one that has come already counts. Rejects when the process ends without it. */
  until(isIt: (event: JsonEvent) => boolean): Promise<JsonEvent>;
  /** Waits for the end. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Ends it at once, if it still runs. */
  kill(): Promise<void>;
}

/** Starts `headrace node join --json` with more arguments. */
export function startNode(...args: string[]): NodeCommand {
  const child = spawn(process.execPath, [MAIN, 'node', 'join', '--json', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const events: JsonEvent[] = [];
  const waiting = new Set<() => void>();
  let [out, err, isOver] = ['', '', false];
  const wake = (): void => waiting.forEach((look) => look());
  child.stdout.on('data', (bytes: Buffer) => {
    const lines = (out + bytes.toString()).split('\n');
    out = lines.pop() ?? '';
    for (const line of lines) events.push(JSON.parse(line) as JsonEvent);
    wake();
  });
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => {
      isOver = true;
      wake();
      resolve({ code, signal });
    });
  });
  return {
    child,
    events,
    err: () => err,
    ended,
    until: (isIt) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = events.find(isIt);
          if (found === undefined && !isOver) return;
          waiting.delete(look);
          if (found !== undefined) resolve(found);
          else reject(new Error(`the node command ended: ${err || out || JSON.stringify(events.at(-1))}`));
        };
        waiting.add(look);
        look();
      }),
    async kill() {
      if (!isOver) child.kill('SIGKILL');
      await ended;
    },
  };
}
