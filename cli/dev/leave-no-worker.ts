/** Ends workerd with the process that started it, however that went: nobody hears a SIGKILL, and workerd goes on on its port. */
import { spawn, type ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import path from 'node:path';

/** Waits for the end of its input, which is the end of whoever started it, and ends a process. */
const REAPER = 'read -r _; kill -9 "$1"';

let isWatching = false;

/** Sees to it that every workerd that this process starts from now on ends with it. POSIX only: elsewhere it does nothing. */
export function leaveNoWorker(): void {
  if (isWatching || process.platform === 'win32') return;
  isWatching = true;
  // Miniflare keeps the processes that it starts to itself; Node tells of every one.
  subscribe('child_process', (message) => {
    const { process: child } = message as { process: ChildProcess };
    child.once('spawn', () => {
      if (path.basename(child.spawnfile) === 'workerd') startReaper(child);
    });
  });
}

function startReaper(child: ChildProcess): void {
  // Of a session of its own: what ends our whole group must leave it its moment.
  const reaper = spawn('/bin/sh', ['-c', REAPER, 'sh', String(child.pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // Without a shell there is nothing to watch with, which is no reason not to run.
  reaper.on('error', () => {});
  reaper.unref();
  child.once('exit', () => reaper.kill('SIGKILL'));
}
