import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AttemptFailure } from '#schema/attempt';
import type { ChatChoice } from '#schema/chat';
import type { StreamEvent } from '#schema/reply';
import { freezeClock, releaseClock, settleDown } from '#test/support/fake-clock';
import { BROKE, DONE, chunkOf, says, finishes, start, payloads, parsed } from './relayed.ts';

beforeEach(freezeClock);
afterEach(releaseClock);

describe('the end', () => {
  it('T3: [DONE] without a finish reason becomes stop, for the client and for the receipt', async () => {
    const { readAll, ends, tally } = start([[says('a')], [DONE]]);
    const chunks = parsed(await readAll());
    expect(chunks[1].choices).toEqual([{ index: 0, delta: {}, finish_reason: 'stop' }]);
    expect(tally.finishReason).toBe('stop');
    expect(ends).toEqual([{ state: 'completed' }]);
  });

  it('T3: every choice left open at [DONE] is finished, the others are not finished twice', async () => {
    const { readAll } = start([[says('a', 0), says('b', 1), says('c', 2)], [finishes('length', 1)], [DONE]]);
    const reasons = parsed(await readAll()).flatMap(({ choices }) =>
      choices.flatMap(({ index, finish_reason }: ChatChoice) => (finish_reason === null ? [] : [[index, finish_reason]])),
    );
    expect(reasons).toEqual([
      [1, 'length'],
      [0, 'stop'],
      [2, 'stop'],
    ]);
  });

  it('an empty delta after the finish does not open the choice again', async () => {
    const trailing = chunkOf([{ index: 0, delta: { content: '' }, finish_reason: null }]);
    const { readAll, ends } = start([[says('a')], [finishes('length')], [trailing]]);
    const reasons = parsed(await readAll()).flatMap(({ choices }) => choices.map(({ finish_reason }: ChatChoice) => finish_reason));
    expect(reasons).toEqual([null, 'length', null]);
    expect(ends).toEqual([{ state: 'completed' }]);
  });

  it('T3: bytes that end after every finish reason are a whole answer', async () => {
    const { readAll, ends } = start([[says('a')], [finishes()]]);
    expect(payloads(await readAll()).at(-1)).toBe('[DONE]');
    expect(ends).toEqual([{ state: 'completed' }]);
  });

  it('T3: bytes that end before a finish reason are an interruption', async () => {
    const { readAll, ends } = start([[says('a')]]);
    const writes = await readAll();
    expect(writes.join('')).not.toContain('[DONE]');
    expect(ends).toMatchObject([{ state: 'interrupted', failure: { kind: 'protocol' } }]);
  });

  it('T3: bytes that end while one of two choices is open are an interruption', async () => {
    const { readAll, ends } = start([[says('a', 0), says('b', 1)], [finishes('stop', 0)]]);
    await readAll();
    expect(ends).toMatchObject([{ state: 'interrupted' }]);
  });

  it('trouble after every choice has finished costs the client nothing', async () => {
    const { readAll, ends } = start([[says('a')], [finishes()], [{ kind: 'failure', failure: BROKE }]]);
    const writes = await readAll();
    expect(payloads(writes).at(-1)).toBe('[DONE]');
    expect(writes.join('')).not.toContain('"error"');
    expect(ends).toEqual([{ state: 'completed' }]);
  });

  it('T4: an error in the middle is one error event of the documented shape, and the last event', async () => {
    const { readAll, ends } = start([[says('a')], [{ kind: 'failure', failure: BROKE }], [says('never')]]);
    const writes = await readAll();
    const [, error, ...rest] = parsed(writes);
    expect(rest).toEqual([]);
    expect(error).toEqual({
      id: 'gen-1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm/x',
      provider: 'P',
      error: {
        code: 502,
        message: 'broke: reset',
        type: 'server_error',
        param: null,
        metadata: { error_type: 'provider_unavailable', headrace_code: 'upstream_failed' },
      },
      choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }],
    });
    expect(writes.join('')).not.toContain('[DONE]');
    expect(ends).toEqual([{ state: 'interrupted', failure: BROKE }]);
  });

  it('content and an error in one read both go out', async () => {
    const { readAll } = start([[says('a'), { kind: 'failure', failure: BROKE }]]);
    expect(parsed(await readAll()).map((chunk) => 'error' in chunk)).toEqual([false, true]);
  });
});

describe('T9: a client that leaves', () => {
  it.each<[string, (readonly StreamEvent[] | 'hang')[]]>([
    ['in the middle', [[says('a')], 'hang']],
    ['after the last token', [[says('a'), finishes()], 'hang']],
  ])('%s: the upstream is cancelled and the request ends once', async (_name, batches) => {
    const { read, reader, ends, state } = start(batches);
    await read();
    await reader.cancel();
    await settleDown();
    expect(state.cancels).toBe(1);
    expect(ends).toEqual([{ state: 'cancelled' }]);
  });

  it('before any upstream has answered: the request ends once', async () => {
    const { reader, ends } = start([], { opening: new Promise(() => undefined) });
    await reader.cancel();
    expect(ends).toEqual([{ state: 'cancelled' }]);
  });

  it('and is noticed by the upstream call first: cancelled, not interrupted, and nothing is said', async () => {
    const cancelled: AttemptFailure = { kind: 'cancelled', origin: 'local', detail: 'the client left' };
    const { readAll, ends } = start([[says('a')], [{ kind: 'failure', failure: cancelled }]]);
    expect(parsed(await readAll())).toHaveLength(1);
    expect(ends).toEqual([{ state: 'cancelled' }]);
  });
});

describe('reasoning that the caller excludes', () => {
  it('is counted and not sent', async () => {
    const thinks = chunkOf([{ index: 0, delta: { reasoning: 'secret thought' }, finish_reason: null }]);
    const { readAll, tally } = start([[thinks], [says('a')], [finishes()], [DONE]], { hidesReasoning: true });
    expect((await readAll()).join('')).not.toContain('secret');
    expect(tally.reasoningTokens).toBeGreaterThan(0);
  });
});
