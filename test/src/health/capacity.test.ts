import { describe, expect, it } from 'vitest';
import type { Offer } from '#schema/catalog';
import { offerOf } from '#test/src/routing/fleet';
import { fail, FACTS, OFFER, read, repeat, setUp, succeed } from './scene.ts';

describe('capacity', () => {
  it('a refusal without a hint backs off 2-4-8 s up to 60 s, and is no failure', () => {
    const { health, clock } = setUp();
    const waitsMs = Array.from({ length: 7 }, () => {
      fail(health.begin(OFFER, FACTS), 'capacity');
      const untilMs = read(health, clock.nowMs)?.backoffUntilMs ?? 0;
      const waitMs = untilMs - clock.nowMs;
      clock.nowMs = untilMs;
      return waitMs;
    });
    expect(waitsMs).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(read(health, clock.nowMs)).toMatchObject({ samples: 0, breaker: 'closed' });
  });

  it('refusals that come together count once', () => {
    const { health, clock } = setUp();
    const flights = Array.from({ length: 8 }, () => health.begin(OFFER, FACTS));
    for (const flight of flights) fail(flight, 'capacity');
    expect(read(health, clock.nowMs)?.backoffUntilMs).toBe(clock.nowMs + 2_000);
  });

  it.each([
    { hint: 5_000, waitMs: 5_000 },
    { hint: 10 ** 12, waitMs: 300_000 },
    { hint: Infinity, waitMs: 300_000 },
    { hint: -1, waitMs: 2_000 },
    { hint: Number.NaN, waitMs: 2_000 },
    { hint: 0, waitMs: 2_000 },
  ])('R2: a Retry-After of $hint ms benches for $waitMs ms', ({ hint, waitMs }) => {
    const { health, clock } = setUp();
    fail(health.begin(OFFER, FACTS), 'capacity', hint);
    expect(read(health, clock.nowMs)?.backoffUntilMs).toBe(clock.nowMs + waitMs);
  });

  it('an older answer that still completes does not end the back-off', () => {
    const { health, clock } = setUp();
    const older = health.begin(OFFER, FACTS);
    fail(health.begin(OFFER, FACTS), 'capacity', 30_000);
    succeed(older);
    expect(read(health, clock.nowMs)?.backoffUntilMs).toBe(clock.nowMs + 30_000);
  });

  it('starts at the declared slots or 8, grows when fast and full, never past what was declared', () => {
    const { health, clock } = setUp();
    const declared = offerOf({ endpointId: 'declared', maxConcurrency: 4 });
    const fill = (offer: Offer): void => {
      const flights = Array.from({ length: 8 }, () => health.begin(offer, FACTS));
      for (const flight of flights) succeed(flight);
    };
    health.begin(OFFER, FACTS);
    expect(read(health, clock.nowMs)?.cap).toBe(8);
    fill(OFFER);
    expect(read(health, clock.nowMs)?.cap).toBeGreaterThan(8);
    fill(declared);
    expect(read(health, clock.nowMs, declared)?.cap).toBe(4);
  });

  it('shrinks when TTFT doubles under load, at most twice a second, and when refused, never below 2', () => {
    const { health, clock } = setUp();
    repeat(10, () => succeed(health.begin(OFFER, FACTS), 500));
    const flights = Array.from({ length: 8 }, () => health.begin(OFFER, FACTS));
    for (const flight of flights) flight.firstToken(5_000);
    const cut = read(health, clock.nowMs)?.cap ?? Number.NaN;
    expect(cut).toBeCloseTo(5 * 0.9, 1);
    repeat(50, () => fail(health.begin(OFFER, FACTS), 'capacity'));
    expect(read(health, clock.nowMs)?.cap).toBeGreaterThanOrEqual(2);
  });
});
