import { describe, expect, it } from 'vitest';
import { attemptFailureKind, type AttemptFailure, type AttemptFailureKind } from '#schema/attempt';
import { explainFailure, exhausted } from '#src/dispatch/exhausted';
import { nextStep } from '#src/dispatch/next-step';
import { createRetryBudget } from '#src/dispatch/retry-budget';

const failed = (kind: AttemptFailureKind, over: Partial<AttemptFailure> = {}) => ({
  providerName: 'P',
  failure: { kind, origin: 'external', detail: 'why', ...over } as AttemptFailure,
});

describe('the last word', () => {
  it.each<[string, AttemptFailureKind[], string]>([
    ['a refusal is the caller’s', ['upstream_error', 'rejected'], 'invalid_request'],
    ['a filter is the caller’s', ['content_filtered'], 'content_policy_violation'],
    ['too long everywhere', ['context_exceeded', 'context_exceeded'], 'context_length_exceeded'],
    ['too long or unknown there', ['context_exceeded', 'model_missing'], 'context_length_exceeded'],
    ['too long here, broken there', ['context_exceeded', 'connect'], 'upstream_failed'],
    ['full everywhere', ['capacity', 'capacity'], 'rate_limited'],
    ['away everywhere', ['away', 'away'], 'no_endpoint_available'],
    ['full here, away there', ['capacity', 'away'], 'no_endpoint_available'],
    ['away here, broken there', ['away', 'protocol'], 'upstream_failed'],
    ['full here, broken there', ['capacity', 'protocol'], 'upstream_failed'],
    ['late everywhere', ['timeout_first_token', 'timeout_deadline'], 'upstream_timeout'],
    ['late here, broken there', ['timeout_first_token', 'connect'], 'upstream_failed'],
    ['our credentials are not the caller’s fault', ['credential', 'credential'], 'upstream_failed'],
    ['unknown models upstream are not the caller’s fault', ['model_missing'], 'upstream_failed'],
  ])('%s', (_name, kinds, code) => {
    expect(exhausted(kinds.map((kind) => failed(kind))).code).toBe(code);
  });

  it('R2: says to come back when the first of the full endpoints may have room', () => {
    expect(exhausted([failed('capacity', { retryAfterMs: 9000 }), failed('capacity', { retryAfterMs: 2001 })]).retryAfterS).toBe(3);
    expect(exhausted([failed('capacity', { retryAfterMs: 0 })]).retryAfterS).toBe(1);
    expect(exhausted([failed('capacity')]).retryAfterS).toBe(1);
    expect(exhausted([failed('capacity', { retryAfterMs: 9000 }), failed('away', { retryAfterMs: 2000 })]).retryAfterS).toBe(2);
  });

  it('never gives a status that makes clients retry what will not heal', () => {
    for (const kind of ['rejected', 'content_filtered', 'context_exceeded'] as const) {
      expect(exhausted([failed(kind)]).status, kind).toBe(400);
    }
  });

  it.each<[AttemptFailureKind, string]>([
    ['timeout_stall', 'upstream_timeout'],
    ['timeout_deadline', 'upstream_timeout'],
    ['content_filtered', 'content_policy_violation'],
    ['connect', 'upstream_failed'],
    ['protocol', 'upstream_failed'],
  ])('a stream broken by %s ends with %s', (kind, code) => {
    expect(explainFailure(failed(kind).failure).code).toBe(code);
  });
});

describe('how a request goes on', () => {
  it('only the caller’s faults, the deadline and a leaving client stop it', () => {
    const stops = attemptFailureKind.options.filter((kind) => nextStep(failed(kind).failure) === 'stop');
    expect(stops.toSorted()).toEqual(['cancelled', 'content_filtered', 'rejected', 'timeout_deadline']);
    expect(nextStep(failed('context_exceeded').failure)).toBe('larger_context');
  });
});

describe('R3: the retry budget', () => {
  it('allows a burst, then a fifth of requests', () => {
    const budget = createRetryBudget(() => 0);
    let burst = 0;
    while (budget.withdraw()) burst++;
    expect(burst).toBe(100);
    for (let requests = 0; requests < 50; requests++) budget.deposit();
    let earned = 0;
    while (budget.withdraw()) earned++;
    expect(earned).toBeGreaterThanOrEqual(9);
    expect(earned).toBeLessThanOrEqual(10);
  });

  it('refills ten a second up to its burst, and not when the clock jumps back (R15)', () => {
    let nowMs = 100_000;
    const budget = createRetryBudget(() => nowMs);
    while (budget.withdraw());
    nowMs = 0;
    expect(budget.withdraw()).toBe(false);
    nowMs = 1000;
    let refilled = 0;
    while (budget.withdraw()) refilled++;
    expect(refilled).toBe(10);
    nowMs = 1e9;
    let full = 0;
    while (budget.withdraw()) full++;
    expect(full).toBe(100);
  });
});
