import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChatChoice } from '#schema/chat';
import { GatewayError } from '#schema/error';
import type { Usage } from '#schema/receipt';
import type { StreamSource } from '#src/metering/transcript';
import { toUsageBody } from '#src/skins/usage-body';
import { freezeClock, pass, releaseClock, settleDown } from '#test/support/fake-clock';
import { SETTLEMENT, USAGE, HEAD, DONE, COMMENT, chunkOf, says, finishes, start, payloads, parsed } from './relayed.ts';

beforeEach(freezeClock);
afterEach(releaseClock);

describe('frames', () => {
  it('are exactly those that strict clients accept', async () => {
    const first = chunkOf([{ index: 0, delta: { role: 'assistant', content: 'a' }, finish_reason: null }]);
    const { readAll } = start([[first], [finishes()], [DONE]]);
    expect((await readAll()).join('')).toBe(
      [
        `data: ${HEAD}"choices":[{"index":0,"delta":{"role":"assistant","content":"a"},"finish_reason":null}]}`,
        `data: ${HEAD}"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
        `data: ${HEAD}"choices":[],"usage":${JSON.stringify(toUsageBody(SETTLEMENT))}}`,
        'data: [DONE]',
        '',
      ].join('\n\n'),
    );
  });

  it('T8: a seam is not seen, and is counted', async () => {
    const seam = { kind: 'seam', failure: { kind: 'connect', origin: 'local', detail: 'reset' } } as const;
    const { readAll, tally } = start([[says('a')], [seam], [says('b')], [finishes()], [DONE]]);
    const { readAll: readUnbroken } = start([[says('a')], [says('b')], [finishes()], [DONE]]);
    expect(await readAll()).toEqual(await readUnbroken());
    expect(tally.broken).toMatchObject([{ deliveredChars: 1 }]);
    expect(tally.deliveredChars).toBe(1);
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
    const { readAll } = start([
      [chunkOf([{ index: 0, delta: { content: 'a' }, finish_reason: null }], { upstreamId: 'other' })],
      [says('b')],
      [finishes()],
      [DONE],
    ]);
    const chunks = parsed(await readAll());
    expect(chunks).toHaveLength(4);
    for (const chunk of chunks)
      expect(chunk).toMatchObject({ id: 'gen-1', model: 'm/x', provider: 'P', created: 1, object: 'chat.completion.chunk' });
  });

  it('T14: unknown fields, logprobs, reasoning and further choices pass unchanged', async () => {
    const choices: ChatChoice[] = [
      {
        index: 0,
        delta: { content: 'a', reasoning: 'hm', custom: { deep: [1] } },
        logprobs: { content: [{ token: 'a', logprob: -0.5 }] },
        finish_reason: null,
        seen: true,
      },
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
    const call = (index: number, text: string) =>
      chunkOf([{ index: 0, delta: { tool_calls: [{ index, function: { arguments: text } }] }, finish_reason: null }]);
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

describe('silence in the middle', () => {
  it('T11: is filled with comments, which end with the answer', async () => {
    const { read, reader } = start([[says('a')], 'hang']);
    expect(parsed([(await read())!])).toHaveLength(1);
    const reading = read();
    await pass(4000);
    expect(await reading).toBe(COMMENT);
    await reader.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no timer behind when the answer has ended', async () => {
    await start([[says('a')], [finishes()], [DONE]]).readAll();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('while the opening is pending', () => {
  it('T11: comments keep the connection alive, then the answer comes whole', async () => {
    const opening = Promise.withResolvers<StreamSource>();
    const run = start([[says('a')], [finishes()], [DONE]], { opening: opening.promise });
    for (let comments = 0; comments < 3; comments++) {
      const reading = run.read();
      await pass(4000);
      expect(await reading).toBe(COMMENT);
    }
    opening.resolve(run.source);
    const rest = await run.readAll();
    expect(parsed(rest).map(({ choices }) => choices.length)).toEqual([1, 1, 0]);
    expect(payloads(rest).at(-1)).toBe('[DONE]');
  });

  it('I9: a client that does not read gets no pile of comments', async () => {
    const run = start([], { opening: new Promise(() => undefined) });
    await pass(600_000);
    await run.read();
    const next = run.read();
    await pass(0);
    expect(await Promise.race([next, settleDown().then(() => 'nothing')])).toBe('nothing');
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
      {
        id: 'gen-1',
        error: { code: 503, message: 'Nothing left.', metadata: { error_type: 'provider_overloaded' } },
        choices: [{ finish_reason: 'error' }],
      },
    ]);
    expect(writes.join('')).not.toContain('[DONE]');
    expect(ends).toEqual([{ state: 'failed', error }]);
  });
});

describe('an event that cannot be written', () => {
  it('ends the stream with an error, settles it once and stops the upstream', async () => {
    const poison = chunkOf([{ index: 0, delta: { content: 'x' }, finish_reason: null }], { extra: { toll: 1n } });
    const { readAll, ends, state } = start([[says('a')], [poison], [says('b')]]);
    const events = parsed(await readAll());
    expect(events.map((event) => event.choices[0].finish_reason)).toEqual([null, 'error']);
    expect(events.at(-1)).toMatchObject({ error: { code: 502 } });
    expect(ends).toEqual([{ state: 'interrupted', failure: expect.objectContaining({ kind: 'protocol' }) }]);
    expect(state.cancels).toBe(1);
  });
});
