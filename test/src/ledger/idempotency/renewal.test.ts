import { describe, expect, it } from 'vitest';
import { keepRenewing } from '#src/ledger/idempotency/renewal';
import { HELD_MS, RENEW_EVERY_MS, STOP_AFTER_MS } from '#src/ledger/idempotency/terms';
import { createManualClock } from '#test/support/manual-clock';

function start(renew: () => Promise<boolean>) {
  const clock = createManualClock();
  const startedAtMs = clock.now();
  const seen = { renewals: 0, lostAfterMs: null as number | null, losses: 0 };
  const renewal = keepRenewing({
    renew: () => ((seen.renewals += 1), renew()),
    lose: () => {
      seen.losses += 1;
      seen.lostAfterMs = clock.now() - startedAtMs;
    },
    now: clock.now,
    timers: clock.timers,
  });
  return { clock, seen, renewal };
}

describe('a holder of a ticket', () => {
  it('says that it is there several times within the time that it has', async () => {
    const { clock, seen } = start(async () => true);
    await clock.pass(10 * HELD_MS);
    expect(seen).toEqual({ renewals: (10 * HELD_MS) / RENEW_EVERY_MS, lostAfterMs: null, losses: 0 });
    expect(HELD_MS / RENEW_EVERY_MS).toBeGreaterThanOrEqual(3);
  });

  it('stops at once when the ticket is another’s', async () => {
    const { clock, seen } = start(async () => false);
    await clock.pass(HELD_MS);
    expect(seen).toEqual({ renewals: 1, lostAfterMs: RENEW_EVERY_MS, losses: 1 });
  });

  it.each([
    ['fails', () => Promise.reject(new Error('down'))],
    ['hangs', () => new Promise<boolean>(() => undefined)],
  ])('stops in good time before it loses the ticket when the Account %s', async (_, renew) => {
    const { clock, seen } = start(renew);
    await clock.pass(2 * HELD_MS);
    expect(seen.losses).toBe(1);
    expect(seen.lostAfterMs).toBeLessThanOrEqual(STOP_AFTER_MS);
    expect(HELD_MS - STOP_AFTER_MS).toBeGreaterThanOrEqual(20_000);
  });

  it('bears one failure', async () => {
    let fails = true;
    const { clock, seen } = start(async () => {
      fails = !fails;
      if (!fails) throw new Error('down');
      return true;
    });
    await clock.pass(5 * HELD_MS);
    expect(seen.losses).toBe(0);
  });

  it('is silent once its run has ended', async () => {
    const { clock, seen, renewal } = start(async () => true);
    renewal.stop();
    await clock.pass(HELD_MS);
    expect([seen.renewals, clock.pending()]).toEqual([0, 0]);
  });
});
