import { describe, expect, it } from 'vitest';
import { collect, type Collected } from '#src/ledger/idempotency/collect';
import { SoleRun } from '#src/ledger/idempotency/sole-run';

const COMPLETED = { state: 'completed', chargedNanoUsd: 5 } as const;

/** An answer whose pieces come when the test says so, and what is made of it. */
function open({ bytesMax = 100, stopsWithRun = false } = {}) {
  const run = new SoleRun('gen-1');
  const kept: Collected[] = [];
  const keeping = { done: Promise.resolve() };
  let source!: ReadableStreamDefaultController<Uint8Array>;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => void (source = controller),
    cancel: () => {
      cancelled = true;
      run.settle({ state: 'cancelled', chargedNanoUsd: 2 });
    },
  });
  run.signal.addEventListener('abort', () => {
    if (stopsWithRun) source.close();
  });
  const answer = collect(stream, {
    run,
    bytesMax,
    onComplete: async (collected) => {
      kept.push(collected);
      await keeping.done;
    },
  });
  return {
    run,
    kept,
    keeping,
    reader: answer.getReader(),
    say: (text: string) => source.enqueue(new TextEncoder().encode(text)),
    close: () => source.close(),
    fail: () => source.error(new Error('gone')),
    wasCancelled: () => cancelled,
  };
}

const textOf = (bytes: Uint8Array | null | undefined) => (bytes ? new TextDecoder().decode(bytes) : bytes);
const turn = () => new Promise((resolve) => void setTimeout(resolve, 0));

describe('an answer on its way', () => {
  it('goes on piece by piece, and is whole in the end', async () => {
    const { reader, say, close, run, kept } = open();
    for (const piece of ['one ', 'two ']) {
      say(piece);
      expect(textOf((await reader.read()).value)).toBe(piece);
    }
    run.settle(COMPLETED);
    say('three');
    close();
    expect(textOf((await reader.read()).value)).toBe('three');
    expect((await reader.read()).done).toBe(true);
    expect(kept.map(textOf)).toEqual(['one two three']);
  });

  it('gives its last piece only once it is kept', async () => {
    const { reader, say, close, run, kept, keeping } = open();
    const stored = Promise.withResolvers<void>();
    keeping.done = stored.promise;
    let last: string | null | undefined;
    const reading = reader.read().then(({ value }) => (last = textOf(value)));
    run.settle(COMPLETED);
    say('all of it');
    close();
    await turn();
    expect([kept.map(textOf), last]).toEqual([['all of it'], undefined]);
    stored.resolve();
    await reading;
    expect(last).toBe('all of it');
  });

  it('is read to its end when the client leaves', async () => {
    const { reader, say, close, run, kept, wasCancelled } = open();
    say('one ');
    await reader.read();
    await reader.cancel();
    say('two ');
    await turn();
    run.settle(COMPLETED);
    say('three');
    close();
    await turn();
    expect([kept.map(textOf), wasCancelled()]).toEqual([['one two three'], false]);
  });

  it('that is too long goes on, and is not kept; from there it ends with its client', async () => {
    const { reader, say, kept, run, wasCancelled } = open({ bytesMax: 5 });
    say('one ');
    say('two ');
    for (const piece of ['one ', 'two ']) expect(textOf((await reader.read()).value)).toBe(piece);
    expect([run.keeps, run.signal.aborted]).toEqual([false, false]);
    await reader.cancel();
    await turn();
    expect([kept, run.signal.aborted, wasCancelled()]).toEqual([[null], true, true]);
  });

  it('that becomes too long after its client has left ends there', async () => {
    const { reader, say, kept, run } = open({ bytesMax: 5 });
    say('one ');
    await reader.read();
    await reader.cancel();
    expect(run.signal.aborted).toBe(false);
    say('two ');
    await turn();
    expect([kept, run.signal.aborted]).toEqual([[null], true]);
  });

  it('that breaks breaks for the client, too, and is not kept', async () => {
    const { reader, say, fail, kept } = open();
    say('one ');
    await reader.read();
    fail();
    await expect(reader.read()).rejects.toThrow('gone');
    expect(kept).toEqual([null]);
  });

  it('of a run that was stopped is half an answer, and not kept', async () => {
    const { reader, say, run, kept } = open({ stopsWithRun: true });
    say('one ');
    await reader.read();
    run.stop();
    await reader.read();
    expect(kept).toEqual([null]);
  });
});

describe('a run under zero retention', () => {
  it('ends with its client, whichever of the two is known first', () => {
    const [early, late] = [new SoleRun('gen-1'), new SoleRun('gen-2')];
    early.leave();
    expect(early.signal.aborted).toBe(false);
    early.admit({ minTier: 'zero_retention' });
    late.admit({ minTier: 'attested' });
    expect([late.keeps, late.signal.aborted]).toEqual([false, false]);
    late.leave();
    expect([early.signal.aborted, late.signal.aborted]).toEqual([true, true]);
  });

  it('is no lower tier’s', () => {
    const run = new SoleRun('gen-1');
    run.admit({ minTier: 'no_training' });
    run.leave();
    expect([run.keeps, run.signal.aborted]).toEqual([true, false]);
  });
});
