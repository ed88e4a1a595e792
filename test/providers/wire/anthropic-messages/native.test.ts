import { describe, expect, it } from 'vitest';
import { anthropicMessages } from '#providers/wire/anthropic-messages';
import type { DialectTarget } from '#providers/provider';
import type { ChatRequest } from '#schema/chat';
import { collect, playStream, readFixture, readJsonFixture, rechunk, seededRandom, targetWith } from '../../answers.ts';

const REQUEST: ChatRequest = { model: 'm/x', messages: [{ role: 'user', content: 'hi' }] };

function encode(native: Record<string, unknown>, over: Partial<DialectTarget> = {}, request = REQUEST) {
  const { headers, body } = anthropicMessages.encodeRequest(request, targetWith({ native, operatorId: 'maker', ...over }));
  return { headers, body: JSON.parse(body) };
}

describe("a client's own body", () => {
  it('is sent as it is, under the name of the model here', () => {
    const native = {
      model: 'm/x',
      max_tokens: 9,
      system: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral' } }],
      messages: [{ role: 'user', content: [{ type: 'brand_new', x: 1 }] }],
      tools: [{ type: 'web_search_20260209', name: 'web_search' }],
      thinking: { type: 'adaptive' },
      some_future_field: { y: 2 },
    };
    const before = structuredClone(native);
    expect(encode(native).body).toEqual({ ...native, model: 'upstream-model' });
    expect(native).toEqual(before);
  });

  it("loses what is said to the router, and says the end user's pseudonym", () => {
    const said = { provider: {}, models: [], fallbacks: [], plugins: [], route: 'fallback', session_id: 's', trace: {}, user: 'jane' };
    const native = { model: 'm', max_tokens: 9, messages: [], ...said, metadata: { user_id: 'jane' }, stream: false };
    const { body } = encode(native, {}, { ...REQUEST, user: 'jane', stream: true });
    expect(Object.keys(body).toSorted()).toEqual(['max_tokens', 'messages', 'metadata', 'model', 'stream']);
    expect(body.stream).toBe(true);
    expect(JSON.stringify(body)).not.toContain('jane');
  });

  it('bends to the quirks of the card', () => {
    const quirks = { dropRequestFields: ['top_k'], addRequestFields: { extra: 1 } };
    const { body } = encode({ model: 'm', max_tokens: 9, messages: [], top_k: 5 }, { quirks });
    expect(body).toEqual({ model: 'upstream-model', max_tokens: 9, messages: [], extra: 1 });
  });

  it('M2: does not run at a speed that costs a multiple of what is charged', () => {
    expect(encode({ messages: [], speed: 'fast' }).body).not.toHaveProperty('speed');
  });

  it('is completed with the limit that the API insists on, and loses the nulls that it refuses', () => {
    expect(encode({ messages: [], max_tokens: null, tools: null }, { maxOutput: 777 }).body).toEqual({
      model: 'upstream-model',
      max_tokens: 777,
      messages: [],
    });
  });

  it.each([
    ['auto', 'auto'],
    ['standard_only', 'standard_only'],
    ['priority', 'auto'],
    ['default', 'standard_only'],
    ['flex', undefined],
  ])('asks for the tier %s as %s', (tier, sent) => {
    expect(encode({ service_tier: tier }).body.service_tier).toBe(sent);
  });

  describe('in a tool loop that asks for thinking', () => {
    const thought = (signature: string) => ({ type: 'thinking', thinking: 'a', signature });
    const round = (id: string, ...thoughts: unknown[]) => [
      { role: 'assistant', content: [...thoughts, { type: 'tool_use', id, name: 'f', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'x' }] },
    ];
    const ask = { role: 'user', content: 'go' };
    const thinking = { type: 'enabled', budget_tokens: 2048 };

    it.each([
      ['whose thinking others signed, goes on without', [ask, ...round('1', thought('hr1:other:eA=='))], { type: 'disabled' }],
      ['that keeps its thinking, goes on thinking', [ask, ...round('1', thought('hr1:maker:eA==')), ...round('2')], thinking],
      ['that never thought, is the client’s own affair', [ask, ...round('1')], thinking],
      ['that is over, thinks again', [ask, ...round('1', thought('hr1:other:eA==')), { role: 'assistant', content: 'x' }, ask], thinking],
    ])('%s', (_, messages, sent) => {
      expect(encode({ messages, thinking }).body.thinking).toEqual(sent);
    });
  });

  it("keeps the operator's own signed reasoning, unmarked, and unmarked reasoning; others' goes, with turns that held nothing else", () => {
    const own = { type: 'thinking', thinking: 'a', signature: 'hr1:maker:c2ln' };
    const foreign = { type: 'redacted_thinking', data: 'hr1:other:eA==' };
    const unmarked = { type: 'thinking', thinking: 'b', signature: 'ZGlyZWN0' };
    const text = { type: 'text', text: 'hi' };
    const messages = [
      { role: 'assistant', content: [foreign] },
      { role: 'assistant', content: [own, foreign, unmarked, text] },
    ];
    expect(encode({ messages }).body.messages).toEqual([{ role: 'assistant', content: [{ ...own, signature: 'c2ln' }, unmarked, text] }]);
  });

  it("takes the client's trial features along with the card's", () => {
    const nativeHeaders = { 'anthropic-beta': 'b-1,c-2' };
    expect(encode({}, { nativeHeaders }).headers['anthropic-beta']).toBe('b-1,c-2');
    expect(encode({}, { nativeHeaders, headers: { 'Anthropic-Beta': 'a-0' } }).headers['anthropic-beta']).toBe('a-0,b-1,c-2');
  });
});

describe('answers to it', () => {
  const target = targetWith({ native: {} });

  it.each(['plain', 'tools', 'reasoning', 'server-tools'])('carry every event of %s, and count the same', (name) => {
    const bytes = readFixture(`anthropic/${name}.sse`);
    const expected = new TextDecoder()
      .decode(bytes)
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice(6)))
      .filter(({ type }) => type !== 'message_stop');
    for (let seed = 1; seed <= 20; seed += 1) {
      const events = playStream(anthropicMessages, target, rechunk(bytes, seededRandom(seed)));
      expect(events.flatMap((event) => (event.kind === 'chunk' ? [event.native] : []))).toEqual(expected);
      expect(collect(events)).toEqual(collect(playStream(anthropicMessages, targetWith(), [bytes])));
    }
  });

  it('carry the whole body', () => {
    const body = readJsonFixture('anthropic/tools.json');
    expect(anthropicMessages.decodeReply(body, target)).toMatchObject({
      reply: { native: body, choices: [{ finish_reason: 'tool_calls' }] },
    });
    expect(anthropicMessages.decodeReply(body, targetWith())).not.toHaveProperty('reply.native');
  });

  it('commit on blocks that chat has no words for', () => {
    const block = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} };
    const native = { type: 'content_block_start', index: 0, content_block: block };
    expect(anthropicMessages.createStreamDecoder(target).decode(JSON.stringify(native), undefined)).toMatchObject({
      choices: [{ delta: { content_block: block } }],
      native,
    });
  });

  it('mark signed reasoning with its maker, in both words, where another could be asked', () => {
    const marking = targetWith({ native: {}, operatorId: 'maker', marksReasoning: true });
    const streamed = playStream(anthropicMessages, marking, [readFixture('anthropic/reasoning.sse')]);
    const whole = anthropicMessages.decodeReply(readJsonFixture('anthropic/reasoning.json'), marking);
    for (const said of [JSON.stringify(streamed), JSON.stringify(whole)]) {
      expect(said.match(/hr1:maker:c2ln/g)).toHaveLength(2);
      expect(said.match(/hr1:maker:b3BhcXVl/g)).toHaveLength(2);
    }
    const unmarked = playStream(anthropicMessages, targetWith({ operatorId: 'maker', marksReasoning: false }), [
      readFixture('anthropic/reasoning.sse'),
    ]);
    expect(JSON.stringify(unmarked)).not.toContain('hr1:');
  });
});
