import { describe, expect, it } from 'vitest';
import type { QuotaStanding, QuotaUnit } from '#schema/quota';
import { durationText, limitHeaders } from '#src/admission/limit-headers';

function standing(id: string, of: { amount: number; remaining: number; resetsInMs?: number }): QuotaStanding {
  const unit = id.slice(id.indexOf('/') + 1) as QuotaUnit;
  const cap = { amount: of.amount, period: unit === 'slots' ? ('total' as const) : ('minute' as const) };
  return { quota: { id, unit, caps: [cap] }, cap, remaining: of.remaining, resetsInMs: of.resetsInMs ?? 0 };
}

describe('the headers of a limited caller', () => {
  it("are OpenAI's for requests and tokens, and ours for requests at once", () => {
    expect(
      limitHeaders([
        standing('team/nano_usd', { amount: 5e9, remaining: 4e9 }),
        standing('team/requests', { amount: 600, remaining: 599, resetsInMs: 90 }),
        standing('team/tokens', { amount: 2_000_000, remaining: 1_998_976, resetsInMs: 59_500 }),
        standing('team/slots', { amount: 64, remaining: 63 }),
      ]),
    ).toEqual({
      'x-ratelimit-limit-requests': '600',
      'x-ratelimit-remaining-requests': '599',
      'x-ratelimit-reset-requests': '90ms',
      'x-ratelimit-limit-tokens': '2000000',
      'x-ratelimit-remaining-tokens': '1998976',
      'x-ratelimit-reset-tokens': '59.5s',
      'x-ratelimit-limit-concurrent': '64',
      'x-ratelimit-remaining-concurrent': '63',
    });
  });

  it('are those of whoever has less left, and of the smaller limit where both have the same', () => {
    const tighter = (team: number, key: number, keyAmount = 50) =>
      limitHeaders([
        standing('team/requests', { amount: 100, remaining: team }),
        standing('key:k1/requests', { amount: keyAmount, remaining: key }),
      ])['x-ratelimit-limit-requests'];
    expect(tighter(10, 20)).toBe('100');
    expect(tighter(20, 10)).toBe('50');
    expect(tighter(10, 10)).toBe('50');
    expect(tighter(10, 10, 200)).toBe('100');
  });

  it('are none where only money is bounded', () => {
    expect(limitHeaders([standing('team/nano_usd', { amount: 5, remaining: 1 })])).toEqual({});
  });
});

describe("OpenAI's duration text", () => {
  it.each([
    [0, '0s'],
    [-5, '0s'],
    [0.2, '1ms'],
    [6, '6ms'],
    [999, '999ms'],
    [1000, '1s'],
    [1500, '1.5s'],
    [8640, '8.64s'],
    [59_999, '59.999s'],
    [60_000, '1m0s'],
    [360_000, '6m0s'],
    [61_250, '1m1.25s'],
    [3_600_000, '1h0m0s'],
    [90_061_000, '25h1m1s'],
  ])('%d ms is %s', (durationMs, text) => {
    expect(durationText(durationMs)).toBe(text);
  });
});
