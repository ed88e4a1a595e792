import { describe, expect, it } from 'vitest';
import type { Caller } from '#src/admission/caller';
import { periodStarts, readKeyUsage } from '#src/admission/store';
import { openSqliteD1 } from '#test/support/sqlite-d1';

// A Wednesday.
const NOW_MS = Date.UTC(2026, 10, 18, 15, 30);
const CALLER: Caller = {
  keyId: 'k1',
  kind: 'inference',
  label: '',
  name: '',
  team: { id: 't1', policy: null, budget: null },
  keyPolicy: null,
  models: null,
  budget: null,
  createdAtMs: 0,
  expiresAtMs: null,
};

describe('what a key has spent', () => {
  it('counts periods from UTC midnight, Monday and the first', () => {
    expect(periodStarts(NOW_MS)).toEqual({ dayMs: Date.UTC(2026, 10, 18), weekMs: Date.UTC(2026, 10, 16), monthMs: Date.UTC(2026, 10, 1) });
    expect(periodStarts(Date.UTC(2026, 10, 22, 1)).weekMs).toBe(Date.UTC(2026, 10, 16));
  });

  it('sums the charges of that key and team alone', async () => {
    const d1 = openSqliteD1();
    const receipt = (id: string, atMs: number, chargedNanoUsd: number, more: object = {}) =>
      d1.insert('receipts', {
        id,
        team_id: 't1',
        key_id: 'k1',
        policy: 'p',
        policy_version: 1,
        created_at_ms: atMs,
        api: 'chat',
        stream: 0,
        state: 'completed',
        requested_model: 'm',
        model: 'm',
        usage_source: 'reported',
        prompt_tokens: 0,
        completion_tokens: 0,
        reasoning_tokens: 0,
        cache_read_tokens: 0,
        cache_write_tokens: 0,
        overhead_ms: 0,
        total_ms: 0,
        charged_nano_usd: chargedNanoUsd,
        absorbed_nano_usd: 0,
        held_nano_usd: 0,
        batch_id: 'b',
        plan: '{}',
        ...more,
      });
    receipt('1', NOW_MS, 1);
    receipt('2', Date.UTC(2026, 10, 16), 10);
    receipt('3', Date.UTC(2026, 10, 1), 100);
    receipt('4', Date.UTC(2026, 9, 1), 1000);
    receipt('5', NOW_MS, 7, { key_id: 'k2' });
    receipt('6', NOW_MS, 7, { team_id: 't2' });
    expect(await readKeyUsage(d1.db, CALLER, NOW_MS)).toEqual({
      totalNanoUsd: 1111,
      dailyNanoUsd: 1,
      weeklyNanoUsd: 11,
      monthlyNanoUsd: 111,
    });
    expect((await readKeyUsage(d1.db, { ...CALLER, team: null }, NOW_MS)).totalNanoUsd).toBe(0);
  });
});
