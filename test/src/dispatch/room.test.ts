import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Offer } from '#schema/catalog';
import { createHealth, type Health } from '#src/health/health';
import { whyFull } from '#src/routing/room';
import { freezeClock, releaseClock } from '#test/support/fake-clock';
import { factsOf, offerOf } from '#test/support/offers';
import { candidateOf } from './candidates.ts';
import { crowd } from './crowded.ts';
import { A, B, complete, errorOf, FAILS, replyOf, start, STREAM } from './dispatched.ts';
import { race, SILENT } from './raced.ts';
import { resume } from './resumed.ts';

beforeEach(freezeClock);
afterEach(releaseClock);

const RIG = offerOf('a', { capacity: { poolTokens: 1_000, maxSequences: 8 } });
const FULL_RIG = { endpointId: 'a', provider: 'a', supply: 'centralized', filter: 'full' };

/** Lets others take so many tokens of a node. */
function take(health: Health, offer: Offer, tokens: number) {
  return health.begin(offer, factsOf({ promptTokens: tokens, expectedCompletionTokens: 0 }));
}

function house() {
  return createHealth({ now: Date.now, random: () => 0 });
}

describe('a node that has filled up since it was planned', () => {
  it('is skipped when its turn comes, with the reason on the receipt and nothing held against it', async () => {
    const health = house();
    take(health, RIG, 995);
    const run = start([STREAM], { offers: [RIG, B], health, stream: true, retries: 0 });
    complete(replyOf(await run.result));
    expect(run.called()).toEqual(['b']);
    expect(run.skipped).toEqual([{ ...FULL_RIG, reason: 'KV cache has room for 5 tokens now; 11 are needed' }]);
    expect(run.trail.map(({ endpointId, role }) => [endpointId, role])).toEqual([['b', 'first']]);
    expect(run.ended.map(({ endpointId }) => endpointId)).toEqual(['b']);
  });

  it('is no fallback, and costs no retry', async () => {
    const health = house();
    take(health, RIG, 995);
    const run = start([FAILS, STREAM], { offers: [B, RIG, A, offerOf('c')], health, stream: true, retries: 1 });
    complete(replyOf(await run.result));
    expect(run.called()).toEqual(['b', 'a']);
    expect(run.trail).toHaveLength(2);
  });

  it('that was the only one left is worth coming back to in a second', async () => {
    const health = house();
    take(health, RIG, 995);
    const run = start([], { offers: [RIG], health });
    const error = errorOf(await run.result);
    expect([error.code, error.retryAfterS, run.trail]).toEqual(['no_endpoint_available', 1, []]);
  });

  it('is asked again once others have left it', async () => {
    const health = house();
    const other = take(health, RIG, 995);
    other.end({ outcome: 'completed', failure: null, completionTokens: 1, durationMs: 1 });
    const run = start([STREAM], { offers: [RIG], health, stream: true });
    complete(replyOf(await run.result));
    expect(run.skipped).toEqual([]);
  });

  it('is no hedge: the next one that has room is', async () => {
    const [slow, full, roomy] = [candidateOf(offerOf('s')), candidateOf(RIG), candidateOf(offerOf('r'))];
    const run = race([slow, full, roomy], { s: SILENT, r: { afterMs: 200 } });
    take(run.recorded, RIG, 995);
    await run.pass(1_200);
    expect(run.called).toEqual(['s', 'r']);
    expect(run.skipped).toMatchObject([FULL_RIG]);
  });

  it('does not go on with an answer, whose beginning it would have to hold, too', async () => {
    const able = (id: string, poolTokens: number | null) =>
      offerOf(id, { capabilities: new Set(['continuation']), capacity: { poolTokens, maxSequences: null } });
    const tokens = Array.from({ length: 60 }, (_, place) => `word${place} `);
    const troubles = [{ kind: 'error' as const, at: 0.8 }];
    const order = { facts: factsOf({ stream: true, maxTokens: null, expectedCompletionTokens: 10 }) };
    // Ten prompt tokens and as many of an answer would fit.
    const { calls, heard, skipped } = await resume(
      { tokens, troubles },
      { offers: [able('a', null), able('b', 30), able('c', 500)], order },
    );
    expect(calls.map(({ endpoint }) => endpoint)).toEqual(['a', 'c']);
    expect([heard.text, heard.seams]).toEqual([tokens.join(''), 1]);
    expect(skipped).toMatchObject([{ endpointId: 'b', filter: 'full' }]);
    const alone = await resume({ tokens, troubles }, { offers: [able('a', null), able('b', 30)], order });
    expect(alone.heard).toMatchObject({ seams: 0, failure: { kind: 'upstream_error' } });
  });

  it('R4: is told apart from one that another request is probing, which is told, too', async () => {
    const health = house();
    const failure = { kind: 'upstream_error', origin: 'external', detail: 'boom' } as const;
    for (const teamId of ['x', 'y', 'z', 'x'])
      health.begin(A, factsOf({ teamId })).end({ outcome: 'failed', failure, completionTokens: 0, durationMs: 9 });
    expect(health.tryAcquireProbe('a', 'research')).toBe(true);
    const run = start([STREAM], { offers: [A, B], health, stream: true });
    complete(replyOf(await run.result));
    expect(run.skipped).toMatchObject([{ endpointId: 'a', filter: 'breaker' }]);
  });
});

describe('the last room', () => {
  it('goes to one of two requests that were planned onto it', async () => {
    const health = house();
    const order = { facts: factsOf({ stream: true, promptTokens: 500, maxTokens: 50 }) };
    const runs = [0, 1].map(() => start([STREAM], { offers: [RIG, B], health, stream: true, order }));
    for (const { result } of runs) await result;
    expect(new Set(runs.flatMap(({ called }) => called()))).toEqual(new Set(['a', 'b']));
  });

  it('is never sold twice, however plans, holds, fallbacks, hedges, broken streams, leaving clients and the words of nodes fall, and is free again', async () => {
    const roles = new Map<string, number>();
    let [skipped, deserted] = [0, 0];
    for (let seed = 1; seed <= 12; seed++) {
      const played = await crowd(seed, whyFull);
      expect(played.oversold, `seed ${seed}`).toEqual([]);
      // However each request ended, what it held is free again.
      expect(played.left, `seed ${seed}`).toEqual(played.left.map(() => [0, 0]));
      skipped += played.skipped.length;
      deserted += played.deserted;
      for (const [role, count] of Object.entries(played.roles)) roles.set(role, (roles.get(role) ?? 0) + count);
    }
    // It has been tried: all kinds of attempts were made, and many were not.
    expect([...roles.keys()].toSorted()).toEqual(['fallback', 'first', 'hedge', 'resume']);
    expect(skipped).toBeGreaterThan(20);
    expect(deserted).toBeGreaterThan(50);
  });

  it('would be without the look at each turn', async () => {
    const played = await Promise.all([1, 2, 3].map((seed) => crowd(seed, () => null)));
    expect(played.flatMap(({ oversold }) => oversold).length).toBeGreaterThan(10);
  });
});
