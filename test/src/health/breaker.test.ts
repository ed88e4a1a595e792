import { describe, expect, it } from 'vitest';
import { plan } from '#src/routing/plan';
import { inputOf, offerOf } from '#test/src/routing/fleet';
import { fail, FACTS, OFFER, read, repeat, setUp } from './scene.ts';

describe('the breaker', () => {
  function opened() {
    const { health, clock } = setUp();
    repeat(3, () => fail(health.begin(OFFER, FACTS), 'upstream_error'));
    return { health, clock };
  }

  it('R4: half open lets exactly one probe through', () => {
    const { health, clock } = opened();
    clock.nowMs += 2_000;
    expect(read(health, clock.nowMs)?.breaker).toBe('half_open');
    const leaves = Array.from({ length: 50 }, () => health.tryAcquireProbe('rig', FACTS.teamId));
    expect(leaves.filter(Boolean)).toHaveLength(1);
    expect(read(health, clock.nowMs)?.breaker).toBe('open');
  });

  it('R4: a probe whose client leaves hands the leave on', () => {
    const { health, clock } = opened();
    clock.nowMs += 2_000;
    health.tryAcquireProbe('rig', FACTS.teamId);
    const probe = health.begin(OFFER, FACTS);
    expect(health.tryAcquireProbe('rig', FACTS.teamId)).toBe(false);
    probe.end({ outcome: 'cancelled', failure: null, completionTokens: 0, durationMs: 10 });
    expect(health.tryAcquireProbe('rig', FACTS.teamId)).toBe(true);
  });

  it('R4: a probe that never reports is given up after a minute', () => {
    const { health, clock } = opened();
    clock.nowMs += 2_000;
    health.tryAcquireProbe('rig', FACTS.teamId);
    clock.nowMs += 59_999;
    expect(health.tryAcquireProbe('rig', FACTS.teamId)).toBe(false);
    clock.nowMs += 1;
    expect(health.tryAcquireProbe('rig', FACTS.teamId)).toBe(true);
  });

  it('closes on the first token of its probe', () => {
    const { health, clock } = opened();
    clock.nowMs += 2_000;
    health.tryAcquireProbe('rig', FACTS.teamId);
    health.begin(OFFER, FACTS).firstToken(100);
    expect(read(health, clock.nowMs)?.breaker).toBe('closed');
    expect(health.tryAcquireProbe('rig', FACTS.teamId)).toBe(true);
  });

  it.each([
    { supply: 'centralized', longestMs: 60_000 },
    { supply: 'subnet', longestMs: 300_000 },
  ] as const)('stays open twice as long after every failed probe, up to $longestMs ms for $supply', ({ supply, longestMs }) => {
    const { health, clock } = setUp();
    const offer = offerOf({ endpointId: 'rig', supply });
    repeat(3, () => fail(health.begin(offer, FACTS), 'connect'));
    for (let openMs = 2_000; openMs < longestMs * 4; openMs *= 2) {
      clock.nowMs += Math.min(openMs, longestMs) - 1;
      expect(read(health, clock.nowMs, offer)?.breaker).toBe('open');
      clock.nowMs += 1;
      expect(read(health, clock.nowMs, offer)?.breaker).toBe('half_open');
      health.tryAcquireProbe('rig', FACTS.teamId);
      fail(health.begin(offer, FACTS), 'connect');
    }
  });

  it('older requests that fail while it is open do not prolong it', () => {
    const { health, clock } = setUp();
    const older = Array.from({ length: 10 }, () => health.begin(OFFER, FACTS));
    for (const flight of older) fail(flight, 'connect');
    expect(read(health, clock.nowMs + 2_000)?.breaker).toBe('half_open');
  });

  it('R5: with everything open, one request at a time is let through', () => {
    const { health, clock } = opened();
    const { candidates, relaxed } = plan(inputOf([OFFER], { health: health.view(clock.nowMs, FACTS.teamId), nowMs: clock.nowMs }));
    expect(candidates).toHaveLength(1);
    expect(relaxed).toEqual(['breaker']);
    expect([health.tryAcquireProbe('rig', FACTS.teamId), health.tryAcquireProbe('rig', FACTS.teamId)]).toEqual([true, false]);
  });
});
