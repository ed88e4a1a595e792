import { describe, expect, it } from 'vitest';
import type { AttemptFailure } from '#schema/attempt';
import { promptLengthFactor } from '#schema/health';
import { toEndpointReport, type CanaryFlight } from '#src/jobs/canary-observations';
import { sampleAttempt } from '#test/src/ledger/sample-receipt';
import { NOW_MS } from '#test/support/fake-clock';
import { factsOf, offerOf } from '#test/support/offers';

const FACTOR = promptLengthFactor(20);
const failure = (kind: AttemptFailure['kind'], over: Partial<AttemptFailure> = {}): AttemptFailure => ({
  kind,
  origin: 'external',
  detail: 'no',
  ...over,
});

function observed(canary: { isProbe: boolean; isTimed: boolean }, over: Partial<CanaryFlight> = {}) {
  const flight: CanaryFlight = {
    canary: { offer: offerOf('a', { supply: 'subnet', maxConcurrency: 4 }), worstNanoUsd: 1, ...canary },
    facts: factsOf({ promptTokens: 20 }),
    attempt: sampleAttempt({ startedAtMs: NOW_MS - 1500, durationMs: 500 }),
    ttftMs: 300,
    flightEnd: { outcome: 'completed', failure: null, completionTokens: 1, durationMs: 500 },
    ...over,
  };
  return toEndpointReport(flight, 'tenant', NOW_MS);
}
const failed = (why: AttemptFailure, outcome: 'failed' | 'interrupted' = 'failed') =>
  observed({ isProbe: true, isTimed: true }, { flightEnd: { outcome, failure: why, completionTokens: 0, durationMs: 800 } }).observations;

describe('a canary', () => {
  it('R8: that is answered fast makes an endpoint no faster than its traffic has shown it to be', () => {
    expect(observed({ isProbe: true, isTimed: true }).observations).toEqual([
      { kind: 'completed', ageMs: 1000, tenant: 'tenant', tpotMs: null, isProbe: true },
    ]);
  });

  it('is all there is to go by where traffic has shown nothing', () => {
    expect(observed({ isProbe: false, isTimed: false }).observations).toEqual([
      { kind: 'first_token', ageMs: 1000, tenant: 'tenant', normalisedMs: 300 / FACTOR, inFlight: 1, isProbe: false },
      { kind: 'completed', ageMs: 1000, tenant: 'tenant', tpotMs: null, isProbe: false },
    ]);
    expect(observed({ isProbe: false, isTimed: false }, { ttftMs: null }).observations).toMatchObject([{ kind: 'completed' }]);
  });

  it('that fails counts as a failure, at least as slow as it was', () => {
    for (const kind of ['timeout_first_token', 'connect', 'protocol', 'upstream_error', 'model_missing'] as const) {
      expect(failed(failure(kind))).toEqual([{ kind: 'failed', ageMs: 1000, tenant: 'tenant', normalisedMs: 800 / FACTOR, isProbe: true }]);
    }
    expect(failed(failure('timeout_stall'), 'interrupted')).toMatchObject([{ kind: 'failed' }]);
  });

  it('that meets a full endpoint backs off as it is told, and is no failure', () => {
    expect(failed(failure('capacity', { status: 429, retryAfterMs: 7000 }))).toEqual([
      { kind: 'refused', ageMs: 1000, retryAfterMs: 7000, inFlight: 1 },
    ]);
    expect(failed(failure('capacity'))).toMatchObject([{ retryAfterMs: null }]);
  });

  it('whose end is not the endpoint’s doing says nothing', () => {
    for (const kind of ['credential', 'rejected', 'content_filtered', 'timeout_deadline'] as const)
      expect(failed(failure(kind))).toEqual([]);
  });

  it('loads nobody, and says what the catalogue knows', () => {
    expect(observed({ isProbe: false, isTimed: true })).toMatchObject({
      endpointId: 'a',
      operatorId: 'a',
      isAnonymous: true,
      declaredSlots: 4,
      inFlight: 0,
    });
  });
});
