import { describe, expect, it } from 'vitest';
import { factsOf, offerOf } from '#test/src/routing/fleet';
import { fail, FACTS, OFFER, read, repeat, setUp, succeed } from './scene.ts';

const STALLED = { kind: 'timeout_stall', origin: 'local', detail: '' } as const;

describe('R8: gamed latency', () => {
  it('an attempt that never showed content teaches no TTFT, however fast its first empty chunks came', () => {
    const { health, clock } = setUp();
    repeat(20, () => health.begin(OFFER, FACTS).end({ outcome: 'completed', failure: null, completionTokens: 40, durationMs: 50 }));
    expect(read(health, clock.nowMs)).toMatchObject({ ttftNormalisedMs: null, ttftNormalisedMsP90: null, tpotMs: null });
  });

  it('an endpoint with a fast first token that then stalls looks bad: every stall is a whole failure, and slow', () => {
    const { health, clock } = setUp();
    for (let request = 0; request < 10; request++) {
      const flight = health.begin(OFFER, FACTS);
      flight.firstToken(50);
      flight.end({ outcome: 'interrupted', failure: STALLED, completionTokens: 3, durationMs: 5_050 });
      clock.nowMs += 5_050;
    }
    const known = read(health, clock.nowMs);
    expect(known?.failureProbability).toBeGreaterThan(0.7);
    expect(known?.ttftNormalisedMs).toBeGreaterThan(150);
    expect(known?.breaker).not.toBe('closed');
  });

  it('text without a token is half a failure; an embedding has none and is whole', () => {
    const { health, clock } = setUp();
    const embeddings = offerOf({ endpointId: 'embeddings', operatorId: 'other' });
    const empty = { outcome: 'completed', failure: null, completionTokens: 0, durationMs: 100 } as const;
    repeat(40, () => health.begin(OFFER, FACTS).end(empty));
    repeat(40, () => health.begin(embeddings, factsOf({ operation: 'embeddings' })).end(empty));
    expect(read(health, clock.nowMs)?.failureProbability).toBeCloseTo(0.5, 1);
    expect(read(health, clock.nowMs, embeddings)?.failureProbability).toBeLessThan(0.01);
  });

  it('R4: an empty answer to a probe proves nothing: the next request is the probe', () => {
    const { health, clock } = setUp();
    repeat(3, () => fail(health.begin(OFFER, FACTS), 'connect'));
    clock.nowMs += 2_000;
    health.tryAcquireProbe('rig', FACTS.teamId);
    health.begin(OFFER, FACTS).end({ outcome: 'completed', failure: null, completionTokens: 0, durationMs: 100 });
    expect(read(health, clock.nowMs)?.breaker).toBe('half_open');
  });
});

describe('quantiles', () => {
  it('p90 and p95 are the nearest ranks of the last 50 samples', () => {
    const { health, clock } = setUp();
    for (let sample = 1; sample <= 150; sample++) succeed(health.begin(OFFER, FACTS), sample * 10);
    // 1,010 to 1,500 ms are left.
    expect(read(health, clock.nowMs)).toMatchObject({ ttftNormalisedMsP90: 1_450, ttftNormalisedMsP95: 1_480 });
  });
});

describe('outrun', () => {
  const outrun = (durationMs: number) => ({
    outcome: 'cancelled' as const,
    failure: { kind: 'cancelled' as const, origin: 'local' as const, detail: '' },
    completionTokens: 0,
    durationMs,
    wasOutrun: true,
  });

  it('is no failure, and no proof of speed: an endpoint left before its usual time keeps its estimate', () => {
    const { health, clock } = setUp();
    repeat(20, () => succeed(health.begin(OFFER, FACTS), 700));
    const before = read(health, clock.nowMs);
    repeat(5, () => health.begin(OFFER, FACTS).end(outrun(100)));
    expect(read(health, clock.nowMs)).toMatchObject({
      samples: before?.samples,
      failureProbability: before?.failureProbability,
      ttftNormalisedMs: expect.closeTo(700, 6),
      ttftNormalisedMsP95: 700,
    });
  });

  it('slower than its p95, it is a sample like any other', () => {
    const { health, clock } = setUp();
    repeat(20, () => succeed(health.begin(OFFER, FACTS), 700));
    repeat(5, () => health.begin(OFFER, FACTS).end(outrun(4_000)));
    const known = read(health, clock.nowMs);
    expect(known?.ttftNormalisedMs).toBeGreaterThan(1_000);
    expect(known?.ttftNormalisedMsP95).toBe(4_000);
  });

  it('a newcomer that is outrun is not taken for a fast one', () => {
    const { health, clock } = setUp();
    health.begin(OFFER, FACTS).end(outrun(300));
    expect(read(health, clock.nowMs)?.ttftNormalisedMs).toBeCloseTo(1_000, 6);
  });
});

describe('conversations', () => {
  const affinity = { key: '0123456789abcdef', prefixTokens: 900, isNamed: false };

  it('remembers who served the last turn for an hour', () => {
    const { health, clock } = setUp();
    const facts = factsOf({ affinity });
    succeed(health.begin(offerOf({ endpointId: 'first' }), facts));
    clock.nowMs += 1_000;
    succeed(health.begin(OFFER, facts));
    fail(health.begin(offerOf({ endpointId: 'third' }), facts), 'connect');
    clock.nowMs += 5_000;
    const lastServed = () => health.view(clock.nowMs, FACTS.teamId).lastServed(affinity.key);
    expect(lastServed()).toEqual({ endpointId: 'rig', ageMs: 5_000 });
    clock.nowMs += 3_600_000;
    expect(lastServed()).toBeNull();
  });

  it('I12: remembers at most 10,000 conversations', () => {
    const { health, clock } = setUp();
    for (let turn = 0; turn <= 10_000; turn++) succeed(health.begin(OFFER, factsOf({ affinity: { ...affinity, key: `k${turn}` } })));
    const view = health.view(clock.nowMs, FACTS.teamId);
    expect(view.lastServed('k0')).toBeNull();
    expect(view.lastServed('k1')).not.toBeNull();
  });
});
