import { expect, it } from 'vitest';
import type { Context } from '#src/context';
import { runJobs } from '#src/jobs/run-jobs';
import { openSqliteD1 } from '#test/support/sqlite-d1';

it('a job that fails is logged by name, without what the database said', async () => {
  const sqlite = openSqliteD1();
  sqlite.behave('fails');
  const lines: Record<string, unknown>[] = [];
  await runJobs({ db: sqlite.db, log: (event: Record<string, unknown>) => lines.push(event) } as unknown as Context, 1_800_000_000_000);
  expect(lines).toEqual([{ event: 'job_failed', job: 'roll_up', error: 'Error' }]);
});
