import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attemptFailureKind } from '#schema/attempt';
import { SEED } from '#test/support/seed';
import { fail, FACTS, OFFER, read, repeat, setUp, succeed } from './scene.ts';

describe('R15: a clock that jumps backward', () => {
  it('neither benches an endpoint nor a key for hours', () => {
    const { health, clock } = setUp();
    repeat(3, () => fail(health.begin(OFFER, FACTS), 'connect'));
    fail(health.begin(OFFER, FACTS), 'capacity', 300_000);
    fail(health.begin(OFFER, FACTS), 'credential');
    clock.nowMs -= 6 * 3_600_000;
    expect(read(health, clock.nowMs)).toMatchObject({ backoffUntilMs: 0, breaker: 'half_open', credentialDisabled: false });
  });

  it('keeps every reading in its range, wherever the clock goes and whatever happens', () => {
    const step = fc.record({
      moveMs: fc.integer({ min: -10_000_000, max: 1_000_000 }),
      event: fc.constantFrom('ok', 'leave', 'probe', ...attemptFailureKind.options),
      ttftMs: fc.integer({ min: 0, max: 60_000 }),
      hint: fc.option(fc.double(), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { health, clock } = setUp();
        succeed(health.begin(OFFER, FACTS));
        for (const { moveMs, event, ttftMs, hint } of steps) {
          clock.nowMs += moveMs;
          if (event === 'probe') health.tryAcquireProbe('rig', FACTS.teamId);
          else if (event === 'ok') succeed(health.begin(OFFER, FACTS), ttftMs);
          else if (event === 'leave')
            health.begin(OFFER, FACTS).end({ outcome: 'cancelled', failure: null, completionTokens: 0, durationMs: 1 });
          else fail(health.begin(OFFER, FACTS), event, hint);
          const known = read(health, clock.nowMs);
          if (known === undefined) throw new Error('an endpoint that was called must be known');
          expect(known.failureProbability).toBeGreaterThan(0);
          expect(known.failureProbability).toBeLessThan(1);
          expect(known.cap).toBeGreaterThanOrEqual(2);
          expect(known.inFlight).toBe(0);
          expect(known.backoffUntilMs - clock.nowMs).toBeLessThanOrEqual(300_000);
          expect(known.ttftNormalisedMs ?? 1).toBeGreaterThan(0);
          expect(Number.isFinite(known.ttftNormalisedMs ?? 1)).toBe(true);
        }
      }),
      { seed: SEED, numRuns: 200 },
    );
  });
});
