import { describe, expect, it } from 'vitest';
import type { Offer } from '#schema/catalog';
import type { DispatchCandidate, DispatchOrder } from '#src/dispatch/order';
import { factsOf, offerOf } from '#test/support/offers';
import { candidateOf } from './candidates.ts';
import { race, SILENT, type RaceSetup } from './raced.ts';

const [A, B, C] = [candidateOf(offerOf('a')), candidateOf(offerOf('b')), candidateOf(offerOf('c'))];
const SOON = { afterMs: 200 };

/** Begins a stream that waits for `a`, which has just fallen silent; nobody hedges. */
function wait(candidates: readonly DispatchCandidate[] = [A, B], { order, ...setup }: RaceSetup = {}) {
  const run = race(candidates, { a: SILENT, b: SOON, c: SOON }, { order: { hedge: false, ...order }, ...setup });
  return {
    ...run,
    /** Lets others fail at an endpoint until its breaker opens. */
    shut(offer: Offer) {
      const failure = { kind: 'timeout_first_token', origin: 'local', detail: 'silent' } as const;
      for (const teamId of ['x', 'y', 'z', 'x'])
        run.recorded.begin(offer, factsOf({ teamId })).end({ outcome: 'failed', failure, completionTokens: 0, durationMs: 4000 });
      run.ended.length = 0;
    },
  };
}

describe('an endpoint that others have found silent', () => {
  it('is not waited for any longer than nineteen of twenty requests need', async () => {
    const run = wait();
    await run.pass(500);
    run.shut(A.offer);
    await run.pass(499);
    expect(run.called).toEqual(['a']);
    await run.pass(1);
    expect(run.called).toEqual(['a', 'b']);
    expect(run.aborted).toEqual(['a']);
    await run.pass(200);
    expect(run.servedBy()).toBe('b');
    expect(run.trail).toMatchObject([{ endpointId: 'a', durationMs: 1000, failure: { kind: 'timeout_first_token' } }]);
    // Counted once, as the failure that it is.
    expect(run.ended).toMatchObject([{ endpointId: 'a', outcome: 'failed', failure: { kind: 'timeout_first_token' } }]);
    expect((await run.rows()).map(([endpointId, role]) => [endpointId, role])).toEqual([
      ['a', 'first'],
      ['b', 'fallback'],
    ]);
    expect(run.pending()).toBe(0);
  });

  it('is left as soon as that is found, when that comes later', async () => {
    const run = wait();
    await run.pass(2100);
    run.shut(A.offer);
    await run.pass(400);
    expect(run.called).toEqual(['a', 'b']);
  });

  it('R3: is left for one retry of the budget, and waited for without one', async () => {
    const rich = wait([A, B], { retries: 1 });
    rich.shut(A.offer);
    await rich.pass(1200);
    expect(rich.servedBy()).toBe('b');
    const poor = wait([A, B], { retries: 0 });
    poor.shut(A.offer);
    await poor.pass(3999);
    expect(poor.servedBy()).toBeNull();
    poor.landNow('a');
    await poor.pass(0);
    expect(poor.servedBy()).toBe('a');
  });

  it.each<[string, readonly DispatchCandidate[], Partial<DispatchOrder>]>([
    ['all others have been found silent, too', [A, B], {}],
    ['nobody else is left', [A], {}],
    ['no fallback is allowed', [A, B], { allowFallbacks: false }],
    ['no attempt is left', [A, B], { maxAttempts: 1 }],
    ['the plan chose it although it was known', [{ ...A, gates: ['breaker'] }, C], {}],
  ])('is waited for where %s', async (_, candidates, order) => {
    const run = wait(candidates, { order });
    run.shut(A.offer);
    run.shut(B.offer);
    await run.pass(3900);
    expect(run.called).toEqual(['a']);
    expect(run.servedBy()).toBeNull();
  });

  it('is waited for beside a hedge, which is the better of the two already', async () => {
    const run = race([A, B, C], { a: { afterMs: 1800 }, b: SILENT, c: SOON });
    await run.pass(1000);
    expect(run.called).toEqual(['a', 'b']);
    const failure = { kind: 'timeout_first_token', origin: 'local', detail: 'silent' } as const;
    for (const teamId of ['x', 'y', 'z', 'x'])
      run.recorded.begin(A.offer, factsOf({ teamId })).end({ outcome: 'failed', failure, completionTokens: 0, durationMs: 4000 });
    await run.pass(800);
    expect(run.servedBy()).toBe('a');
    expect(run.called).toEqual(['a', 'b']);
  });
});
