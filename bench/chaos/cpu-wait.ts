/** How long a process was ready to run and no processor was free, read from /proc; null on systems without it. */
import { readdirSync, readFileSync } from 'node:fs';

const NANOS_PER_MS = 1e6;

/** Reads the wait of the thread that has waited most, in milliseconds since it began: a Worker runs on one thread. */
export function cpuWaitMs(pid: number | null): number | null {
  if (pid === null) return null;
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return Math.max(...threads.map((thread) => waitedNanos(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')))) / NANOS_PER_MS;
  } catch {
    return null;
  }
}

/** Reads the second of three numbers: time on a processor, time waiting for one, slices. */
function waitedNanos(schedstat: string): number {
  return Number(schedstat.split(' ')[1] ?? 0);
}
