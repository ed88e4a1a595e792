import {
  assert,
  constantFrom,
  array,
  boolean,
  dictionary,
  integer,
  option,
  property,
  record,
  string,
  tuple,
  uniqueArray,
} from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anthropicMessages } from '#providers/wire/anthropic-messages';
import { targetWith } from '#test/providers/answers';
import { LABELS, read, SETTLEMENT } from './support.ts';

const RUNS = { seed: 20_261_122, numRuns: 200 };

const word = string({ minLength: 1, maxLength: 12 }).map((text) => `w${text}w`);
const mark = constantFrom({}, { cache_control: { type: 'ephemeral' } }, { cache_control: { type: 'ephemeral', ttl: '1h' } });
const text = tuple(word, mark).map(([value, marked]) => ({ type: 'text', text: value, ...marked }));
const imageSource = constantFrom(
  { type: 'base64', media_type: 'image/png', data: 'aGk=' },
  { type: 'url', url: 'https://images.example/a.png' },
);
const image = tuple(imageSource, mark).map(([source, marked]) => ({ type: 'image', source, ...marked }));
const pdf = tuple(word, mark).map(([title, marked]) => ({
  type: 'document',
  source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' },
  title,
  ...marked,
}));
const shown = array(
  constantFrom(text, image, pdf).chain((block: Arbitrary<object>) => block),
  { minLength: 1, maxLength: 4 },
);

const thinking = tuple(word, word).map(([thought, signature]) => ({ type: 'thinking', thinking: thought, signature }));
const redacted = word.map((data) => ({ type: 'redacted_thinking', data }));
const reasoning = array(
  constantFrom<Arbitrary<object>>(thinking, redacted).chain((block) => block),
  { maxLength: 3 },
);
const input = dictionary(word, string());

/** A question, an answer that calls tools, their results with the next words of the user. */
const exchange = record({
  asked: shown,
  thought: reasoning,
  said: array(text, { maxLength: 2 }),
  inputs: array(input, { minLength: 1, maxLength: 3 }),
}).chain(({ asked, thought, said, inputs }) =>
  tuple(array(word, { minLength: inputs.length, maxLength: inputs.length }), shown).map(([results, next]) => [
    { role: 'user', content: asked },
    {
      role: 'assistant',
      content: [...thought, ...said, ...inputs.map((given, at) => ({ type: 'tool_use', id: `t${at}`, name: 'f', input: given }))],
    },
    { role: 'user', content: [...results.map((content, at) => ({ type: 'tool_result', tool_use_id: `t${at}`, content })), ...next] },
  ]),
);
const tools = uniqueArray(word, { minLength: 1, maxLength: 3 }).chain((names) =>
  array(mark, { minLength: names.length, maxLength: names.length }).map((marks) =>
    names.map((name, at) => ({ name, description: 'd', input_schema: { type: 'object', properties: {} }, strict: at === 0, ...marks[at] })),
  ),
);
const sampling = record(
  {
    temperature: integer({ min: 0, max: 10 }).map((tenths) => tenths / 10),
    top_k: integer({ min: 1, max: 50 }),
    stop_sequences: array(word, { minLength: 1, maxLength: 3 }),
    service_tier: constantFrom('auto', 'standard_only'),
    output_config: record({ format: record({ type: constantFrom('json_schema'), schema: constantFrom({ type: 'object' }) }) }),
    tool_choice: tuple(constantFrom('auto', 'any'), boolean()).map(([type, alone]) => ({
      type,
      ...(alone && { disable_parallel_tool_use: true }),
    })),
    stream: constantFrom(true),
  },
  { requiredKeys: [] },
);
const thinkingOnly = record({ thinking: integer({ min: 1024, max: 4000 }).map((budget_tokens) => ({ type: 'enabled', budget_tokens })) });
const system = option(
  tuple(word, constantFrom({ cache_control: { type: 'ephemeral' } })).map(([said, marked]) => [{ type: 'text', text: said, ...marked }]),
  {
    nil: undefined,
  },
);

describe('both words', () => {
  it('say the same request: from this API to the common shape and back', () => {
    const body = tuple(exchange, tools, sampling, option(thinkingOnly, { nil: {} }), system);
    assert(
      property(body, ([messages, offered, sampled, thought, said]) => {
        // Thinking goes with neither sampling nor forced tools there, nor with a tool loop that began without.
        const settings = 'thinking' in thought && JSON.stringify(messages).includes('thinking') ? thought : sampled;
        const original = { max_tokens: 5000, ...settings, messages, tools: offered, ...(said && { system: said }) };
        const client = read(original);
        const encoded = anthropicMessages.encodeRequest(client.request, targetWith());
        expect(JSON.parse(encoded.body)).toEqual({ model: 'upstream-model', ...original });
      }),
      RUNS,
    );
  });

  it('carry reasoning of every kind to the client and back as it was', () => {
    const detail = constantFrom<Arbitrary<object>>(
      record({ type: constantFrom('reasoning.text'), text: word, signature: word, format: constantFrom('anthropic-claude-v1') }),
      record({ type: constantFrom('reasoning.encrypted'), data: word, format: constantFrom('anthropic-claude-v1') }),
      record({
        type: constantFrom('reasoning.encrypted'),
        data: word,
        id: word,
        format: constantFrom('openai-responses-v1', 'google-gemini-v1'),
      }),
    ).chain((kind) => kind);
    assert(
      property(array(detail, { minLength: 1, maxLength: 4 }), (details) => {
        const reply = {
          upstreamId: null,
          choices: [{ index: 0, finish_reason: 'stop', message: { content: 'ok', reasoning_details: details } }],
          usage: null,
          extra: {},
        };
        const { content } = read().writeAnswer(LABELS, reply, SETTLEMENT) as { content: object[] };
        const [echoed] = read({ messages: [{ role: 'assistant', content }] }).request.messages;
        const back = echoed?.role === 'assistant' ? (echoed.reasoning_details ?? []) : [];
        expect(back.map(({ index: _index, ...rest }) => rest)).toEqual(details);
      }),
      RUNS,
    );
  });

  it('never show an upstream of this dialect what was sealed for the house, nor thinking that nobody signed', () => {
    const details = [{ type: 'reasoning.encrypted', data: 'eA==', format: 'openai-responses-v1' }];
    const message = { content: 'ok', reasoning: 'hm', reasoning_details: details };
    const reply = { upstreamId: null, choices: [{ index: 0, finish_reason: 'stop', message }], usage: null, extra: {} };
    const { content } = read().writeAnswer(LABELS, reply, SETTLEMENT) as { content: object[] };
    expect(content).toHaveLength(3);
    const { native, request } = read({ messages: [{ role: 'assistant', content }] });
    const target = targetWith({ operatorId: 'maker', ...(native && { native: native.body }) });
    const { messages } = JSON.parse(anthropicMessages.encodeRequest(request, target).body);
    expect(messages).toEqual([{ role: 'assistant', content: [{ type: 'text', text: 'ok', citations: null }] }]);
  });
});
