import { describe, expect, it } from 'vitest';
import { attemptFailureKind, type AttemptFailureKind } from '#schema/attempt';
import { offerOf } from '#test/src/routing/fleet';
import { fail, FACTS, OFFER, read, repeat, setUp, succeed } from './scene.ts';

/** Kinds that are the endpoint's own failure. */
const ENDPOINT_FAULTS: AttemptFailureKind[] = [
  'timeout_first_token',
  'timeout_stall',
  'connect',
  'model_missing',
  'protocol',
  'upstream_error',
  'redirect',
];
/** Kinds that say nothing about the endpoint. */
const NO_FAULTS: AttemptFailureKind[] = ['rejected', 'context_exceeded', 'content_filtered', 'cancelled', 'timeout_deadline'];

describe('fault classes', () => {
  it('every kind of failure has a class that is tested here', () => {
    expect([...ENDPOINT_FAULTS, ...NO_FAULTS, 'capacity', 'away', 'credential'].toSorted()).toEqual(attemptFailureKind.options.toSorted());
  });

  it.each(NO_FAULTS)('R9: a thousand times %s changes nothing for anybody', (kind) => {
    const { health, clock } = setUp();
    repeat(20, () => succeed(health.begin(OFFER, FACTS)));
    const before = read(health, clock.nowMs);
    repeat(1_000, () => fail(health.begin(OFFER, FACTS), kind));
    expect(read(health, clock.nowMs)).toEqual(before);
  });

  it('R9: clients that leave change nothing', () => {
    const { health, clock } = setUp();
    repeat(20, () => succeed(health.begin(OFFER, FACTS)));
    const before = read(health, clock.nowMs);
    repeat(100, () => health.begin(OFFER, FACTS).end({ outcome: 'cancelled', failure: null, completionTokens: 0, durationMs: 5 }));
    expect(read(health, clock.nowMs)).toEqual(before);
  });

  it('R17: a prompt that is too long does not hurt the endpoint', () => {
    const { health, clock } = setUp();
    repeat(10, () => fail(health.begin(OFFER, FACTS), 'context_exceeded'));
    expect(read(health, clock.nowMs)).toMatchObject({ breaker: 'closed', samples: 0, ttftNormalisedMs: null });
  });

  it.each(ENDPOINT_FAULTS)('%s three times in a row opens the breaker', (kind) => {
    const { health, clock } = setUp();
    repeat(2, () => fail(health.begin(OFFER, FACTS), kind));
    expect(read(health, clock.nowMs)?.breaker).toBe('closed');
    fail(health.begin(OFFER, FACTS), kind);
    expect(read(health, clock.nowMs)?.breaker).toBe('open');
  });

  it('a node that is away opens no breaker, is left alone as long as it asks, and is given as much as before when it is back', () => {
    const { health, clock } = setUp();
    repeat(20, () => succeed(health.begin(OFFER, FACTS)));
    const before = read(health, clock.nowMs);
    repeat(50, () =>
      health.begin(OFFER, FACTS).end({
        outcome: 'failed',
        failure: { kind: 'away', origin: 'external', status: 503, retryAfterMs: 2_000, detail: 'node_unlinked' },
        completionTokens: 0,
        durationMs: 2,
      }),
    );
    expect(read(health, clock.nowMs)).toMatchObject({ breaker: 'closed', samples: before?.samples });
    expect(read(health, clock.nowMs)?.backoffUntilMs).toBe(clock.nowMs + 2_000);
    clock.nowMs += 2_001;
    expect(read(health, clock.nowMs)?.cap).toBe(before?.cap);
  });

  it('a stream that breaks after content counts too', () => {
    const { health, clock } = setUp();
    repeat(3, () => {
      const flight = health.begin(OFFER, FACTS);
      flight.firstToken(100);
      flight.end({
        outcome: 'interrupted',
        failure: { kind: 'timeout_stall', origin: 'local', detail: '' },
        completionTokens: 4,
        durationMs: 5_000,
      });
    });
    expect(read(health, clock.nowMs)?.breaker).toBe('open');
  });

  it('more than half of at least four recent attempts failing opens the breaker', () => {
    const { health, clock } = setUp();
    for (const kind of ['bad', 'bad', 'ok', 'bad'] as const) {
      expect(read(health, clock.nowMs)?.breaker ?? 'closed').toBe('closed');
      const flight = health.begin(OFFER, FACTS);
      if (kind === 'ok') succeed(flight);
      else fail(flight, 'upstream_error');
    }
    expect(read(health, clock.nowMs)?.breaker).toBe('open');
  });

  it('R18: a refused credential is laid aside with all its endpoints, and only it', () => {
    const { health, clock } = setUp();
    const sameKey = offerOf({ endpointId: 'same-key', keySecret: 'RIG_KEY' });
    const otherKey = offerOf({ endpointId: 'other-key', keySecret: 'OTHER_KEY' });
    succeed(health.begin(otherKey, FACTS));
    fail(health.begin(OFFER, FACTS), 'credential');
    expect(read(health, clock.nowMs)).toMatchObject({ credentialDisabled: true, breaker: 'closed', samples: 0 });
    expect(read(health, clock.nowMs, sameKey)?.credentialDisabled).toBe(true);
    expect(read(health, clock.nowMs, otherKey)?.credentialDisabled).toBe(false);
  });

  it('R18: a credential rests 60 s, is tried once, and rests twice as long when refused again', () => {
    const { health, clock } = setUp();
    fail(health.begin(OFFER, FACTS), 'credential');
    clock.nowMs += 59_999;
    expect(read(health, clock.nowMs)?.credentialDisabled).toBe(true);
    clock.nowMs += 1;
    expect(read(health, clock.nowMs)?.credentialDisabled).toBe(false);
    const retry = health.begin(OFFER, FACTS);
    expect(read(health, clock.nowMs)?.credentialDisabled).toBe(true);
    fail(retry, 'credential');
    clock.nowMs += 119_999;
    expect(read(health, clock.nowMs)?.credentialDisabled).toBe(true);
    clock.nowMs += 1;
    succeed(health.begin(OFFER, FACTS));
    expect(read(health, clock.nowMs)?.credentialDisabled).toBe(false);
  });
});
