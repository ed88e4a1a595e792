import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '#schema/error';
import type { Receipt } from '#schema/receipt';
import type { ClientChat, ClientUnit } from '#schema/skin';
import { createAnswers } from '#src/answer';
import type { DispatchResult } from '#src/dispatch/dispatch';
import type { Hold, Ledger } from '#src/ledger/ledger';
import { createTally } from '#src/metering/tally';
import type { Passage } from '#src/passage';
import { createSettler } from '#src/settle';
import { chat } from '#src/skins/chat/chat';
import { caught } from '#test/support/caught';
import { freezeClock, pass, releaseClock, settleDown } from '#test/support/fake-clock';
import { sampleReceipt } from './ledger/sample-receipt.ts';

/** A request on its way, over a ledger that notes what becomes of its hold. */
function setUp({ isWritable = true } = {}) {
  const settled: Receipt[] = [];
  const background: Promise<unknown>[] = [];
  const hold: Hold = { teamId: 't1', amountNanoUsd: 1000, parts: [], settlement: null, leads: true };
  let releases = 0;
  const ledger = {
    settle(held: Hold, receipt: Receipt) {
      settled.push(receipt);
      return (held.settlement ??= Promise.resolve());
    },
    release(held: Hold) {
      if (held.settlement === null) releases++;
      held.settlement ??= Promise.resolve();
    },
  } as Partial<Ledger> as Ledger;
  const { plan: record } = sampleReceipt();
  const { client } = readClient(true);
  const passage = {
    id: 'gen-1',
    api: 'chat',
    call: {
      headers: new Headers(),
      answerHeaders: {},
      signal: new AbortController().signal,
      arrivedAtMs: Date.now(),
      waitUntil: (work: Promise<unknown>) => void background.push(work),
    },
    admission: {
      caller: { keyId: 'k1' },
      team: { id: 't1' },
      policy: { name: 'p', version: 1 },
      request: { model: 'm' },
      facts: { stream: true },
    },
    plan: {
      candidates: [],
      record: () => {
        if (!isWritable) throw new Error('cannot be written');
        return record;
      },
    },
    hold,
    limits: {},
    trail: [],
    skipped: [],
    tally: createTally(),
    dispatchedAtMs: Date.now(),
    left: new AbortController(),
  } as unknown as Passage;
  const settler = createSettler({ ledger, now: Date.now, onSettled: () => undefined });
  const dispatched = Promise.withResolvers<DispatchResult>();
  const answers = createAnswers({ settler, dispatch: () => dispatched.promise, now: Date.now });
  return { passage, settler, answers, dispatched, client, settled, background, releases: () => releases };
}

function readClient(stream: boolean): { client: ClientChat } {
  return { client: chat.read({ model: 'm', stream, messages: [{ role: 'user', content: 'hi' }] }, new Headers()) };
}

beforeEach(freezeClock);
afterEach(releaseClock);

describe('M10: a request that breaks inside the router', () => {
  it('is settled as failed, and its hold is given back once', () => {
    const { passage, settler, settled, releases } = setUp();
    settler.abandon(passage);
    settler.abandon(passage);
    expect(settled).toMatchObject([{ state: 'failed', chargedNanoUsd: 0, errorCode: 'internal_error' }]);
    expect(releases()).toBe(0);
  });

  it('gives its hold back even when no receipt can be written', () => {
    const { passage, settler, settled, releases } = setUp({ isWritable: false });
    settler.abandon(passage);
    expect(settled).toEqual([]);
    expect(releases()).toBe(1);
  });

  it('behind headers ends its stream with an error and is settled', async () => {
    const { passage, answers, dispatched, client, settled } = setUp();
    const answering = answers.stream(passage, client);
    await pass(10_000);
    const response = await answering;
    dispatched.reject(new Error('broken'));
    expect(await response.text()).toContain('"code":500');
    expect(settled).toMatchObject([{ state: 'failed', errorCode: 'internal_error' }]);
  });

  it('behind a client that has left is settled as well', async () => {
    const { passage, answers, dispatched, client, settled, background } = setUp();
    const answering = answers.stream(passage, client);
    await pass(10_000);
    const response = await answering;
    await response.body?.cancel();
    expect(settled).toEqual([]);
    dispatched.reject(new Error('broken'));
    await Promise.allSettled(background);
    expect(settled).toMatchObject([{ state: 'failed', errorCode: 'internal_error' }]);
  });

  it('in the last words of a stream gives its hold back', async () => {
    const { passage, answers, dispatched, client, releases } = setUp({ isWritable: false });
    const answering = answers.stream(passage, client);
    await pass(10_000);
    const response = await answering;
    dispatched.resolve({ error: new GatewayError('upstream_failed', 'none is left') });
    await caught(response.text()).catch(() => undefined);
    await settleDown();
    expect(releases()).toBe(1);
  });
});

describe('a request that no upstream answers', () => {
  it('is settled once, with the error that its client is told', async () => {
    const { passage, answers, dispatched, settled, releases } = setUp();
    dispatched.resolve({ error: new GatewayError('upstream_failed', 'none is left') });
    const failure = await caught(answers.unit(passage, { body: {} } as unknown as ClientUnit, 'embeddings'));
    expect(failure).toMatchObject({ code: 'upstream_failed', headers: { 'x-generation-id': 'gen-1' } });
    expect(settled).toMatchObject([{ state: 'failed', errorCode: 'upstream_failed' }]);
    expect(releases()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
