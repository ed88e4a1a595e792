import { describe, expect, it } from 'vitest';
import { offerOf } from '#test/support/offers';
import { candidateOf } from './candidates.ts';
import { ANSWER_NANO_USD, race, SILENT } from './raced.ts';

const [A, B, C] = [candidateOf(offerOf('a')), candidateOf(offerOf('b')), candidateOf(offerOf('c'))];

describe('a failure while two are asked', () => {
  it('of the first waits for the hedge', async () => {
    const run = race([A, B], { a: { afterMs: 1100, fails: 'upstream_error' }, b: { afterMs: 500 } });
    await run.pass(1500);
    expect(run.servedBy()).toBe('b');
    expect(await run.rows()).toEqual([
      ['a', 'first', 'failed', 0],
      ['b', 'hedge', 'completed', ANSWER_NANO_USD],
    ]);
  });

  it('of both goes on to the third; nobody is tried twice, and one retry is paid', async () => {
    const run = race(
      [A, B, C],
      { a: { afterMs: 1100, fails: 'upstream_error' }, b: { afterMs: 500, fails: 'connect' }, c: { afterMs: 100 } },
      { retries: 1 },
    );
    await run.pass(1600);
    expect(run.servedBy()).toBe('c');
    expect(run.called).toEqual(['a', 'b', 'c']);
    expect(await run.rows()).toEqual([
      ['a', 'first', 'failed', 0],
      ['b', 'hedge', 'failed', 0],
      ['c', 'fallback', 'completed', ANSWER_NANO_USD],
    ]);
  });

  it('of both counts as two attempts', async () => {
    const run = race(
      [A, B, C],
      { a: { afterMs: 1100, fails: 'upstream_error' }, b: { afterMs: 500, fails: 'connect' } },
      { order: { maxAttempts: 2 } },
    );
    await run.pass(2000);
    expect(run.called).toEqual(['a', 'b']);
    expect(run.servedBy()).toBe('upstream_failed');
  });

  it.each(['a', 'b'])('R3: that is the fault of the caller, at %s, does not end an answer of the other one', async (rejecting) => {
    const other = rejecting === 'a' ? 'b' : 'a';
    const run = race([A, B, C], {
      [rejecting]: { afterMs: rejecting === 'a' ? 1100 : 100, fails: 'rejected' },
      [other]: { afterMs: 2000 },
    });
    await run.pass(3000);
    expect(run.servedBy()).toBe(other);
    expect(run.called).toEqual(['a', 'b']);
  });

  it.each([
    ['before', 100],
    ['after', 500],
  ])('R3: the fault of the caller is what the caller hears, said %s another failure, and nobody else is asked', async (_when, afterMs) => {
    const run = race([A, B, C], { a: { afterMs: 1300, fails: 'upstream_error' }, b: { afterMs, fails: 'rejected' }, c: { afterMs: 0 } });
    await run.pass(2000);
    expect(run.servedBy()).toBe('invalid_request');
    expect(run.called).toEqual(['a', 'b']);
    expect(run.pending()).toBe(0);
  });

  it('R17: a context that is too small at either is followed by larger ones only', async () => {
    const large = candidateOf(offerOf('large', { context: 65_536 }));
    const run = race([A, B, C, large], {
      a: { afterMs: 1100, fails: 'context_exceeded' },
      b: { afterMs: 500, fails: 'connect' },
      large: { afterMs: 0 },
    });
    await run.pass(2000);
    expect(run.called).toEqual(['a', 'b', 'large']);
  });
});

describe('T9: a client that leaves', () => {
  it('while two are asked: both are aborted and booked as cancelled, nothing is left behind', async () => {
    const run = race([A, B, C], { a: SILENT, b: SILENT });
    await run.pass(1500);
    run.client.abort();
    await run.pass(0);
    expect(run.aborted.toSorted()).toEqual(['a', 'b']);
    expect(await run.rows()).toEqual([
      ['a', 'first', 'cancelled', 0],
      ['b', 'hedge', 'cancelled', 0],
    ]);
    expect(run.called).toEqual(['a', 'b']);
    expect(run.ended.map(({ wasOutrun }) => wasOutrun)).toEqual([false, false]);
    expect(run.pending()).toBe(0);
  });

  it.each([false, true])(
    'before the hedge is due: nobody else is asked, even while the upstream still has to notice (%s)',
    async (isDeaf) => {
      const run = race([A, B], { a: { ...SILENT, isDeaf }, b: SILENT });
      await run.pass(500);
      run.client.abort();
      await run.pass(60_000);
      expect(run.called).toEqual(['a']);
      expect(run.pending()).toBe(0);
    },
  );

  it('after the answer: the loser is booked once all the same', async () => {
    const run = race([A, B], { a: SILENT, b: { afterMs: 0 } });
    await run.pass(1000);
    run.client.abort();
    await run.pass(60_000);
    expect(run.trail).toHaveLength(1);
    expect(run.ended.filter(({ endpointId }) => endpointId === 'a')).toHaveLength(1);
  });
});
