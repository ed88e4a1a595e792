import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RUNTIME_TIMERS } from '#schema/timers';
import { openBytes } from '#src/dispatch/open-bytes';
import { createWatchdog } from '#src/dispatch/watchdog';
import { freezeClock, NOW_MS, pass, releaseClock } from '#test/support/fake-clock';

const STALL_MS = 30_000;

beforeEach(freezeClock);
afterEach(releaseClock);

/** An upstream that sends when it is told to, and breaks when the watchdog hangs up. */
function upstream() {
  let sender!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (controller) => void (sender = controller) });
  const { signal } = new AbortController();
  const watchdog = createWatchdog({
    now: Date.now,
    timers: RUNTIME_TIMERS,
    firstTokenTimeoutMs: 4000,
    deadlineAtMs: NOW_MS + 600_000,
    clientSignal: signal,
  });
  watchdog.signal.addEventListener('abort', () => sender.error(new Error('hung up')));
  const send = (...bytes: number[]) => sender.enqueue(Uint8Array.from(bytes));
  return { opening: openBytes(body, watchdog), watchdog, send, end: () => sender.close() };
}

/** The same after its first byte, with the reader that a client would have. */
async function opened() {
  const source = upstream();
  source.send(1);
  const reader = (await source.opening)!.getReader();
  source.watchdog.commit(STALL_MS);
  await reader.read();
  return { ...source, reader };
}

describe('a binary answer', () => {
  it('is passed on as it comes', async () => {
    const { opening, send, end } = upstream();
    send(1, 2);
    const bytes = new Response(await opening).bytes();
    send(3);
    end();
    expect([...(await bytes)]).toEqual([1, 2, 3]);
  });

  it('without a byte is no answer', async () => {
    const { opening, end } = upstream();
    end();
    expect(await opening).toBeNull();
  });

  it('I10: that never begins ends with the time for a first token', async () => {
    const { opening, watchdog } = upstream();
    const failed = expect(opening).rejects.toThrow('hung up');
    await pass(4000);
    await failed;
    expect(watchdog.verdict()?.kind).toBe('timeout_first_token');
  });

  it('I10: that falls silent is ended', async () => {
    const { reader, watchdog } = await opened();
    const failed = expect(reader.read()).rejects.toThrow('hung up');
    await pass(STALL_MS);
    await failed;
    expect(watchdog.verdict()?.kind).toBe('timeout_stall');
  });

  it('I9: is not ended because its reader takes its time', async () => {
    const { reader, watchdog, send } = await opened();
    send(2);
    await pass(10 * STALL_MS);
    expect(watchdog.verdict()).toBeNull();
    expect((await reader.read()).value).toEqual(Uint8Array.of(2));
  });
});
