import { describe, expect, it } from 'vitest';
import { createClock, type Clock } from '#bench/sim/clock';
import type { CallFailure, CallListener, CallOrder, SimTimer, Stage } from '#bench/sim/contract';
import { createCatalogue } from '#bench/sim/headrace/offers';
import { createUpstream } from '#bench/sim/headrace/upstream';
import type { AttemptOrder } from '#src/dispatch/attempt';
import type { Ask } from '#src/dispatch/ask';
import type { AttemptResult } from '#src/dispatch/read-answer';
import { targetOf } from '#src/dispatch/target';
import { createWatchdog, type Watchdog } from '#src/dispatch/watchdog';
import { PLAIN, requestOf } from '../world/fixtures.ts';

/** A stage on which calls do nothing by themselves: the test says what they hear. */
function createLab() {
  const clock: Clock = createClock();
  const calls: { order: CallOrder; listener: CallListener; isCancelled: boolean }[] = [];
  const stage = {
    now: clock.now,
    call(order: CallOrder) {
      const call = { order, listener: order.listener, isCancelled: false };
      calls.push(call);
      return { cancel: () => void (call.isCancelled = true) };
    },
  } as unknown as Stage;
  const [entry] = createCatalogue({ tellsCapacity: true })([PLAIN]);
  const offer = entry?.offers[0] as AttemptOrder['offer'];
  const call = createUpstream(stage, { request: requestOf(), isolate: 3, now: clock.now });
  const watch = (): Watchdog =>
    createWatchdog({
      now: clock.now,
      timers: {
        set: (fire, delayMs) => clock.after(delayMs, fire),
        clear: (timer) => timer !== undefined && clock.clear(timer as SimTimer),
      },
      firstTokenTimeoutMs: 2_000,
      deadlineAtMs: 60_000,
      clientSignal: new AbortController().signal,
    });
  const send = (watchdog: Watchdog, continues?: string) => {
    const ask = { kind: 'chat', request: { model: 'm', messages: [] }, native: undefined, ...(continues && { continues }) } as Ask;
    return call({
      ask,
      offer,
      target: targetOf(offer, { secret: () => undefined }, false) as AttemptOrder['target'],
      watchdog,
      onHeaders() {},
    });
  };
  return { clock, calls, watch, send };
}

function streamOf(result: AttemptResult) {
  if (!('opened' in result) || result.opened.kind !== 'stream') throw new Error('the call did not open a stream');
  return result.opened.stream;
}

const HEARD = { cachedTokens: 0 };

describe('simulated upstream', () => {
  it('opens at the first token and hands out the rest as it comes, up to the end', async () => {
    const { calls, send, watch } = createLab();
    const pending = send(watch());
    calls[0]?.listener.tokens(1);
    const stream = streamOf(await pending);
    expect(await stream.next()).toMatchObject([{ kind: 'chunk', choices: [{ delta: { content: '水' } }] }]);
    const rest = stream.next();
    calls[0]?.listener.tokens(3);
    calls[0]?.listener.ended(null, HEARD);
    expect(await rest).toMatchObject([
      { choices: [{ delta: { content: '水水水' } }] },
      { choices: [{ finish_reason: 'stop' }] },
      { kind: 'done' },
    ]);
    expect(await stream.next()).toBeNull();
    expect(calls[0]?.order).toMatchObject({ endpointId: 'plain', isolate: 3, role: 'first' });
  });

  it('commits to nothing on a chunk without content', async () => {
    const { calls, send, watch } = createLab();
    const pending = send(watch());
    calls[0]?.listener.hollow?.();
    calls[0]?.listener.ended({ kind: 'nonsense' }, HEARD);
    expect(await pending).toMatchObject({ failure: { kind: 'protocol' } });
  });

  it('leaves the call when the first-token timeout strikes', async () => {
    const { clock, calls, send, watch } = createLab();
    const pending = send(watch());
    while (clock.step());
    expect(await pending).toMatchObject({ failure: { kind: 'timeout_first_token' } });
    expect(calls[0]?.isCancelled).toBe(true);
    expect(clock.now()).toBe(2_000);
  });

  it('leaves the call when a stream stalls, and says so in the stream', async () => {
    const { clock, calls, send, watch } = createLab();
    const watchdog = watch();
    const pending = send(watchdog);
    calls[0]?.listener.tokens(1);
    const stream = streamOf(await pending);
    watchdog.commit(5_000);
    await stream.next();
    const stalled = stream.next();
    while (clock.step());
    expect(await stalled).toMatchObject([{ kind: 'failure', failure: { kind: 'timeout_stall' } }]);
    expect(calls[0]?.isCancelled).toBe(true);
  });

  it('leaves the call when nobody reads the stream any more', async () => {
    const { calls, send, watch } = createLab();
    const pending = send(watch());
    calls[0]?.listener.tokens(1);
    streamOf(await pending).cancel();
    expect(calls[0]?.isCancelled).toBe(true);
  });

  it('sends nothing for an attempt that was ended before it began', async () => {
    const { calls, send, watch } = createLab();
    const watchdog = watch();
    watchdog.abort('cancelled', 'test');
    expect(await send(watchdog)).toMatchObject({ failure: { kind: 'cancelled' } });
    expect(calls[0]?.isCancelled).toBe(true);
  });

  it.each<{ failure: CallFailure; seen: object }>([
    { failure: { kind: 'connection' }, seen: { kind: 'connect', origin: 'local' } },
    { failure: { kind: 'nonsense' }, seen: { kind: 'protocol' } },
    { failure: { kind: 'error', status: 502 }, seen: { kind: 'upstream_error', status: 502 } },
    { failure: { kind: 'error', status: 401 }, seen: { kind: 'credential' } },
    { failure: { kind: 'refused', status: 429, retryAfterMs: 2_000 }, seen: { kind: 'capacity', retryAfterMs: 2_000 } },
    { failure: { kind: 'refused', status: 429, retryAfterMs: 9e12 }, seen: { kind: 'capacity', retryAfterMs: 300_000 } },
  ])('reads $failure.kind as the wire would', async ({ failure, seen }) => {
    const { calls, send, watch } = createLab();
    const pending = send(watch());
    calls[0]?.listener.ended(failure, HEARD);
    expect(await pending).toMatchObject({ failure: seen });
  });

  it('names what a call is for: the first, a hedge beside it, a fallback after it, a resume', async () => {
    const { calls, send, watch } = createLab();
    const first = send(watch());
    const hedge = send(watch());
    calls[0]?.listener.ended({ kind: 'connection' }, HEARD);
    calls[1]?.listener.ended({ kind: 'connection' }, HEARD);
    await Promise.all([first, hedge]);
    const fallback = send(watch());
    calls[2]?.listener.tokens(2);
    await fallback;
    void send(watch(), '水水');
    expect(calls.map(({ order }) => [order.role, order.deliveredTokens])).toEqual([
      ['first', 0],
      ['hedge', 0],
      ['fallback', 0],
      ['resume', 2],
    ]);
  });
});
