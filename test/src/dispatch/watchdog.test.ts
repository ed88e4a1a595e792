import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Operation } from '#schema/catalog';
import { attemptTimeoutMs, stallTimeoutMs } from '#src/dispatch/timeouts';
import { createWatchdog } from '#src/dispatch/watchdog';
import { freezeClock, NOW_MS, pass, releaseClock } from '#test/support/fake-clock';

beforeEach(freezeClock);
afterEach(releaseClock);

function watch({ firstTokenTimeoutMs = 4000, deadlineMs = 120_000 } = {}) {
  const client = new AbortController();
  const watchdog = createWatchdog({ now: Date.now, firstTokenTimeoutMs, deadlineAtMs: NOW_MS + deadlineMs, clientSignal: client.signal });
  return { watchdog, client };
}

describe('the watchdog', () => {
  it('lets a stall last as long as allowed after each piece of content, and no longer', async () => {
    const { watchdog } = watch();
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
    const { watchdog } = watch({ firstTokenTimeoutMs: 60_000 });
    watchdog.commit(5000);
    watchdog.waiting();
    await pass(5000);
    expect(watchdog.verdict()?.kind).toBe('timeout_stall');
  });

  it('I9: comments extend a stall to 30 s and not further', async () => {
    const { watchdog } = watch();
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
    const { watchdog } = watch({ deadlineMs: 20_000 });
    for (let seconds = 0; seconds < 20; seconds++) {
      watchdog.commit(5000);
      watchdog.waiting();
      await pass(1000);
    }
    expect(watchdog.verdict()?.kind).toBe('timeout_deadline');
  });

  it('says deadline, not first token, when both pass at once', async () => {
    const { watchdog } = watch({ firstTokenTimeoutMs: 4000, deadlineMs: 4000 });
    await pass(4000);
    expect(watchdog.verdict()?.kind).toBe('timeout_deadline');
  });

  it('T9: a client that has left already ends the attempt before it starts', () => {
    const client = new AbortController();
    client.abort();
    const watchdog = createWatchdog({ now: Date.now, firstTokenTimeoutMs: 1, deadlineAtMs: NOW_MS + 1, clientSignal: client.signal });
    expect(watchdog.verdict()?.kind).toBe('cancelled');
    expect(watchdog.signal.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps its first verdict', async () => {
    const { watchdog, client } = watch();
    await pass(4000);
    client.abort();
    watchdog.abort('cancelled', 'again');
    expect(watchdog.verdict()?.kind).toBe('timeout_first_token');
  });

  it('leaves no timer and hears no client after stop', async () => {
    const { watchdog, client } = watch();
    watchdog.stop();
    client.abort();
    await pass(500_000);
    expect(vi.getTimerCount()).toBe(0);
    expect(watchdog.verdict()).toBeNull();
    expect(watchdog.signal.aborted).toBe(false);
  });
});

describe('time limits', () => {
  const paced = { firstTokenTimeoutMs: 2000, tpotMs: 10 };
  const order = (over: { deadlineMs?: number; stream?: boolean; maxTokens?: number | null; operation?: Operation } = {}) => ({
    deadlineAtMs: NOW_MS + (over.deadlineMs ?? 120_000),
    facts: { operation: over.operation ?? ('chat' as const), stream: over.stream ?? true, maxTokens: over.maxTokens ?? null },
  });

  it.each([
    ['a stream waits for its first token', order(), true, 2000],
    ['a JSON answer also gets three times its decode time', order({ stream: false, maxTokens: 100 }), true, 5000],
    ['a JSON answer without limit is taken for 2,048 tokens', order({ stream: false, deadlineMs: 600_000 }), true, 63_440],
    ['vectors are not waited for as long as text', order({ stream: false, operation: 'embeddings' }), true, 12_000],
    ['a picture is', order({ stream: false, operation: 'images', deadlineMs: 600_000 }), true, 92_000],
    ['the last candidate has at least 20 s for its first token', order(), false, 20_000],
    ['and a JSON answer of the last one its decode time on top', order({ stream: false, maxTokens: 100 }), false, 23_000],
    ['no attempt takes more than half of the rest while others are left', order({ deadlineMs: 3000 }), true, 1500],
    ['the last one may take all of the rest', order({ deadlineMs: 1500 }), false, 1500],
    ['nothing is left after the deadline', order({ deadlineMs: -5 }), false, 0],
  ])('%s', (_name, given, othersLeft, expectedMs) => {
    expect(attemptTimeoutMs(paced, given, othersLeft, NOW_MS)).toBe(expectedMs);
  });

  it('a stall lasts 30 tokens, at least 5 s', () => {
    expect([stallTimeoutMs(10), stallTimeoutMs(1000)]).toEqual([5000, 30_000]);
  });
});
