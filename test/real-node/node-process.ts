/** Runs `headrace node join` as an operator does: in a process of its own, with a key of its own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');

export interface NodeProcess {
  pid: number;
  /** Events that it has told, in order. */
  events: ({ event: string } & Record<string, unknown>)[];
  /** Resolves with the exit code. */
  exited: Promise<number | null>;
  /** Lets it drain and leave. */
  stop(): Promise<void>;
}

/** Starts the command, and resolves when its link is open. Rejects with what it says when it ends before. */
export function joinNode(flags: readonly string[]): Promise<NodeProcess> {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'headrace-node-'));
  const child = spawn(process.execPath, [MAIN, 'node', 'join', '--json', '--state-dir', stateDir, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const events: NodeProcess['events'] = [];
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => void (errors += chunk.toString()));
  void exited.then(() => rmSync(stateDir, { recursive: true, force: true }));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  return new Promise((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const event = JSON.parse(line) as NodeProcess['events'][number];
      events.push(event);
      if (event.event === 'linked') resolve({ pid: child.pid ?? 0, events, exited, stop });
    });
    void exited.then((code) => reject(new Error(`node join ended with ${code}: ${errors}${JSON.stringify(events)}`)));
  });
}
