import { describe, expect, test } from 'vitest';
import type { Cap, Quota, QuotaUnit } from '#schema/quota';
import { refusalOf } from '#src/ledger/refusal';

const NOW_MS = Date.parse('2026-11-22T12:00:18Z');
const SIZE = { nanoUsd: 1000, tokens: 500 };

function refuse(id: string, unit: QuotaUnit, cap: Cap, prepaid = false) {
  const quota: Quota = { id, unit, caps: [cap] };
  return refusalOf(quota, { cap, prepaid, remaining: 0 }, SIZE, NOW_MS);
}

describe('a refusal for want of money', () => {
  test('says whose budget it is, for which period, and when it begins anew', () => {
    const ofTeam = refuse('team/nano_usd', 'nano_usd', { amount: 5000, period: 'month' });
    expect(ofTeam).toMatchObject({ code: 'insufficient_budget', status: 402 });
    expect(ofTeam.message).toContain("The team's budget for this month does not cover the worst case of this request.");
    expect(ofTeam.message).toContain('It begins anew at 2026-12-01T00:00:00.000Z.');
    expect(ofTeam.metadata).toEqual({ limit: 'budget', of: 'team', per: 'month', resets_at: '2026-12-01T00:00:00.000Z' });

    const ofKey = refuse('key:k1/nano_usd', 'nano_usd', { amount: 5000, period: 'day' });
    expect(ofKey.message).toContain("This key's budget for this day");
    expect(ofKey.metadata).toMatchObject({ of: 'key', resets_at: '2026-11-23T00:00:00.000Z' });
  });

  test('promises no new beginning where there is none', () => {
    const refused = refuse('team/nano_usd', 'nano_usd', { amount: 5000, period: 'total' });
    expect(refused.message).not.toContain('anew');
    expect(refused.metadata).toMatchObject({ resets_at: null });
  });

  test('says that waiting is of no use for a request that costs more than the whole budget', () => {
    const refused = refuse('team/nano_usd', 'nano_usd', { amount: 999, period: 'day' });
    expect(refused.message).toContain('however little of it is spent');
    expect(refused.message).not.toContain('anew');
  });

  test('speaks of credits where the team pays ahead', () => {
    const refused = refuse('team/nano_usd', 'nano_usd', { amount: 5000, period: 'total' }, true);
    expect(refused.message).toContain("The team's credits do not cover");
    expect(refused.metadata).toMatchObject({ limit: 'credits' });
  });
});

describe('R19: a refusal at a limit of the caller', () => {
  test('says which, and when the minute is over', () => {
    const refused = refuse('team/requests', 'requests', { amount: 600, period: 'minute' });
    expect(refused).toMatchObject({ code: 'limit_exceeded', status: 429, retryAfterS: 42 });
    expect(refused.message).toBe("The team's limit of 600 requests per minute is reached. Try again in 42 s.");
    expect(refused.metadata).toEqual({ limit: 'requests_per_minute', of: 'team', amount: 600 });
  });

  test('on requests at once says to try again in a second', () => {
    const refused = refuse('key:k1/slots', 'slots', { amount: 4, period: 'total' });
    expect(refused).toMatchObject({ retryAfterS: 1, metadata: { limit: 'concurrent', of: 'key', amount: 4 } });
    expect(refused.message).toBe("This key's limit of 4 requests at once is reached. Try again when one of them has ended.");
  });

  test('says that a request larger than the limit can never pass, and gives no time to wait', () => {
    const refused = refuse('key:k1/tokens', 'tokens', { amount: 499, period: 'minute' });
    expect(refused.message).toContain('can never take this request, which may need 500 tokens');
    expect(refused.retryAfterS).toBeUndefined();
  });
});
