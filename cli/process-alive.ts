/** Whether a process runs on this machine. */
import { readFileSync } from 'node:fs';

/** Tells whether a process runs. One that has died but was not collected yet by its parent does not, where the system tells (Linux). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process is alive all the same.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return process.platform !== 'linux' || !isZombie(pid);
}

/** Reads the state behind the name, which may hold anything: `4711 (node) Z 1 …`. proc_pid_stat(5). */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^\) [ZX]/.test(stat.slice(stat.lastIndexOf(')')));
  } catch {
    // It has gone meanwhile, or the system does not say: then the signal's word stands.
    return false;
  }
}
