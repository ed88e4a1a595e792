import { describe, expect, it } from 'vitest';
import { GatewayError } from '#schema/error';
import { seededRandom } from '#test/support/random-chunks';
import {
  chunk,
  LABELS,
  openScribe,
  parseFrames,
  read,
  reply,
  RICH_MESSAGE,
  SETTLEMENT,
  streamText,
  toDeltas,
  WEATHER_TOOL,
} from './conversations.ts';

const SEEDS = Array.from({ length: 25 }, (_, seed) => seed);

function streamOf(message: Parameters<typeof toDeltas>[0], finishReason: string, seed: number) {
  const client = read({ tools: [WEATHER_TOOL] });
  const deltas = toDeltas(message, seededRandom(seed));
  return parseFrames(streamText(client, [...deltas.map((delta) => chunk(delta)), chunk({}, finishReason)]));
}

/** Types in the order that they came, repeats in a row once. */
/** Names the events in order, repeats left out; a run of deltas counts once for each kind in it. */
function outline(events: readonly { type: string }[]): string[] {
  const names: string[] = [];
  let run = new Set<string>();
  for (const { type } of events) {
    const name = type.replace('response.', '');
    if (!name.endsWith('.delta')) run = new Set();
    if (!run.has(name) && names.at(-1) !== name) names.push(name);
    if (name.endsWith('.delta')) run.add(name);
  }
  return names;
}

describe('a stream of text', () => {
  it('has every event that clients build on, in order and numbered from 0', () => {
    const events = streamOf({ content: 'Hello there' }, 'stop', 1);
    expect(outline(events)).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'completed',
    ]);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
  });

  it('begins with an empty answer under the labels of the one that serves', () => {
    const [created] = streamOf({ content: 'Hello' }, 'stop', 1);
    expect(created?.response).toMatchObject({ id: 'gen-1', model: 'maker/model', provider: 'Somebody', status: 'in_progress', output: [] });
    expect(created?.response?.['usage']).toBeNull();
  });

  it('carries log probabilities with the text that they are about', () => {
    const client = read({ include: ['message.output_text.logprobs'] });
    const logprobs = { content: [{ token: 'Hi', logprob: -0.5, bytes: null, top_logprobs: [{ token: 'Yo', logprob: -2, bytes: [89] }] }] };
    const events = parseFrames(streamText(client, [chunk({ content: 'Hi' }, null, { logprobs }), chunk({}, 'stop')]));
    const expected = [{ token: 'Hi', bytes: [], logprob: -0.5, top_logprobs: [{ token: 'Yo', bytes: [89], logprob: -2 }] }];
    expect(events.find(({ type }) => type === 'response.output_text.delta')?.['logprobs']).toEqual(expected);
    expect(events.find(({ type }) => type === 'response.output_text.done')?.['logprobs']).toEqual(expected);
  });
});

describe('a stream of everything', () => {
  it('writes reasoning, message and calls one after the other, calls open to the end', () => {
    expect(outline(streamOf(RICH_MESSAGE, 'tool_calls', 3))).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'reasoning_summary_part.added',
      'content_part.added',
      'reasoning_summary_text.delta',
      'reasoning_text.delta',
      'reasoning_summary_text.done',
      'reasoning_summary_part.done',
      'reasoning_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'function_call_arguments.done',
      'output_item.done',
      'completed',
    ]);
  });

  it.each(SEEDS)('ends in the object of the whole answer, wherever the texts are cut (seed %i)', (seed) => {
    const client = read({ tools: [WEATHER_TOOL] });
    const whole = client.writeAnswer(LABELS, reply(RICH_MESSAGE, 'tool_calls'), SETTLEMENT);
    const last = streamOf(RICH_MESSAGE, 'tool_calls', seed).at(-1);
    expect(last?.type).toBe('response.completed');
    expect(last?.response).toEqual(whole);
  });

  it.each(SEEDS)('says in deltas what it says at the end (seed %i)', (seed) => {
    const events = streamOf(RICH_MESSAGE, 'tool_calls', seed);
    const said = (type: string, index: number) =>
      events
        .filter((event) => event.type === type && event['output_index'] === index)
        .map((event) => event['delta'])
        .join('');
    expect(said('response.reasoning_summary_text.delta', 0)).toBe(RICH_MESSAGE.reasoning);
    expect(said('response.output_text.delta', 1)).toBe(RICH_MESSAGE.content);
    expect(said('response.function_call_arguments.delta', 2)).toBe('{"city":"Oslo"}');
    expect(said('response.function_call_arguments.delta', 3)).toBe('{"city":"Kyōto"}');
  });

  it('closes every item once, in the order of the output', () => {
    const events = streamOf(RICH_MESSAGE, 'tool_calls', 7);
    const indexes = (type: string) => events.filter((event) => event.type === type).map((event) => event['output_index']);
    expect(indexes('response.output_item.added')).toEqual([0, 1, 2, 3]);
    expect(indexes('response.output_item.done')).toEqual([0, 1, 2, 3]);
  });

  it('keeps the order in which a model thinks and speaks by turns', () => {
    const turns = [{ reasoning: 'a' }, { content: 'b' }, { reasoning: 'c' }, { content: 'd' }];
    const last = parseFrames(streamText(read({}), [...turns.map((delta) => chunk(delta)), chunk({}, 'stop')])).at(-1);
    const output = last?.response?.['output'] as { type: string; id: string }[];
    expect(output.map(({ type }) => type)).toEqual(['reasoning', 'message', 'reasoning', 'message']);
    expect(new Set(output.map(({ id }) => id)).size).toBe(4);
  });

  it('gives a call without arguments an empty object to parse, and one without an id a name of its own', () => {
    const nameless = chunk({ tool_calls: [{ index: 0, function: { name: 'now' } }] });
    const last = parseFrames(streamText(read({}), [nameless, chunk({}, 'tool_calls')])).at(-1);
    expect(last?.response?.['output']).toEqual([
      { id: 'fc_gen-1-0', type: 'function_call', status: 'completed', call_id: 'call_gen-1-0', name: 'now', arguments: '{}' },
    ]);
  });

  it('writes only the first of several choices', () => {
    const second = chunk({ content: 'No' }, 'length', { index: 1 });
    const last = parseFrames(streamText(read({}), [second, chunk({ content: 'Yes' }, 'stop')])).at(-1);
    expect(last).toMatchObject({ type: 'response.completed', response: { output: [{ content: [{ text: 'Yes' }] }] } });
  });

  it('tells of refusals as parts of their own', () => {
    const events = streamOf({ content: 'I looked.', refusal: 'I will not say.' }, 'stop', 2);
    expect(outline(events)).toContain('refusal.delta');
    expect(events.find(({ type }) => type === 'response.refusal.done')).toMatchObject({ content_index: 1, refusal: 'I will not say.' });
  });

  it('tells of cited pages', () => {
    const cited = { type: 'url_citation', url_citation: { url: 'https://a.example', title: 'A', start_index: 0, end_index: 2 } };
    const events = parseFrames(streamText(read({}), [chunk({ content: 'Hi', annotations: [cited] }), chunk({}, 'stop')]));
    const flat = { type: 'url_citation', url: 'https://a.example', title: 'A', start_index: 0, end_index: 2 };
    expect(events.find(({ type }) => type === 'response.output_text.annotation.added')).toMatchObject({ annotation: flat });
    expect(events.at(-1)?.response).toMatchObject({ output: [{ content: [{ annotations: [flat] }] }] });
  });

  it('says nothing of empty deltas and of a stream without content', () => {
    const events = parseFrames(streamText(read({}), [chunk({ role: 'assistant', content: '', reasoning: '' }), chunk({}, 'stop')]));
    expect(outline(events)).toEqual(['created', 'in_progress', 'completed']);
  });
});

describe('an answer that is cut', () => {
  it.each([
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
  ])('ends incomplete on %s, its last item too', (finishReason, reason) => {
    const last = streamOf(RICH_MESSAGE, finishReason, 5).at(-1);
    expect(last).toMatchObject({ type: 'response.incomplete', response: { status: 'incomplete', incomplete_details: { reason } } });
    const output = last?.response?.['output'] as { status: string }[];
    expect(output.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed', 'incomplete']);
  });

  it('is complete where the upstream never said why it ended', () => {
    const last = parseFrames(streamText(read({}), [chunk({ content: 'Hi' })])).at(-1);
    expect(last).toMatchObject({ type: 'response.completed', response: { output: [{ status: 'completed' }] } });
  });

  it('fails where the model ended with an error', () => {
    const last = streamOf({ content: 'Hi' }, 'error', 5).at(-1);
    expect(last).toMatchObject({ type: 'response.failed', response: { status: 'failed', error: { code: 'server_error' } } });
  });
});

describe('a failure', () => {
  const error = new GatewayError('upstream_failed', 'It broke.');

  it('keeps what was said, with its kind and its cost', () => {
    const scribe = read({}).createScribe(LABELS);
    const text = openScribe(scribe) + scribe.write(chunk({ content: 'Half an ans' })) + scribe.fail(error, SETTLEMENT);
    const events = parseFrames(text);
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      sequence_number: events.length - 1,
      response: {
        status: 'failed',
        error: { code: 'server_error', message: 'It broke.' },
        error_type: 'provider_unavailable',
        output: [{ status: 'incomplete', content: [{ text: 'Half an ans' }] }],
        usage: { cost: 0.000003 },
      },
    });
  });

  it('before any upstream committed is still a whole stream', () => {
    const events = parseFrames(read({}).createScribe(LABELS).fail(error, null));
    expect(outline(events)).toEqual(['created', 'in_progress', 'failed']);
    expect(events.at(-1)?.response).toMatchObject({ model: 'maker/model', usage: null, output: [] });
  });

  it.each([
    ['rate_limited', 'rate_limit_exceeded'],
    ['context_length_exceeded', 'invalid_prompt'],
    ['upstream_timeout', 'server_error'],
  ] as const)('of kind %s has the code %s', (kind, code) => {
    const events = parseFrames(read({}).createScribe(LABELS).fail(new GatewayError(kind, 'No.'), null));
    expect(events.at(-1)?.response).toMatchObject({ error: { code, message: 'No.' } });
  });
});
