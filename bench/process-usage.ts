/** What a process has used so far, read from /proc; null on systems without it. */
import { readdirSync, readFileSync } from 'node:fs';

const TICK_MICROS = 10_000; // USER_HZ is 100 on every Linux that Node supports

/** Reads user plus system time of all threads, in microseconds. */
export function cpuMicros(pid: number | null): number | null {
  const fields = statFields(pid);
  return fields === null ? null : (Number(fields[11]) + Number(fields[12])) * TICK_MICROS;
}

/** Reads the resident set in megabytes (10⁶ bytes). */
export function rssMb(pid: number | null): number | null {
  if (pid === null) return null;
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? null : (Number(kibibytes) * 1_024) / 1_000_000;
  } catch {
    return null;
  }
}

/** Lists the direct children of a process; empty where /proc is missing. */
export function childPids(parentPid: number): number[] {
  try {
    const pids = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
    return pids.filter((pid) => Number(statFields(pid)?.[1]) === parentPid);
  } catch {
    return [];
  }
}

// The fields after the command, which is in brackets and may contain anything: state is 0, parent 1, utime 11, stime 12.
function statFields(pid: number | null): string[] | null {
  if (pid === null) return null;
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return line.slice(line.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
