import { describe, expect, it } from 'vitest';
import type { Operation } from '#schema/catalog';
import { attemptTimeoutMs, doubtAfterMs, stallTimeoutMs } from '#src/dispatch/timeouts';
import { createWatchdog } from '#src/dispatch/watchdog';
import { NOW_MS } from '#test/support/fake-clock';
import { createManualClock } from '#test/support/manual-clock';

interface Watched {
  firstTokenTimeoutMs?: number;
  deadlineMs?: number;
  hasLeft?: boolean;
  doubt?: { afterMs: number; isLost(): boolean };
}

function watch({ firstTokenTimeoutMs = 4000, deadlineMs = 120_000, hasLeft = false, doubt }: Watched = {}) {
  const client = new AbortController();
  if (hasLeft) client.abort();
  const clock = createManualClock();
  const limits = { firstTokenTimeoutMs, deadlineAtMs: NOW_MS + deadlineMs, clientSignal: client.signal };
  const watchdog = createWatchdog({ ...clock, ...limits, ...(doubt && { doubt }) });
  return { watchdog, client, ...clock };
}

describe('the watchdog', () => {
  it('lets a stall last as long as allowed after each piece of content, and no longer', async () => {
    const { watchdog, pass } = watch();
    for (let pieces = 0; pieces < 5; pieces++) {
      watchdog.commit(5000);
      watchdog.waiting();
      await pass(4999);
    }
    expect(watchdog.verdict()).toBeNull();
    await pass(1);
    expect(watchdog.verdict()).toMatchObject({ kind: 'timeout_stall', origin: 'local' });
    expect(watchdog.signal.aborted).toBe(true);
  });

  it('shortens the wait when a stall may last less than the first token could', async () => {
    const { watchdog, pass } = watch({ firstTokenTimeoutMs: 60_000 });
    watchdog.commit(5000);
    watchdog.waiting();
    await pass(5000);
    expect(watchdog.verdict()?.kind).toBe('timeout_stall');
  });

  it('I9: comments extend a stall to 30 s and not further', async () => {
    const { watchdog, pass } = watch();
    watchdog.commit(5000);
    watchdog.waiting();
    for (let seconds = 0; seconds < 29; seconds++) {
      await pass(1000);
      watchdog.comment();
    }
    expect(watchdog.verdict()).toBeNull();
    await pass(1000);
    expect(watchdog.verdict()?.kind).toBe('timeout_stall');
  });

  it('I9: the deadline ends an answer that never stops making progress', async () => {
    const { watchdog, pass } = watch({ deadlineMs: 20_000 });
    for (let seconds = 0; seconds < 20; seconds++) {
      watchdog.commit(5000);
      watchdog.waiting();
      await pass(1000);
    }
    expect(watchdog.verdict()?.kind).toBe('timeout_deadline');
  });

  it('says deadline, not first token, when both pass at once', async () => {
    const { watchdog, pass } = watch({ firstTokenTimeoutMs: 4000, deadlineMs: 4000 });
    await pass(4000);
    expect(watchdog.verdict()?.kind).toBe('timeout_deadline');
  });

  it('T9: a client that has left already ends the attempt before it starts', () => {
    const { watchdog, pending } = watch({ hasLeft: true });
    expect(watchdog.verdict()?.kind).toBe('cancelled');
    expect(watchdog.signal.aborted).toBe(true);
    expect(pending()).toBe(0);
  });

  it('keeps its first verdict', async () => {
    const { watchdog, client, pass } = watch();
    await pass(4000);
    client.abort();
    watchdog.abort('cancelled', 'again');
    expect(watchdog.verdict()?.kind).toBe('timeout_first_token');
  });

  it('ends a silence that is of no use any more, but not before it is doubted', async () => {
    let isLost = false;
    let doubts = 0;
    const doubt = { afterMs: 1000, isLost: () => (doubts++, isLost) };
    const { watchdog, pass } = watch({ doubt });
    await pass(999);
    expect(doubts).toBe(0);
    await pass(1001);
    expect([doubts, watchdog.verdict()]).toEqual([3, null]);
    isLost = true;
    await pass(499);
    expect(watchdog.verdict()).toBeNull();
    await pass(1);
    expect(watchdog.verdict()).toMatchObject({ kind: 'timeout_first_token', origin: 'local', detail: /stopped answering others/ });
  });

  it('doubts nobody who has said something, and nobody beyond the timeout', async () => {
    const doubt = { afterMs: 1000, isLost: () => true };
    const speaking = watch({ doubt });
    speaking.watchdog.commit(5000);
    await speaking.pass(10_000);
    expect(speaking.watchdog.verdict()).toBeNull();
    const late = watch({ doubt: { afterMs: Infinity, isLost: () => true } });
    await late.pass(4000);
    expect(late.watchdog.verdict()?.detail).toMatch(/within the first-token timeout/);
    expect(late.pending()).toBe(0);
  });

  it('leaves no timer and hears no client after stop', async () => {
    const { watchdog, client, pass, pending } = watch();
    watchdog.stop();
    client.abort();
    await pass(500_000);
    expect(pending()).toBe(0);
    expect(watchdog.verdict()).toBeNull();
    expect(watchdog.signal.aborted).toBe(false);
  });
});

describe('time limits', () => {
  const paced = { firstTokenTimeoutMs: 2000, hedgeAfterMs: 900, tpotMs: 10 };
  interface Given {
    deadlineMs?: number;
    stream?: boolean;
    maxTokens?: number | null;
    expectedTokens?: number;
    choices?: number;
    reasoning?: boolean;
    operation?: Operation;
  }
  const order = (given: Given = {}) => ({
    deadlineAtMs: NOW_MS + (given.deadlineMs ?? 600_000),
    facts: {
      operation: given.operation ?? ('chat' as const),
      stream: given.stream ?? false,
      maxTokens: given.maxTokens ?? null,
      expectedCompletionTokens: given.expectedTokens ?? 250,
      choices: given.choices ?? 1,
      reasoning: given.reasoning ?? false,
    },
  });
  const [OTHERS, LAST, AGAIN] = [
    { nowMs: NOW_MS, othersLeft: true, hasTimedOut: false },
    { nowMs: NOW_MS, othersLeft: false, hasTimedOut: false },
    { nowMs: NOW_MS, othersLeft: true, hasTimedOut: true },
  ];

  it.each([
    ['a stream waits for its first token', order({ stream: true }), OTHERS, 2000],
    ['a JSON answer also gets three times its decode time', order({ maxTokens: 100, expectedTokens: 100 }), OTHERS, 5000],
    ['one that may be longer gets three times what is expected', order({ maxTokens: 8000, expectedTokens: 500 }), OTHERS, 17_000],
    ['and 10 s at least', order(), OTHERS, 12_000],
    ['several answers at once take no longer', order({ expectedTokens: 2000, choices: 4 }), OTHERS, 17_000],
    ['thoughts are as long as they like, 2,048 tokens where the caller sets no limit', order({ reasoning: true }), OTHERS, 63_440],
    ['what was too long once is not cut short again', order(), AGAIN, 63_440],
    ['nor at the last candidate, which has 20 s for its first token', order(), LAST, 81_440],
    ['vectors are not waited for as long as text', order({ operation: 'embeddings' }), OTHERS, 12_000],
    ['a picture is', order({ operation: 'images' }), OTHERS, 92_000],
    ['the last candidate of a stream has at least 20 s', order({ stream: true }), LAST, 20_000],
    ['no attempt takes more than half of the rest while others are left', order({ stream: true, deadlineMs: 3000 }), OTHERS, 1500],
    ['the last one may take all of the rest', order({ stream: true, deadlineMs: 1500 }), LAST, 1500],
    ['nothing is left after the deadline', order({ deadlineMs: -5 }), LAST, 0],
  ])('%s', (_name, given, standing, expectedMs) => {
    expect(attemptTimeoutMs(paced, given, standing)).toBe(expectedMs);
  });

  it.each([
    ['a stream once a hedge would be due', order({ stream: true }), 900],
    ['a JSON answer once it could be there', order({ expectedTokens: 300, choices: 3 }), 1900],
    ['a picture never', order({ operation: 'images' }), Infinity],
  ])('%s is doubted', (_name, { facts }, expectedMs) => {
    expect(doubtAfterMs(paced, facts)).toBe(expectedMs);
  });

  it('a stall lasts 30 tokens, at least 5 s', () => {
    expect([stallTimeoutMs(10), stallTimeoutMs(1000)]).toEqual([5000, 30_000]);
  });
});
