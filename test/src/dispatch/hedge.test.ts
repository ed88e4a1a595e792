import { describe, expect, it } from 'vitest';
import { createHedgeBudget } from '#src/dispatch/hedge-budget';
import type { DispatchOrder } from '#src/dispatch/order';
import { factsOf, offerOf } from '#test/support/offers';
import { NOW_MS } from '#test/support/fake-clock';
import { candidateOf } from './candidates.ts';
import { ANSWER_NANO_USD, PROMPT_NANO_USD, race, SILENT } from './raced.ts';

const [A, B, C, D] = [candidateOf(offerOf('a')), candidateOf(offerOf('b')), candidateOf(offerOf('c')), candidateOf(offerOf('d'))];

describe('a hedge', () => {
  it('M7: is asked once the first endpoint is late; the loser is left and its prompt absorbed, the answer is paid once', async () => {
    const run = race([A, B, C], { a: SILENT, b: { afterMs: 200 } });
    await run.pass(999);
    expect(run.called).toEqual(['a']);
    await run.pass(1);
    expect(run.called).toEqual(['a', 'b']);
    await run.pass(200);
    expect(run.servedBy()).toBe('b');
    expect(run.aborted).toEqual(['a']);
    expect(await run.rows()).toEqual([
      ['a', 'first', 'cancelled', PROMPT_NANO_USD],
      ['b', 'hedge', 'completed', ANSWER_NANO_USD],
    ]);
    expect(run.trail).toMatchObject([
      { index: 0, startedAtMs: NOW_MS, durationMs: 1200, promptTokens: 10, completionTokens: 0, failure: { detail: /another endpoint/ } },
      { index: 1, startedAtMs: NOW_MS + 1000, durationMs: 200, failure: null },
    ]);
    expect(run.ended).toMatchObject([
      { endpointId: 'a', wasOutrun: true },
      { endpointId: 'b', wasOutrun: false },
    ]);
    expect(run.pending()).toBe(0);
  });

  it('M7: that comes in second is the one that is left', async () => {
    const run = race([A, B], { a: { afterMs: 1100 }, b: { afterMs: 200 } });
    await run.pass(1100);
    expect(run.servedBy()).toBe('a');
    expect(run.aborted).toEqual(['b']);
    expect(await run.rows()).toEqual([
      ['b', 'hedge', 'cancelled', PROMPT_NANO_USD],
      ['a', 'first', 'completed', ANSWER_NANO_USD],
    ]);
  });

  it('M7: of two answers in the same breath one is kept; the other is closed, booked and no slower for health', async () => {
    const run = race([A, B], { a: SILENT, b: SILENT });
    await run.pass(1200);
    run.landNow('a', 'b');
    await run.pass(0);
    expect(run.servedBy()).toBe('a');
    expect([run.aborted, run.closed]).toEqual([['b'], ['b']]);
    expect(run.firstTokens).toEqual([1200, 200]);
    expect(run.ended).toMatchObject([{ endpointId: 'b', outcome: 'cancelled', wasOutrun: false }]);
    expect(await run.rows()).toEqual([
      ['b', 'hedge', 'cancelled', PROMPT_NANO_USD],
      ['a', 'first', 'completed', ANSWER_NANO_USD],
    ]);
    expect(run.pending()).toBe(0);
  });

  it('M7: a loser that fails in the same breath has failed', async () => {
    const run = race([A, B], { a: SILENT, b: { ...SILENT, fails: 'connect' } });
    await run.pass(1200);
    run.landNow('a', 'b');
    await run.pass(0);
    expect(await run.rows()).toEqual([
      ['b', 'hedge', 'failed', 0],
      ['a', 'first', 'completed', ANSWER_NANO_USD],
    ]);
    expect(run.ended).toHaveLength(2);
  });

  it('M7: a loser that answers although it was left is closed and not booked again', async () => {
    const run = race([A, B], { a: { ...SILENT, isDeaf: true }, b: { afterMs: 0 } });
    await run.pass(1000);
    expect(run.servedBy()).toBe('b');
    const rows = await run.rows();
    run.landNow('a');
    await run.pass(60_000);
    expect(run.closed).toEqual(['a']);
    expect(run.firstTokens).toEqual([0]);
    expect(rows.map(([endpointId]) => endpointId)).toEqual(['a', 'b']);
    expect(run.trail).toHaveLength(2);
    expect(run.ended).toHaveLength(2);
    expect(run.pending()).toBe(0);
  });

  it('is not asked when the first endpoint answers or fails in time', async () => {
    const answers = race([A, B], { a: { afterMs: 900 } });
    await answers.pass(900);
    expect(await answers.rows()).toEqual([['a', 'first', 'completed', ANSWER_NANO_USD]]);
    expect(answers.pending()).toBe(0);
    await answers.pass(10_000);
    expect(answers.called).toEqual(['a']);

    const fails = race([A, B], { a: { afterMs: 900, fails: 'upstream_error' }, b: { afterMs: 900 } });
    await fails.pass(10_000);
    expect(fails.trail.map(({ role }) => role)).toEqual(['first']);
    expect(await fails.rows()).toMatchObject([
      ['a', 'first', 'failed', 0],
      ['b', 'fallback', 'completed', ANSWER_NANO_USD],
    ]);
    expect(fails.pending()).toBe(0);
  });

  it.each<[string, Partial<DispatchOrder>]>([
    ['the policy has none', { hedge: false }],
    ['the caller forbids fallbacks', { allowFallbacks: false }],
    ['one attempt is all there may be', { maxAttempts: 1 }],
    ['the answer comes whole: nothing would show who is faster', { facts: factsOf({ stream: false, maxTokens: 10 }) }],
  ])('is not asked where %s', async (_why, order) => {
    const run = race([A, B], { a: { afterMs: 1500 }, b: { afterMs: 200 } }, { order });
    await run.pass(1400);
    expect(run.called).toEqual(['a']);
  });

  it('is asked once: a third endpoint is not', async () => {
    const run = race([A, B, C], { a: SILENT, b: SILENT, c: { afterMs: 0 } });
    await run.pass(3900);
    expect(run.called).toEqual(['a', 'b']);
  });

  it('is for the first attempt: a slow fallback has none beside it', async () => {
    const run = race([A, B, C], { a: { afterMs: 0, fails: 'upstream_error' }, b: { afterMs: 3000 } });
    await run.pass(3000);
    expect(run.called).toEqual(['a', 'b']);
    expect(run.servedBy()).toBe('b');
  });
});

describe('whom a hedge asks', () => {
  const of = (id: string, over: Parameters<typeof offerOf>[1], more = {}) => candidateOf(offerOf(id, over), more);

  it('never asks the same operator', async () => {
    const [a, twin, other] = [of('a', { operatorId: 'acme' }), of('twin', { operatorId: 'acme' }), of('other', {})];
    const run = race([a, twin, other], { a: SILENT, other: SILENT });
    await run.pass(2000);
    expect(run.called).toEqual(['a', 'other']);

    const alone = race([a, twin], { a: { afterMs: 3000 } });
    await alone.pass(3000);
    expect(alone.called).toEqual(['a']);
    expect(alone.servedBy()).toBe('a');
  });

  it('never asks for another model', async () => {
    const run = race([A, of('b', { modelId: 'lab/smaller' })], { a: { afterMs: 3000 } });
    await run.pass(3000);
    expect(run.called).toEqual(['a']);
  });

  it('passes over an endpoint that fails a gate', async () => {
    const [gated, ...free] = [of('b', {}, { gates: ['cap'] }), C, D, candidateOf(offerOf('e'))];
    const run = race([A, gated, ...free], { a: SILENT, c: SILENT });
    await run.pass(1000);
    expect(run.called).toEqual(['a', 'c']);
  });

  it('R4: passes over an endpoint whose one probe is under way', async () => {
    const run = race([A, B, C], { a: SILENT, c: SILENT });
    const asked: string[] = [];
    run.recorded.tryAcquireProbe = (endpointId) => asked.push(endpointId) > 0 && endpointId !== 'b';
    await run.pass(1000);
    expect(run.called).toEqual(['a', 'c']);
    expect(asked).toEqual(['b', 'c']);
  });

  it('R3: asks nobody while more than a fifth of the candidates fail gates', async () => {
    const full = of('full', {}, { gates: ['cap'] });
    const run = race([A, B, C, full], { a: { afterMs: 3000 } });
    await run.pass(3000);
    expect(run.called).toEqual(['a']);
  });
});

describe('R3: the budget of hedges', () => {
  it('is not the budget of retries', async () => {
    const run = race([A, B, C], { a: SILENT, b: { afterMs: 200 } }, { retries: 0 });
    await run.pass(1200);
    expect(run.servedBy()).toBe('b');
  });

  it('covers ten at once, and no eleventh', async () => {
    const hedgeBudget = createHedgeBudget();
    const runs = Array.from({ length: 11 }, () => race([A, B], { a: SILENT, b: SILENT }, { hedgeBudget }));
    for (const run of runs) await run.pass(1000);
    expect(runs.map(({ called }) => called.length)).toEqual([...Array.from({ length: 10 }, () => 2), 1]);
  });

  it('covers no prompt that is dearer than what has been saved, at whichever of the two endpoints', async () => {
    const dear = offerOf('dear', { price: { promptPicoUsdPerToken: 11_000_000, completionPicoUsdPerToken: 0, requestNanoUsd: 0 } });
    for (const pair of [
      [A, candidateOf(dear)],
      [candidateOf(dear), A],
    ]) {
      const run = race(pair, { a: SILENT, dear: SILENT });
      await run.pass(1000);
      expect(run.called).toHaveLength(1);
    }
  });

  it('does not hold up a request that it does not cover', async () => {
    const spent = { deposit() {}, covers: () => false, withdraw() {} };
    const run = race([A, B], { a: { afterMs: 1500 } }, { hedgeBudget: spent });
    await run.pass(1500);
    expect(run.servedBy()).toBe('a');
    expect(run.called).toEqual(['a']);
  });
});
