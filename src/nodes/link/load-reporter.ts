/** Tells the health boards how loaded a node is: what is newest, and never more than once a second. */
import type { NodeLoadReport } from '#schema/node-load-report';
import type { ToldLoad } from './load-header.ts';

const INTERVAL_MS = 1_000;

export interface LoadReporterPorts {
  now(): number;
  pause(ms: number): Promise<void>;
  /** Endpoints that stand on the node. */
  endpoints(): Promise<NodeLoadReport['endpoints']>;
  send(report: NodeLoadReport): Promise<void>;
}

export interface LoadReporter {
  /**
   * Reports a load, a moment later where one was reported just now; of several that wait, the newest. A node that turns idle says so once, and
   * then nothing: its last word must not be lost. Never rejects: the next report makes up for one that is.
   */
  report(told: ToldLoad): Promise<void>;
  /** Reports that nothing is known any more. */
  unknown(): Promise<void>;
}

/** Creates the reporter of one node. */
export function createLoadReporter({ now, pause, endpoints, send }: LoadReporterPorts): LoadReporter {
  let reportedAtMs = -Infinity;
  let newest: ToldLoad | null = null;
  let isWaiting = false;

  async function tell({ load, atMs }: ToldLoad): Promise<void> {
    reportedAtMs = now();
    try {
      const standing = await endpoints();
      if (standing.length > 0) await send({ load, ageMs: Math.max(0, now() - atMs), endpoints: standing });
    } catch {
      // See above.
    }
  }

  return {
    async report(told) {
      newest = told;
      if (isWaiting) return;
      const waitMs = Math.min(INTERVAL_MS, reportedAtMs + INTERVAL_MS - now());
      if (waitMs > 0) {
        isWaiting = true;
        await pause(waitMs);
        isWaiting = false;
      }
      const due = newest;
      newest = null;
      if (due !== null) await tell(due);
    },
    unknown() {
      newest = null;
      return tell({ load: null, atMs: now() });
    },
  };
}
