import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LedgerAccount } from '#src/ledger/ledger';
import { TEAM_MONEY } from '#src/ledger/quota-id';
import { costing, finish, freshReceipt, openLedger } from './ledger-fixture.ts';

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:00Z') }));
afterEach(() => void vi.useRealTimers());

const KEY_MONEY = 'key:k1/nano_usd';

/** Team and key, each with money and every limit. */
function limited(amounts: { team?: number; key?: number; requests?: number; tokens?: number; slots?: number }): LedgerAccount {
  const { team = 1e9, key = 1e9, requests = 1e6, tokens = 1e9, slots = 1e6 } = amounts;
  return {
    teamId: 't1',
    quotas: [
      { id: TEAM_MONEY, unit: 'nano_usd', caps: [{ amount: team, period: 'month' }] },
      { id: 'team/requests', unit: 'requests', caps: [{ amount: requests, period: 'minute' }] },
      { id: 'team/tokens', unit: 'tokens', caps: [{ amount: tokens, period: 'minute' }] },
      { id: 'team/slots', unit: 'slots', caps: [{ amount: slots, period: 'total' }] },
      { id: KEY_MONEY, unit: 'nano_usd', caps: [{ amount: key, period: 'day' }] },
    ],
  };
}

test('a hold of several quotas needs the account once for all of them; the next ones are instant', async () => {
  const { ledger, calls } = openLedger();
  const account = limited({});
  await ledger.hold(account, costing(1000, 50));
  expect(ledger.hold(account, costing(1000, 50))).not.toBeInstanceOf(Promise);
  expect(calls.open).toBe(1);
});

test('M1: a hold of several quotas leaves nothing booked anywhere when one of them refuses', async () => {
  const { ledger, store } = openLedger();
  const account = limited({ key: 999 });
  await expect(ledger.hold(account, costing(1000, 50))).rejects.toMatchObject({ code: 'insufficient_budget' });
  expect(ledger.standing(account).map(({ remaining }) => remaining)).toEqual([1e9, 1e6, 1e9, 1e6, 999]);
  await ledger.hold(account, costing(999, 50));
  expect(store.balance(KEY_MONEY, 'nano_usd').reserved).toBe(999);
});

test('a hold of several quotas tells what is left of each: exact where this isolate serves alone', async () => {
  const { ledger } = openLedger();
  const account = limited({ requests: 100, tokens: 10_000, slots: 10 });
  const left = () => ledger.standing(account).map(({ remaining }) => remaining);
  const hold = await ledger.hold(account, costing(1000, 500));
  expect(left()).toEqual([1e9 - 1000, 99, 9500, 9, 1e9 - 1000]);
  await finish(ledger.settle(hold, freshReceipt({ chargedNanoUsd: 400 })));
  vi.setSystemTime(Date.now() - 60_000);
  expect(left()).toEqual([1e9 - 400, 99, 9850, 10, 1e9 - 400]);
});

test('a hold of several quotas begins anew with the next minute, where it is a rate', async () => {
  const { ledger } = openLedger();
  const account = limited({ requests: 3 });
  for (let request = 0; request < 3; request += 1) await ledger.hold(account, costing(1));
  await expect(ledger.hold(account, costing(1))).rejects.toMatchObject({ code: 'limit_exceeded', retryAfterS: 60 });
  vi.setSystemTime(Date.now() + 60_000);
  expect(ledger.standing(account)[1]).toMatchObject({ cap: { amount: 3, period: 'minute' }, remaining: 3, resetsInMs: 60_000 });
  await ledger.hold(account, costing(1));
});

test('a hold of several quotas gives slots back when requests end, however they end', async () => {
  const { ledger } = openLedger();
  const account = limited({ slots: 2 });
  const holds = [await ledger.hold(account, costing(1)), await ledger.hold(account, costing(1))];
  await expect(ledger.hold(account, costing(1))).rejects.toMatchObject({ code: 'limit_exceeded', retryAfterS: 1 });
  for (const hold of holds) ledger.release(hold);
  void ledger.settle(await ledger.hold(account, costing(1)), freshReceipt());
  await ledger.hold(account, costing(1));
  await ledger.hold(account, costing(1));
});

test('tokens beyond what was held count, and the minute pays for them', async () => {
  const { ledger, store } = openLedger();
  const account = limited({ tokens: 1000 });
  await finish(ledger.settle(await ledger.hold(account, costing(1, 10)), freshReceipt({ chargedNanoUsd: 1 })));
  expect(store.balance('team/tokens', 'tokens').captured('total')).toBe(150);
});

test('R13: a hold of several quotas waits for nobody whose call fails, and fails closed by itself', async () => {
  const { ledger, port } = openLedger();
  port.open = async () => Promise.reject(new Error('down'));
  const holds = Array.from({ length: 5 }, async () => ledger.hold(limited({}), costing(1)));
  for (const held of holds) await expect(held).rejects.toMatchObject({ code: 'ledger_unavailable' });
  expect(ledger.standing(limited({})).map(({ remaining }) => remaining)).toEqual([1e9, 1e6, 1e9, 1e6, 1e9]);
});

test('R20: whoever is refused again and again asks the account twice in a tenth of a second, and as soon as something is given back', async () => {
  const { ledger, calls } = openLedger();
  const account = limited({ slots: 1 });
  const hold = await ledger.hold(account, costing(1));
  for (let time = 0; time < 20; time += 1) await expect(ledger.hold(account, costing(1))).rejects.toMatchObject({ code: 'limit_exceeded' });
  expect(calls.open).toBe(3);
  ledger.release(hold);
  ledger.release(await ledger.hold(account, costing(1)));
  expect(calls.open).toBe(3);
});

test('a refusal is forgotten after a tenth of a second, and concerns only those that lack as much', async () => {
  const { ledger, calls } = openLedger();
  const account = limited({ team: 1000 });
  await expect(ledger.hold(account, costing(1001))).rejects.toMatchObject({ code: 'insufficient_budget' });
  expect(calls.open).toBe(2);
  ledger.release(await ledger.hold(account, costing(500)));
  await expect(ledger.hold(account, costing(1001))).rejects.toMatchObject({ code: 'insufficient_budget' });
  const asked = calls.open;
  vi.setSystemTime(Date.now() + 101);
  await expect(ledger.hold(account, costing(1001))).rejects.toMatchObject({ code: 'insufficient_budget' });
  expect(calls.open).toBe(asked + 2);
});
