/** Scheduled work, once a minute. Each job fails alone. */
import type { Context } from '#src/context';
import { rollUp } from './roll-up.ts';

/** Runs every job that is due at `nowMs`. */
export async function runJobs(context: Context, nowMs: number): Promise<void> {
  const jobs = { roll_up: () => rollUp(context.db, nowMs) };
  for (const [name, job] of Object.entries(jobs)) {
    try {
      await job();
    } catch (error) {
      context.log({ event: 'job_failed', job: name, error: error instanceof Error ? error.name : 'unknown' });
    }
  }
}
