import { beforeEach, describe, expect, it } from 'vitest';
import { sweep } from '#src/jobs/sweep';
import { readQuarantines } from '#src/nodes/register/quarantine-store';
import { openSupply, type Supply } from '../nodes/staged-supply.ts';

const DAY_MS = 24 * 3_600_000;
/** Minute 23 of an hour. */
const NOW_MS = Date.UTC(2026, 10, 22, 12, 23);

const ATTEMPT = {
  provider_id: 'selfhosted',
  supply: 'selfhosted',
  started_at_ms: 1,
  duration_ms: 1,
  outcome: 'completed',
  prompt_tokens: 1,
  completion_tokens: 1,
  cost_nano_usd: 0,
};

let supply: Supply;
let lines: Record<string, unknown>[];

beforeEach(() => {
  supply = openSupply();
  lines = [];
});

const run = (nowMs = NOW_MS) => sweep({ db: supply.db, log: (event) => void lines.push(event) }, nowMs);

function event(endpointId: string, ageDays: number, fromState: string | null, toState: string): void {
  const row = { endpoint_id: endpointId, at_ms: NOW_MS - ageDays * DAY_MS, from_state: fromState, to_state: toState, actor: 'probe' };
  supply.insert('registration_events', row);
}

const idsOf = (table: string, column: string) => supply.rows(`select ${column} as id from ${table} order by 1`).map(({ id }) => id);

function retired(id: string, ageDays: number): void {
  supply.endpoint(id, { state: 'retired', sinceMs: NOW_MS - ageDays * DAY_MS });
}

describe('the hourly sweep', () => {
  it('takes lines of the history that are older than 90 days, but not the last one of an endpoint', async () => {
    for (const [age, from, to] of [
      [120, null, 'pending'],
      [110, 'pending', 'probing'],
      [100, 'probing', 'probation'],
    ] as const)
      event('rig', age, from, to);
    event('other', 200, null, 'pending');
    event('other', 89, 'pending', 'probing');
    await run();
    expect(supply.historyOf('rig')).toEqual(['probation']);
    expect(supply.historyOf('other')).toEqual(['probing']);
  });

  it('V3: forgets no quarantine: whoever was found out is known again after years', async () => {
    supply.endpoint('liar', { state: 'retired', nodeId: 'rig', sinceMs: NOW_MS - 1_000 * DAY_MS, failedProbes: 0 });
    event('liar', 1_200, null, 'pending');
    event('liar', 1_100, 'probation', 'quarantined');
    event('liar', 1_000, 'quarantined', 'retired');
    await run();
    expect(supply.historyOf('liar')).toEqual(['quarantined', 'retired']);
    const known = await readQuarantines(supply.db, {
      operatorId: 'op',
      ids: ['liar'],
      url: 'tunnel:rig',
      pathsDiffer: true,
      nowMs: NOW_MS,
    });
    expect(known).toMatchObject([{ endpointId: 'liar', modelId: expect.any(String) }]);
  });

  it('takes endpoints that have retired without having served, with all that was theirs, and no other', async () => {
    retired('spam', 401);
    retired('young', 399);
    retired('served', 500);
    supply.endpoint('standing', { state: 'active', sinceMs: 0 });
    event('spam', 401, 'pending', 'retired');
    supply.insert('offers', { endpoint_id: 'spam', valid_from_ms: 1, source: 'registered' });
    supply.insert('attempts', { receipt_id: 'gen-1', attempt_index: 0, endpoint_id: 'served', ...ATTEMPT });
    await run();
    expect(idsOf('registrations', 'endpoint_id')).toEqual(['served', 'standing', 'young']);
    expect(idsOf('endpoints', 'id')).toEqual(['served', 'standing', 'young']);
    expect([supply.historyOf('spam'), idsOf('offers', 'endpoint_id')]).toEqual([[], []]);
  });

  it('takes nodes that left 90 days ago once nothing names them, and tokens that expired 30 days ago', async () => {
    for (const id of ['gone', 'named', 'here']) supply.node(id);
    supply.exec(`update nodes set left_at_ms = ${NOW_MS - 91 * DAY_MS} where id <> 'here'`);
    supply.endpoint('named', { state: 'retired', nodeId: 'named', sinceMs: NOW_MS });
    for (const [hash, age] of [
      ['old', 31],
      ['late', 29],
    ] as const)
      supply.insert('join_tokens', { hash, operator_id: 'op', created_by: 'k', created_at_ms: 1, expires_at_ms: NOW_MS - age * DAY_MS });
    await run();
    expect(idsOf('nodes', 'id')).toEqual(['here', 'named']);
    expect(idsOf('join_tokens', 'hash')).toEqual(['late']);
  });

  it('takes the audit trail of more than 400 days ago, but no payment', async () => {
    for (const [id, action, age] of [
      ['a', 'key.create', 401],
      ['b', 'credits.add', 900],
      ['c', 'key.create', 399],
    ] as const)
      supply.insert('audit', { id, at_ms: NOW_MS - age * DAY_MS, actor: 'k', action, object: 'o', changes: '{}' });
    await run();
    expect(idsOf('audit', 'id')).toEqual(['b', 'c']);
  });

  it('takes a bounded number of rows, goes on in the next hour, and does nothing in between', async () => {
    for (let place = 0; place < 700; place++) event('busy', 100, null, 'pending');
    await run(NOW_MS + 60_000);
    expect(supply.historyOf('busy')).toHaveLength(700);
    await run();
    expect(supply.historyOf('busy')).toHaveLength(200);
    await run(NOW_MS + 3_600_000);
    expect(supply.historyOf('busy')).toHaveLength(1);
  });
});
