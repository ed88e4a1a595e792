import { describe, expect, it } from 'vitest';
import type { Context } from '#src/context';
import { createJobs } from '#src/jobs/run-jobs';
import { NOW_MS } from '#test/support/fake-clock';
import { openSqliteD1 } from '#test/support/sqlite-d1';

/** A context over an empty database, whose registry of boards answers as told. */
function contextOf(over: Partial<Context> = {}) {
  const sqlite = openSqliteD1();
  const lines: Record<string, unknown>[] = [];
  const asked: string[] = [];
  const board = (name: string) => {
    asked.push(name);
    return { known: async () => [] };
  };
  const context = {
    db: sqlite.db,
    now: () => NOW_MS,
    random: () => 0.5,
    secret: () => undefined,
    allowedHosts: [],
    board,
    log: (event: Record<string, unknown>) => lines.push(event),
    ...over,
  } as unknown as Context;
  return { context, sqlite, lines, asked };
}
const run = (context: Context) => createJobs(context).run(NOW_MS, () => undefined);

describe('scheduled jobs', () => {
  it('a job that fails is logged by name, without what the database said, and the others go on', async () => {
    const { context, sqlite, lines, asked } = contextOf();
    sqlite.behave('fails');
    await run(context);
    expect(lines).toEqual(
      ['roll_up', 'reconcile', 'check_journal', 'probes', 'prices', 'comparisons'].map((job) => ({
        event: 'job_failed',
        job,
        error: 'Error',
      })),
    );
    expect(asked).toEqual(['registry']);
  });

  it('R13: boards that do not answer fail the canaries alone', async () => {
    const { context, sqlite, lines } = contextOf({
      board: () => {
        throw new TypeError('secret internals');
      },
    });
    await run(context);
    expect(lines).toEqual([{ event: 'job_failed', job: 'canaries', error: 'TypeError' }]);
    const { results } = await sqlite.db.prepare("SELECT value FROM meta WHERE name = 'rolled_up_to_ms'").all();
    expect(results).toHaveLength(1);
  });

  it('HEADRACE_CANARIES=off keeps canaries at home', async () => {
    const { context, asked } = contextOf({ secret: (name) => (name === 'HEADRACE_CANARIES' ? 'off' : undefined) });
    await run(context);
    expect(asked).toEqual([]);
  });
});
