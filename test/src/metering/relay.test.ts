import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AttemptFailure } from '#schema/attempt';
import type { ChatChoice } from '#schema/chat';
import { GatewayError } from '#schema/error';
import type { Usage } from '#schema/receipt';
import type { ReplyChunk, StreamEvent } from '#schema/reply';
import { relayStream, type RelaySource, type StreamEnd } from '#src/metering/relay';
import { createTally } from '#src/metering/tally';
import { toUsageBody } from '#src/metering/usage-body';
import { freezeClock, pass, releaseClock, settleDown } from '#test/support/fake-clock';

beforeEach(freezeClock);
afterEach(releaseClock);

const USAGE: Usage = { source: 'reported', promptTokens: 1, completionTokens: 1, reasoningTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
const HEAD = '{"id":"gen-1","object":"chat.completion.chunk","created":1,"model":"m/x","provider":"P",';
const BROKE: AttemptFailure = { kind: 'connect', origin: 'local', detail: 'reset' };
const DONE: StreamEvent = { kind: 'done' };

function chunkOf(choices: ChatChoice[], over: Partial<ReplyChunk> = {}): ReplyChunk {
  return { kind: 'chunk', upstreamId: 'up-1', choices, usage: null, extra: null, ...over };
}
const says = (content: string, index = 0) => chunkOf([{ index, delta: { content }, finish_reason: null }]);
const finishes = (finish_reason = 'stop', index = 0) => chunkOf([{ index, delta: {}, finish_reason }]);

interface Setup {
  opening?: Promise<RelaySource | { error: GatewayError }>;
  lastWords?: object | null;
}

/** Relays batches of events; each batch is one read of the upstream. `hang` leaves the last read open. */
function start(batches: (readonly StreamEvent[] | 'hang')[], { opening, lastWords = { usage: toUsageBody(USAGE, null, 0) } }: Setup = {}) {
  const ends: StreamEnd[] = [];
  const tally = createTally();
  const state = { cancels: 0, reads: 0 };
  const source: RelaySource = {
    model: 'm/x',
    provider: 'P',
    stream: {
      next() {
        const batch = batches[state.reads++] ?? null;
        return batch === 'hang' ? new Promise(() => undefined) : Promise.resolve(batch);
      },
      cancel() {
        state.cancels++;
      },
    },
  };
  const body = relayStream({
    id: 'gen-1',
    createdAtS: 1,
    tally,
    now: Date.now,
    opening: opening ?? Promise.resolve(source),
    onEnd(end) {
      ends.push(end);
      return end.state === 'completed' ? lastWords : null;
    },
    toError: (failure) => new GatewayError('upstream_failed', `broke: ${failure.detail}`),
  });
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const read = async (): Promise<string | null> => {
    const { done, value } = await reader.read();
    return done ? null : decoder.decode(value);
  };
  const readAll = async (): Promise<string[]> => {
    const writes: string[] = [];
    for (let write = await read(); write !== null; write = await read()) writes.push(write);
    return writes;
  };
  return { read, readAll, reader, ends, tally, state, source };
}

/** Splits what a client read into payloads of `data:` events. */
function payloads(writes: readonly string[]): string[] {
  return writes
    .join('')
    .split('\n\n')
    .filter((event) => event !== '' && !event.startsWith(':'))
    .map((event) => event.replace(/^data: /, ''));
}
const parsed = (writes: readonly string[]) =>
  payloads(writes)
    .filter((payload) => payload !== '[DONE]')
    .map((payload) => JSON.parse(payload));

describe('frames', () => {
  it('are exactly those that strict clients accept', async () => {
    const first = chunkOf([{ index: 0, delta: { role: 'assistant', content: 'a' }, finish_reason: null }]);
    const { readAll } = start([[first], [finishes()], [DONE]]);
    expect((await readAll()).join('')).toBe(
      [
        `data: ${HEAD}"choices":[{"index":0,"delta":{"role":"assistant","content":"a"},"finish_reason":null}]}`,
        `data: ${HEAD}"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
        `data: ${HEAD}"choices":[],"usage":${JSON.stringify(toUsageBody(USAGE, null, 0))}}`,
        'data: [DONE]',
        '',
      ].join('\n\n'),
    );
  });

  it('one read of the upstream is one write to the client, and nothing is held back', async () => {
    const { read, state } = start([[says('a'), says('b')], [says('c')], 'hang']);
    expect(parsed([(await read())!])).toHaveLength(2);
    expect(parsed([(await read())!])).toHaveLength(1);
    expect(state.reads).toBeLessThanOrEqual(3);
  });

  it('a client that does not read is not read ahead for without bound (I9)', async () => {
    const { state } = start(Array.from({ length: 100 }, () => [says('x')]));
    await settleDown();
    expect(state.reads).toBeLessThanOrEqual(2);
  });

  it('T6: usage goes out exactly once, after all choices, whatever the upstream sent and when', async () => {
    const counted = (completionTokens: number): Usage => ({ ...USAGE, completionTokens });
    const { readAll, tally } = start([
      [chunkOf([{ index: 0, delta: { content: 'a' }, finish_reason: null }], { usage: counted(1) })],
      [chunkOf([{ index: 0, delta: {}, finish_reason: 'stop' }], { usage: counted(2) })],
      [chunkOf([], { usage: counted(3) })],
      [DONE],
    ]);
    const writes = await readAll();
    const chunks = parsed(writes);
    expect(chunks.filter((chunk) => 'usage' in chunk)).toEqual([chunks.at(-1)]);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 2 } });
    expect(payloads(writes).at(-1)).toBe('[DONE]');
    expect(tally.reported?.completionTokens).toBe(3);
  });

  it('every choice has a finish_reason key', async () => {
    const bare = { index: 0, delta: { content: 'a' } } as unknown as ChatChoice;
    const { readAll } = start([[chunkOf([bare])], [finishes()], [DONE]]);
    expect(parsed(await readAll())[0].choices).toEqual([{ index: 0, delta: { content: 'a' }, finish_reason: null }]);
  });

  it('T8: id, model and provider are ours in every chunk', async () => {
    const { readAll } = start([[chunkOf([{ index: 0, delta: { content: 'a' }, finish_reason: null }], { upstreamId: 'other' })], [says('b')], [finishes()], [DONE]]);
    const chunks = parsed(await readAll());
    expect(chunks).toHaveLength(4);
    for (const chunk of chunks) expect(chunk).toMatchObject({ id: 'gen-1', model: 'm/x', provider: 'P', created: 1, object: 'chat.completion.chunk' });
  });

  it('T14: unknown fields, logprobs, reasoning and further choices pass unchanged', async () => {
    const choices: ChatChoice[] = [
      { index: 0, delta: { content: 'a', reasoning: 'hm', custom: { deep: [1] } }, logprobs: { content: [{ token: 'a', logprob: -0.5 }] }, finish_reason: null, seen: true },
      { index: 1, delta: { content: 'b' }, finish_reason: null },
    ];
    const extra = { service_tier: 'flex', system_fingerprint: 'fp', nothing: null, absent: undefined, 'odd"name': [1] };
    const { readAll } = start([[chunkOf(structuredClone(choices), { extra })], [finishes(), finishes('length', 1)], [DONE]]);
    const [first] = parsed(await readAll());
    expect(first.choices).toEqual(choices);
    expect(first).toMatchObject({ service_tier: 'flex', system_fingerprint: 'fp', 'odd"name': [1] });
    expect(first).not.toHaveProperty('nothing');
  });

  it('T7: tool-call deltas pass in their order', async () => {
    const call = (index: number, text: string) => chunkOf([{ index: 0, delta: { tool_calls: [{ index, function: { arguments: text } }] }, finish_reason: null }]);
    const { readAll } = start([[call(0, '{"a'), call(1, '{"b'), call(0, '":1}'), call(1, '":2}')], [finishes('tool_calls')], [DONE]]);
    const calls = parsed(await readAll()).flatMap(({ choices }) => choices.flatMap(({ delta }: ChatChoice) => delta?.tool_calls ?? []));
    expect(calls.map(({ index, function: called }) => [index, called.arguments])).toEqual([
      [0, '{"a'],
      [1, '{"b'],
      [0, '":1}'],
      [1, '":2}'],
    ]);
  });
});

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

describe('while the opening is pending', () => {
  it('T11: keep-alive comments go out every 5 s, then the answer', async () => {
    const opening = Promise.withResolvers<RelaySource>();
    const run = start([[says('a')], [finishes()], [DONE]], { opening: opening.promise });
    const writes: (string | null)[] = [];
    for (let comments = 0; comments < 3; comments++) {
      const reading = run.read();
      await pass(5000);
      writes.push(await reading);
    }
    opening.resolve(run.source);
    const rest = await run.readAll();
    expect(writes).toEqual([': HEADRACE PROCESSING\n\n', ': HEADRACE PROCESSING\n\n', ': HEADRACE PROCESSING\n\n']);
    expect(payloads(rest).at(-1)).toBe('[DONE]');
  });

  it('no comment goes out where the upstream has answered already', async () => {
    const { readAll } = start([[says('a')], [finishes()], [DONE]]);
    expect((await readAll()).join('')).not.toContain('PROCESSING');
  });

  it('a final failure is the error event, and no [DONE] follows', async () => {
    const error = new GatewayError('no_endpoint_available', 'Nothing left.');
    const { readAll, ends } = start([], { opening: Promise.resolve({ error }) });
    const writes = await readAll();
    expect(parsed(writes)).toMatchObject([
      { id: 'gen-1', error: { code: 503, message: 'Nothing left.', metadata: { error_type: 'provider_overloaded' } }, choices: [{ finish_reason: 'error' }] },
    ]);
    expect(writes.join('')).not.toContain('[DONE]');
    expect(ends).toEqual([{ state: 'failed', error }]);
  });
});
