import { describe, expect, test } from 'vitest';
import type { CallFailure, Policy } from '#bench/sim/contract';
import { RIVALS } from '#bench/sim/rivals/rivals';
import { countChoices, listingsAt, openStage } from './script-stage.ts';

const ERROR: CallFailure = { kind: 'error', status: 500 };
const REFUSED: CallFailure = { kind: 'refused', status: 429, retryAfterMs: null };

function rival(name: string): Policy {
  const found = RIVALS.find((policy) => policy.name === name);
  if (found === undefined) throw new Error(`no rival ${name}`);
  return found;
}

describe.each(RIVALS.map((policy) => [policy.name, policy] as const))('every rival: %s', (_, policy) => {
  test('falls back before the first token, to another endpoint', () => {
    const { calls, send, pass, last } = openStage(policy, listingsAt({ a: 1, b: 1 }));
    const outcome = send();
    last().end(ERROR);
    pass(10_000);
    expect(calls.map(({ role }) => role)).toEqual(['first', 'fallback']);
    expect(calls[1]?.endpointId).not.toBe(calls[0]?.endpointId);
    last().say(100);
    last().end(null);
    expect(outcome).toEqual({ tokens: 100, ending: 'complete' });
  });

  test('gives up when the stream breaks after content', () => {
    const { calls, send, last } = openStage(policy, listingsAt({ a: 1, b: 1 }));
    const outcome = send();
    last().say(10);
    last().end({ kind: 'connection' });
    expect(outcome).toEqual({ tokens: 10, ending: 'connection' });
    expect(calls).toHaveLength(1);
  });

  test('waits 30 s for a first token, then cancels', () => {
    const { calls, send, pass } = openStage(policy, listingsAt({ a: 1, b: 1 }));
    send();
    pass(29_999);
    expect(calls).toHaveLength(1);
    pass(10_000);
    expect(calls[0]?.isCancelled).toBe(true);
    expect(calls).toHaveLength(2);
  });

  test('ends when everybody has failed, and leaves no request unanswered', () => {
    const { calls, send, pass } = openStage(policy, listingsAt({ a: 1, b: 1 }));
    const outcome = send();
    for (let round = 0; round < 5; round++) {
      for (const call of calls) call.end(ERROR);
      pass(1_000);
    }
    expect(outcome.ending).toBe('error');
    expect(calls).toHaveLength(2);
  });

  test('never asks an endpoint whose context is too small', () => {
    const small = listingsAt({ a: 1, b: 1 }).map((listing) => (listing.id === 'a' ? { ...listing, context: 1_000 } : listing));
    const { serveOne } = openStage(policy, small);
    expect(countChoices(() => serveOne(), 20)).toEqual({ b: 20 });
  });
});

describe('openrouter-like', () => {
  test('spreads by 1/price²', () => {
    const { serveOne } = openStage(rival('openrouter-like'), listingsAt({ cheap: 1, dear: 2 }));
    const { cheap = 0, dear = 0 } = countChoices(() => serveOne(), 4_000);
    expect(cheap / dear).toBeGreaterThan(3.5);
    expect(cheap / dear).toBeLessThan(4.6);
  });

  test('puts an outage last for 30 seconds, then forgets it', () => {
    const { serveOne, pass } = openStage(rival('openrouter-like'), listingsAt({ cheap: 1, dear: 20 }));
    for (let time = 0; time < 5; time++) serveOne((id) => (id === 'cheap' ? ERROR : null));
    expect(countChoices(() => serveOne(), 100)).toEqual({ dear: 100 });
    pass(31_000);
    expect(serveOne()).toBe('cheap');
  });
});

describe('litellm-latency', () => {
  test('tries endpoints without samples first, then sticks to the fastest', () => {
    const { serveOne } = openStage(rival('litellm-latency'), listingsAt({ a: 1, b: 1, c: 1 }));
    const serve = () =>
      serveOne(
        () => null,
        (id) => (id === 'b' ? 100 : 300),
      );
    expect(new Set([serve(), serve(), serve()])).toEqual(new Set(['a', 'b', 'c']));
    expect(countChoices(serve, 20)).toEqual({ b: 20 });
  });

  test.each([
    ['a refusal', REFUSED],
    ['a missing model', { kind: 'error', status: 404 } as const],
  ])('leaves an endpoint alone for five seconds after %s, then gives it everything at once', (_, failure) => {
    const { serveOne, pass } = openStage(rival('litellm-latency'), listingsAt({ a: 1, b: 1 }));
    const serve = (failureOf: (id: string) => CallFailure | null = () => null) => serveOne(failureOf, (id) => (id === 'a' ? 100 : 900));
    while (serve() !== 'a' || serve() !== 'a');
    serve((id) => (id === 'a' ? failure : null));
    expect(countChoices(serve, 4)).toEqual({ b: 4 });
    pass(5_000);
    expect(countChoices(serve, 4)).toEqual({ a: 4 });
  });

  test('never cools down what can not be connected to', () => {
    const { serveOne } = openStage(rival('litellm-latency'), listingsAt({ a: 1, b: 1 }));
    const isDead = (id: string): CallFailure | null => (id === 'a' ? { kind: 'connection' } : null);
    // The dead one has no samples, so it counts as the fastest for ever.
    expect(countChoices(() => serveOne(isDead), 20)['a']).toBeGreaterThanOrEqual(19);
  });

  test('cools down after more than three errors in a minute', () => {
    const { serveOne } = openStage(rival('litellm-latency'), listingsAt({ a: 1, b: 1 }));
    const fails = (id: string): CallFailure | null => (id === 'a' ? ERROR : null);
    const choices = Array.from({ length: 12 }, () => serveOne(fails, 10));
    expect(choices.filter((id) => id === 'a')).toHaveLength(4);
  });
});

describe('cheapest-fallback', () => {
  test('always asks the cheapest for this request first, whatever it did before', () => {
    const { serveOne } = openStage(rival('cheapest-fallback'), listingsAt({ a: 2, b: 1, c: 3 }));
    expect(countChoices(() => serveOne((id) => (id === 'b' ? ERROR : null)), 20)).toEqual({ b: 20 });
  });

  test('falls back in the order of prices', () => {
    const { calls, send, last } = openStage(rival('cheapest-fallback'), listingsAt({ a: 2, b: 1, c: 3 }));
    send();
    last().end(ERROR);
    last().end(ERROR);
    expect(calls.map(({ endpointId }) => endpointId)).toEqual(['b', 'a', 'c']);
  });
});

describe('least-outstanding and prequal-hcl', () => {
  test('least-outstanding goes where the isolate has least', () => {
    const { calls, send } = openStage(rival('least-outstanding'), listingsAt({ a: 1, b: 1, c: 1 }));
    for (let time = 0; time < 6; time++) send();
    expect(countChoices(() => calls.shift()?.endpointId ?? '', 6)).toEqual({ a: 2, b: 2, c: 2 });
  });

  test('prequal-hcl prefers the fastest that is not hot, at any price', () => {
    const { calls, send, pass, serveOne } = openStage(rival('prequal-hcl'), listingsAt({ slow: 1, fast: 100, other: 1 }));
    const serve = () =>
      serveOne(
        () => null,
        (id) => (id === 'fast' ? 90 : 900),
      );
    for (let time = 0; time < 3; time++) serve();
    expect(countChoices(serve, 20)).toEqual({ fast: 20 });
    const from = calls.length;
    // More than anybody else has in flight: hot.
    for (let time = 0; time < 9; time++) send();
    pass(1);
    expect(new Set(calls.slice(from).map(({ endpointId }) => endpointId)).size).toBe(3);
  });
});

describe('Peak-EWMA', () => {
  test('stock takes a fast failure for a fast endpoint', () => {
    const { serveOne } = openStage(rival('p2c-peak-ewma'), listingsAt({ dead: 1, good: 1 }));
    const fails = (id: string): CallFailure | null => (id === 'dead' ? ERROR : null);
    const serve = () => serveOne(fails, (id) => (id === 'dead' ? 1 : 1_000));
    for (let time = 0; time < 4; time++) serve();
    expect(countChoices(serve, 30)['dead'] ?? 0).toBeGreaterThan(20);
  });

  test('with penalties takes a failure for five slow seconds', () => {
    const { serveOne } = openStage(rival('p2c-linkerd'), listingsAt({ dead: 1, good: 1 }));
    const fails = (id: string): CallFailure | null => (id === 'dead' ? ERROR : null);
    for (let time = 0; time < 4; time++) serveOne(fails, 10);
    expect(countChoices(() => serveOne(fails, 100), 20)['dead'] ?? 0).toBeLessThanOrEqual(1);
  });

  test('with penalties rests an endpoint after seven failures in a row', () => {
    const { calls, serveOne } = openStage(rival('p2c-linkerd'), listingsAt({ only: 1 }));
    for (let time = 0; time < 7; time++) serveOne(() => ERROR, 1);
    const made = calls.length;
    expect(serveOne(() => null, 1)).toBe('nobody');
    expect(calls).toHaveLength(made);
  });
});

describe('agentgateway-like', () => {
  test('evicts for three seconds times the failures, or as long as Retry-After asks', () => {
    const { serveOne, pass } = openStage(rival('agentgateway-like'), listingsAt({ bad: 1, good: 1 }));
    const refuses = (id: string): CallFailure | null => (id === 'bad' ? { ...REFUSED, retryAfterMs: 60_000 } : null);
    while (serveOne(refuses, 10) !== 'bad');
    pass(30_000);
    expect(countChoices(() => serveOne(refuses, 10), 30)).toEqual({ good: 30 });
    pass(60_000);
    expect(Object.keys(countChoices(() => serveOne(() => null, 10), 60))).toContain('bad');
  });

  test('measures latency up to the headers', () => {
    const { calls, send, pass } = openStage(rival('agentgateway-like'), listingsAt({ a: 1, b: 1 }));
    // Both send headers; one after 2 s, the other at once but with a slow first token.
    for (let time = 0; time < 12; time++) {
      send();
      const call = calls.at(-1);
      pass(call?.endpointId === 'a' ? 2_000 : 1);
      call?.headers();
      pass(call?.endpointId === 'a' ? 1 : 3_000);
      call?.say(100);
      call?.end(null);
    }
    const from = calls.length;
    for (let time = 0; time < 40; time++) {
      send();
      calls.at(-1)?.say(100);
      calls.at(-1)?.end(null);
    }
    const late = calls.slice(from).filter(({ endpointId }) => endpointId === 'b').length;
    expect(late).toBeGreaterThan(24);
  });
});

test('round-robin turns through the list', () => {
  const { serveOne } = openStage(rival('round-robin'), listingsAt({ a: 1, b: 1, c: 1 }));
  expect([serveOne(), serveOne(), serveOne(), serveOne()]).toEqual(['a', 'b', 'c', 'a']);
});

test('random reaches everybody alike', () => {
  const { serveOne } = openStage(rival('random'), listingsAt({ a: 1, b: 1, c: 1, d: 1 }));
  const counts = Object.values(countChoices(() => serveOne(), 2_000));
  expect(Math.min(...counts)).toBeGreaterThan(400);
});
