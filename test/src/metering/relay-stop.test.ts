import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChatChoice } from '#schema/chat';
import type { StopLine } from '#src/metering/stop-line';
import { freezeClock, releaseClock } from '#test/support/fake-clock';
import { BROKE, chunkOf, DONE, finishes, parsed, payloads, says, start, USAGE } from './relayed.ts';

beforeEach(freezeClock);
afterEach(releaseClock);

/** Two of our tokens, which are eight characters. */
const LINE: StopLine = { countedTokensMost: 2, reportedTokensMost: 2 };

const reasonsOf = (writes: readonly string[]) =>
  parsed(writes).flatMap(({ choices }) => choices.flatMap(({ finish_reason: reason }: ChatChoice) => (reason === null ? [] : [reason])));

describe('a stream that reaches what was held', () => {
  it('ends with the reason length behind the event that went over, and the upstream is stopped', async () => {
    const { readAll, ends, tally, state } = start([[says('12345678')], [says('9'), says('never')], 'hang'], { lines: [LINE] });
    const writes = await readAll();
    const text = parsed(writes)
      .map(({ choices }) => choices[0]?.delta?.content ?? '')
      .join('');
    expect(text).toBe('123456789');
    expect(reasonsOf(writes)).toEqual(['length']);
    expect(payloads(writes).at(-1)).toBe('[DONE]');
    expect(ends).toEqual([{ state: 'completed', atHold: true }]);
    expect(state.cancels).toBe(1);
    expect(tally.finishReason).toBe('length');
  });

  it('ends every choice that is open', async () => {
    const { readAll } = start([[says('1234', 0), says('5678', 1), finishes('stop', 2), says('9', 1)], 'hang'], { lines: [LINE] });
    expect(reasonsOf(await readAll())).toEqual(['stop', 'length', 'length']);
  });

  it('ends at what the upstream reports, even where we count less', async () => {
    const reports = chunkOf([{ index: 0, delta: { content: 'abc' }, finish_reason: null }], { usage: { ...USAGE, completionTokens: 3 } });
    const { readAll, ends } = start([[reports], 'hang'], { lines: [LINE] });
    expect(reasonsOf(await readAll())).toEqual(['length']);
    expect(ends).toEqual([{ state: 'completed', atHold: true }]);
  });

  it('is left alone when it has said how it finished: usage that comes last cuts nothing', async () => {
    const trailer = chunkOf([], { usage: { ...USAGE, completionTokens: 3 } });
    const { readAll, ends } = start([[says('12345678')], [finishes('stop')], [trailer, DONE]], { lines: [LINE] });
    expect(reasonsOf(await readAll())).toEqual(['stop']);
    expect(ends).toEqual([{ state: 'completed' }]);
  });

  it('has another line behind a seam', async () => {
    const seam = { kind: 'seam' as const, failure: BROKE };
    const free = start(
      [
        [says('12345678'), seam],
        [says('12345678'), finishes(), DONE],
      ],
      { lines: [LINE, LINE] },
    );
    expect(reasonsOf(await free.readAll())).toEqual(['stop']);
    const tight = start([[says('12345678'), seam], [says('1'), says('never')], 'hang'], {
      lines: [LINE, { countedTokensMost: 0, reportedTokensMost: 0 }],
    });
    expect(reasonsOf(await tight.readAll())).toEqual(['length']);
  });
});
