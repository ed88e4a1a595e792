import { describe, expect, it } from 'vitest';
import type { ChatDelta } from '#schema/chat';
import { GatewayError } from '#schema/error';
import type { DecodedReply, ReplyChunk } from '#schema/reply';
import { anthropicMessages } from '#providers/wire/anthropic-messages';
import { playStream, readFixture, readJsonFixture, targetWith } from '#test/providers/answers';
import { seededRandom } from '#test/support/random-chunks';
import { accumulate, chunkOf, eventsOf, LABELS, read, SETTLEMENT, withoutCost, writeStream } from './support.ts';

const FORMAT = 'anthropic-claude-v1';
const call = (index: number, text: string, id?: string): ChatDelta => ({
  tool_calls: [
    { index, ...(id !== undefined && { id, type: 'function' }), function: { ...(id !== undefined && { name: 'f' }), arguments: text } },
  ],
});
const shape = (stream: string): string[] =>
  eventsOf(stream).map(({ type, index }) => (index === undefined ? type : `${type.replace('content_block_', '')} ${Number(index)}`));

describe('a stream put into the words of this API', () => {
  it('begins the message, says block after block, and ends with usage and cost', () => {
    const chunks = [
      chunkOf({ role: 'assistant', content: '' }),
      chunkOf({ content: 'a' }),
      chunkOf({ content: 'b' }),
      chunkOf({}, { finish_reason: 'stop' }),
    ];
    const events = eventsOf(writeStream(read(), chunks, { ...SETTLEMENT, routerMetadata: { attempt: 1 } }));
    expect(events).toMatchObject([
      {
        type: 'message_start',
        message: { id: 'gen-1', model: 'm/x', provider: 'P', role: 'assistant', content: [], usage: { output_tokens: 0 } },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'a' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'b' } },
      { type: 'content_block_stop', index: 0 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { input_tokens: 20, output_tokens: 9, cost: 0.003 },
        openrouter_metadata: { attempt: 1 },
      },
      { type: 'message_stop' },
    ]);
  });

  it('is whole even when nothing was said', () => {
    expect(shape(writeStream(read(), []))).toEqual(['message_start', 'message_delta', 'message_stop']);
  });

  it('says the arguments of mixed calls one call after the other, as early as it can', () => {
    const scribe = read().createScribe(LABELS);
    scribe.open(LABELS);
    scribe.write(chunkOf(call(0, '{"a":', '1')));
    expect(scribe.write(chunkOf(call(1, '{"b":', '2')))).toBe('');
    expect(shape(scribe.write(chunkOf(call(0, '1}'))))).toEqual(['delta 0', 'stop 0', 'start 1', 'delta 1']);
    expect(shape(scribe.write(chunkOf(call(1, '2}'))))).toEqual(['delta 1']);
    expect(shape(scribe.finish(SETTLEMENT, []))).toEqual(['stop 1', 'message_delta', 'message_stop']);
  });

  it('ends calls that were cut off, and says what waited behind them', () => {
    const stream = writeStream(read(), [chunkOf(call(0, '{"a', '1')), chunkOf(call(1, '{"b', '2')), chunkOf({ content: 'so' })]);
    expect(shape(stream).slice(1, -2)).toEqual([
      'start 0',
      'delta 0',
      'stop 0',
      'start 1',
      'delta 1',
      'stop 1',
      'start 2',
      'delta 2',
      'stop 2',
    ]);
  });

  it('signs thinking that nobody signed, as what only this house reads', () => {
    const stream = writeStream(read(), [chunkOf({ reasoning: 'hm' }), chunkOf({ content: 'ok' })]);
    expect(eventsOf(stream)).toContainEqual({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'signature_delta', signature: 'hr1:-:unsigned' },
    });
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))('adds up to the whole answer in the official client (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const { message, chunks } = randomAnswer(random);
    const finish_reason = message.tool_calls === undefined ? 'length' : 'tool_calls';
    const reply: DecodedReply = { upstreamId: 'up', choices: [{ index: 0, finish_reason, message }], usage: null, extra: {} };
    const client = read();
    const stream = writeStream(client, [...chunks, chunkOf({}, { finish_reason })]);
    expect(withoutCost(await accumulate(stream, seed))).toEqual(withoutCost(client.writeAnswer(LABELS, reply, SETTLEMENT)));
  });
});

describe("a stream in the upstream's own words", () => {
  const relayed = (name: string): string => {
    const events = playStream(anthropicMessages, targetWith({ native: {} }), [readFixture(`anthropic/${name}.sse`)]);
    return writeStream(
      read(),
      events.filter((event): event is ReplyChunk => event.kind === 'chunk'),
    );
  };

  it('goes out event by event, with our labels at the start and the settled usage at the end', () => {
    const before = new TextDecoder().decode(readFixture('anthropic/reasoning.sse'));
    const [start, ...rest] = eventsOf(relayed('reasoning'));
    const [theirStart, ...theirRest] = eventsOf(before);
    expect(start).toEqual({ ...theirStart, message: { ...(theirStart?.['message'] as object), id: 'gen-1', model: 'm/x', provider: 'P' } });
    expect(rest.slice(0, -2)).toEqual(theirRest.slice(0, -2));
    expect(rest.slice(-2)).toMatchObject([
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { input_tokens: 20, output_tokens: 9, cost: 0.003 },
      },
      { type: 'message_stop' },
    ]);
  });

  it.each(['plain', 'reasoning', 'server-tools'])('of %s adds up to the whole answer in the official client', async (name) => {
    const whole = anthropicMessages.decodeReply(readJsonFixture(`anthropic/${name}.json`), targetWith({ native: {} }));
    if (!('reply' in whole)) throw new Error('no reply');
    const answer = withoutCost(read().writeAnswer(LABELS, whole.reply, SETTLEMENT)) as Record<string, unknown>;
    for (let seed = 0; seed < 5; seed += 1) {
      const final = await accumulate(relayed(name), seed);
      for (const field of ['id', 'model', 'provider', 'content', 'stop_reason']) expect(final[field]).toEqual(answer[field]);
      expect(final['usage']).toMatchObject({
        input_tokens: 20,
        output_tokens: 9,
        cache_read_input_tokens: 8,
        cache_creation_input_tokens: 2,
      });
    }
  });

  it('M2: that we end ourselves closes its block and says max_tokens', async () => {
    const events = playStream(anthropicMessages, targetWith({ native: {} }), [readFixture('anthropic/plain.sse')]);
    const chunks = events.filter((event): event is ReplyChunk => event.kind === 'chunk');
    const begun = chunks.slice(0, chunks.findLastIndex(({ native }) => native?.['type'] === 'content_block_delta') + 1);
    const final = await accumulate(writeStream(read(), [...begun, chunkOf({}, { finish_reason: 'length' })]), 1);
    expect(final).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 9 } });
    expect(final.content).toHaveLength(1);
  });

  it('hides nothing in the name of an event', () => {
    const forged = { ...chunkOf({}), choices: [], native: { type: 'x\ndata: {}\n\nevent: message_stop' } };
    expect(read().createScribe(LABELS).write(forged)).toBe('');
  });
});

describe('a stream that fails', () => {
  it.each([true, false])('says so in one event, whether it was open (%s) or not', (isOpen) => {
    const scribe = read().createScribe(LABELS);
    if (isOpen) scribe.write(chunkOf({ content: 'a' }));
    expect(eventsOf(scribe.fail(new GatewayError('no_endpoint_available', 'full'), null))).toMatchObject([
      { type: 'error', error: { type: 'overloaded_error', message: 'full', error_type: 'provider_overloaded' }, request_id: 'gen-1' },
    ]);
  });

  it('raises an error of that type in the official client', async () => {
    const scribe = read().createScribe(LABELS);
    const stream = scribe.write(chunkOf({ content: 'a' })) + scribe.fail(new GatewayError('upstream_failed', 'broke'), null);
    await expect(accumulate(stream, 1)).rejects.toMatchObject({ type: 'api_error' });
  });
});

/** Makes an answer and the deltas of one way to stream it. */
function randomAnswer(random: () => number): { message: ChatDelta; chunks: ReplyChunk[] } {
  const message: ChatDelta = { role: 'assistant', content: null };
  const deltas: ChatDelta[] = [{ role: 'assistant', content: '' }];
  const split = (text: string): string[] => text.match(new RegExp(`.{1,${1 + Math.floor(random() * 6)}}`, 'gs')) ?? [];
  if (random() < 0.6) {
    message.reasoning = 'Let me think about 🌊 for a while.';
    const pieces = split(message.reasoning);
    if (random() < 0.5) {
      const sealed = { type: 'reasoning.encrypted', data: 'eA==', format: 'google-gemini-v1', id: 'g' };
      const redacted = { type: 'reasoning.encrypted', data: 'b3BhcXVl', format: FORMAT, index: 1 };
      message.reasoning_details = [
        { type: 'reasoning.text', text: message.reasoning, signature: 'c2ln', format: FORMAT, index: 0 },
        redacted,
        sealed,
      ];
      deltas.push(
        ...pieces.map((text) => ({ reasoning: text, reasoning_details: [{ type: 'reasoning.text', text, format: FORMAT, index: 0 }] })),
      );
      deltas.push(
        { reasoning_details: [{ type: 'reasoning.text', signature: 'c2ln', format: FORMAT, index: 0 }] },
        { reasoning_details: [redacted, sealed] },
      );
    } else deltas.push(...pieces.map((text) => ({ reasoning: text })));
  }
  if (random() < 0.7) {
    message.content = 'Grüße an alle, in {Klammern}.';
    deltas.push(...split(message.content).map((content) => ({ content })));
  }
  const calls = Math.floor(random() * 4);
  if (calls > 0) {
    const inputs = Array.from({ length: calls }, (_, index) => JSON.stringify({ index, text: '{"a":1}', nested: { x: [1, 2] } }));
    message.tool_calls = inputs.map((text, index) => ({ id: `t${index}`, type: 'function', function: { name: 'f', arguments: text } }));
    deltas.push(...inputs.map((_, index) => call(index, '', `t${index}`)), ...interleave(inputs.map(split), random));
  }
  return { message, chunks: deltas.map((delta) => chunkOf(delta)) };
}

/** Deals the pieces of several calls in a random order that keeps each call's own. */
function interleave(pieces: string[][], random: () => number): ChatDelta[] {
  const dealt: ChatDelta[] = [];
  while (pieces.some(({ length }) => length > 0)) {
    const index = Math.floor(random() * pieces.length);
    const text = pieces[index]?.shift();
    if (text !== undefined) dealt.push(call(index, text));
  }
  return dealt;
}
