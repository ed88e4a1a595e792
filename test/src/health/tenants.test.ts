import { describe, expect, it } from 'vitest';
import { LONG_PROMPT_TOKENS } from '#schema/health';
import { factsOf } from '#test/src/routing/fleet';
import { fail, OFFER, read, repeat, setUp, succeed } from './scene.ts';

const A = factsOf({ teamId: 'a', promptTokens: 1_150 });
const B = factsOf({ teamId: 'b', promptTokens: 1_150 });

describe('R9: breakers by tenant', () => {
  it("a thousand failures of one tenant shut the endpoint for it, and for nobody else's requests", () => {
    const { health, clock } = setUp();
    succeed(health.begin(OFFER, B));
    repeat(1_000, () => fail(health.begin(OFFER, A), 'upstream_error'));
    expect(read(health, clock.nowMs, OFFER, 'a')?.breaker).toBe('open');
    expect(read(health, clock.nowMs, OFFER, 'b')?.breaker).toBe('closed');
    expect(health.tryAcquireProbe('rig', 'b')).toBe(true);
  });

  it('three failures in a row shut the endpoint for all when two tenants have met them', () => {
    const { health, clock } = setUp();
    for (const facts of [A, B, A]) {
      expect(read(health, clock.nowMs, OFFER, 'c')?.breaker ?? 'closed').toBe('closed');
      fail(health.begin(OFFER, facts), 'upstream_error');
    }
    expect(read(health, clock.nowMs, OFFER, 'c')?.breaker).toBe('open');
  });

  it('a success of anybody ends the row: the one failure of another tenant an hour ago does not count', () => {
    const { health, clock } = setUp();
    fail(health.begin(OFFER, B), 'upstream_error');
    succeed(health.begin(OFFER, B));
    repeat(20, () => fail(health.begin(OFFER, A), 'upstream_error'));
    expect(read(health, clock.nowMs, OFFER, 'b')?.breaker).toBe('closed');
  });

  it('a share of failures above a half shuts it for all only where it holds without the worst tenant', () => {
    const { health, clock } = setUp();
    const round = (facts: typeof A) => {
      repeat(2, () => fail(health.begin(OFFER, facts), 'upstream_error'));
      succeed(health.begin(OFFER, B));
    };
    repeat(8, () => round(A));
    expect(read(health, clock.nowMs, OFFER, 'a')?.breaker).toBe('open');
    expect(read(health, clock.nowMs, OFFER, 'c')?.breaker).toBe('closed');
    repeat(6, () => round(factsOf({ teamId: 'd', promptTokens: 1_150 })));
    expect(read(health, clock.nowMs, OFFER, 'c')?.breaker).toBe('closed');
    repeat(12, () => round(factsOf({ teamId: 'e', promptTokens: 1_150 })));
    expect(read(health, clock.nowMs, OFFER, 'c')?.breaker).toBe('open');
  });

  it('R4: the half-open breaker of a tenant lets one request of that tenant through, and closes on its success', () => {
    const { health, clock } = setUp();
    succeed(health.begin(OFFER, B));
    repeat(3, () => fail(health.begin(OFFER, A), 'upstream_error'));
    clock.nowMs += 2_000;
    expect(read(health, clock.nowMs, OFFER, 'a')?.breaker).toBe('half_open');
    const leaves = Array.from({ length: 20 }, () => health.tryAcquireProbe('rig', 'a'));
    expect(leaves.filter(Boolean)).toHaveLength(1);
    const probe = health.begin(OFFER, A);
    expect(read(health, clock.nowMs, OFFER, 'a')?.breaker).toBe('open');
    expect(health.tryAcquireProbe('rig', 'b')).toBe(true);
    succeed(probe);
    expect(read(health, clock.nowMs, OFFER, 'a')?.breaker).toBe('closed');
  });

  it('a probe of a tenant whose client leaves hands the leave on', () => {
    const { health, clock } = setUp();
    repeat(3, () => fail(health.begin(OFFER, A), 'upstream_error'));
    clock.nowMs += 2_000;
    health.tryAcquireProbe('rig', 'a');
    health.begin(OFFER, A).end({ outcome: 'cancelled', failure: null, completionTokens: 0, durationMs: 10 });
    expect(health.tryAcquireProbe('rig', 'a')).toBe(true);
  });

  it('I12: the endpoint remembers at most 16 tenants, those who failed last', () => {
    const { health, clock } = setUp();
    for (let team = 0; team < 40; team++) {
      clock.nowMs += 1;
      repeat(5, () => succeed(health.begin(OFFER, B)));
      const facts = factsOf({ teamId: `team ${team}` });
      repeat(3, () => fail(health.begin(OFFER, facts), 'upstream_error'));
    }
    const open = Array.from({ length: 40 }, (_, team) => read(health, clock.nowMs, OFFER, `team ${team}`)?.breaker === 'open');
    expect(open.filter(Boolean)).toHaveLength(16);
    expect(open.lastIndexOf(false)).toBe(23);
  });
});

describe('long prompts', () => {
  const long = factsOf({ teamId: 'b', promptTokens: LONG_PROMPT_TOKENS + 1 });

  it('says nothing of long prompts before three have been seen', () => {
    const { health, clock } = setUp();
    repeat(2, () => succeed(health.begin(OFFER, long)));
    expect(read(health, clock.nowMs, OFFER, 'b')).not.toHaveProperty('failureProbabilityLong');
    succeed(health.begin(OFFER, long));
    expect(read(health, clock.nowMs, OFFER, 'b')).toHaveProperty('failureProbabilityLong');
  });

  it('an endpoint that fails on long prompts only looks bad for them, and good for the others', () => {
    const { health, clock } = setUp();
    for (let request = 0; request < 100; request++) {
      repeat(9, () => succeed(health.begin(OFFER, B)));
      if (request % 5 === 0) fail(health.begin(OFFER, long), 'timeout_first_token');
      clock.nowMs += 500;
    }
    const known = read(health, clock.nowMs, OFFER, 'b');
    expect(known?.breaker).toBe('closed');
    expect(known?.failureProbability).toBeLessThan(0.05);
    expect(known?.failureProbabilityLong).toBeGreaterThan(0.8);
  });
});
