import { OpenResponsesResult$inboundSchema } from '@openrouter/sdk/models/openresponsesresult.js';
import { StreamEvents$inboundSchema } from '@openrouter/sdk/models/streamevents.js';
import { ChatOpenAI } from '@langchain/openai';
import OpenAI from 'openai';
import type { Response as OpenAiResponse } from 'openai/resources/responses/responses';
import { describe, expect, it } from 'vitest';
import type { ChatDelta } from '#schema/chat';
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

const SETTINGS = {
  tools: [WEATHER_TOOL],
  tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'weather' }] },
  text: { format: { type: 'json_schema', name: 'w', schema: { type: 'object' } }, verbosity: 'low' },
  reasoning: { effort: 'low', summary: 'auto' },
  instructions: 'Be brief.',
  metadata: { trip: '7' },
  temperature: 0.5,
};

const LOGPROBS = { content: [{ token: 'Hi', logprob: -0.5, bytes: null, top_logprobs: [] }] };
const CITED = { type: 'url_citation', url_citation: { url: 'https://a.example', title: 'A', start_index: 0, end_index: 2 } };

const MESSAGES: [string, ChatDelta][] = [
  ['text', { content: 'Hello' }],
  ['everything', RICH_MESSAGE],
  ['a refusal', { content: 'I looked.', refusal: 'I will not say.' }],
  ['nothing', {}],
];

/** Streams of every kind of ending. */
const STREAMS: [string, string][] = [
  ...MESSAGES.flatMap(([name, message]) =>
    ['stop', 'length', 'content_filter', 'error'].map((reason): [string, string] => [`${name}, ${reason}`, write(message, reason)]),
  ),
  [
    'log probabilities and a citation',
    streamText(read({}), [chunk({ content: 'Hi', annotations: [CITED] }, 'stop', { logprobs: LOGPROBS })]),
  ],
  ['a failure halfway', breakOff()],
  ['a failure at once', read(SETTINGS).createScribe(LABELS).fail(new GatewayError('upstream_timeout', 'Late.'), null)],
];

function write(message: ChatDelta, finishReason: string): string {
  const deltas = toDeltas(message, seededRandom(11));
  return streamText(read(SETTINGS), [...deltas.map((delta) => chunk(delta)), chunk({}, finishReason)]);
}

function breakOff(): string {
  const scribe = read(SETTINGS).createScribe(LABELS);
  const deltas = toDeltas(RICH_MESSAGE, seededRandom(12)).slice(0, -3);
  const text = openScribe(scribe) + deltas.map((delta) => scribe.write(chunk(delta))).join('');
  return text + scribe.fail(new GatewayError('upstream_failed', 'It broke.'), SETTLEMENT);
}

/** OpenAI's client against an answer that is already here. */
function openAiClient(body: string, contentType: string): OpenAI {
  const fetch = async () => new Response(body, { headers: { 'content-type': contentType } });
  return new OpenAI({ apiKey: 'unused', baseURL: 'http://localhost/v1', fetch });
}

/** Finds what OpenRouter's SDK could only keep as it is: its unions take what they do not know and mark it so. */
function unknownsIn(parsed: unknown): unknown[] {
  if (typeof parsed !== 'object' || parsed === null) return [];
  if ('isUnknown' in parsed) return [parsed];
  return Object.values(parsed).flatMap(unknownsIn);
}

describe('OpenAI’s SDK', () => {
  it.each(STREAMS)('accumulates a stream to its last object: %s', async (_, text) => {
    const client = openAiClient(text, 'text/event-stream');
    const stream = client.responses.stream({ model: 'maker/model', input: 'Hi' });
    const final = (await stream.finalResponse()) as OpenAiResponse;
    expect(final).toMatchObject(parseFrames(text).at(-1)?.response as object);
  });

  it('accumulates the same output from the events before the last', async () => {
    const frames = write(RICH_MESSAGE, 'stop').split('\n\n').filter(Boolean);
    const last = parseFrames(`${frames.at(-1)}\n\n`)[0]?.response;
    const client = openAiClient(`${frames.slice(0, -1).join('\n\n')}\n\n`, 'text/event-stream');
    const final = await client.responses.stream({ model: 'maker/model', input: 'Hi' }).finalResponse();
    expect(final.output).toMatchObject(last?.['output'] as object[]);
  });

  it('reads the text of a whole answer', async () => {
    const body = read(SETTINGS).writeAnswer(LABELS, reply(RICH_MESSAGE, 'tool_calls'), SETTLEMENT);
    const answer = await openAiClient(JSON.stringify(body), 'application/json').responses.create({ model: 'm', input: 'Hi' });
    expect(answer.output_text).toBe(RICH_MESSAGE.content);
    expect(answer.output.map(({ type }) => type)).toEqual(['reasoning', 'message', 'function_call', 'function_call']);
  });

  it('parses structured output and arguments', async () => {
    const format = { type: 'json_schema' as const, name: 'w', schema: { type: 'object' }, strict: true };
    const body = read({ text: { format } }).writeAnswer(LABELS, reply({ content: '{"sun":true}' }), SETTLEMENT);
    const client = openAiClient(JSON.stringify(body), 'application/json');
    const answer = await client.responses.parse({ model: 'm', input: 'Hi', text: { format } });
    expect(answer.output_text).toBe('{"sun":true}');
  });
});

describe('OpenRouter’s SDK', () => {
  it.each(STREAMS)('knows every event: %s', (_, text) => {
    for (const event of parseFrames(text)) expect(unknownsIn(StreamEvents$inboundSchema.parse(event)), event.type).toEqual([]);
  });

  it.each(MESSAGES)('knows the whole answer: %s', (_, message) => {
    const body = read(SETTINGS).writeAnswer(LABELS, reply(message), SETTLEMENT);
    expect(unknownsIn(OpenResponsesResult$inboundSchema.parse(body))).toEqual([]);
  });

  it('knows an answer to a request without settings', () => {
    const parsed = OpenResponsesResult$inboundSchema.parse(read({}).writeAnswer(LABELS, reply({ content: 'Hi' }), SETTLEMENT));
    expect(parsed).toMatchObject({ id: 'gen-1', status: 'completed', usage: { cost: 0.000003 } });
  });
});

describe('LangChain', () => {
  it.each([false, true])('brings back reasoning as it was answered, signatures included (streaming: %s)', async (streaming) => {
    const asked: ReturnType<typeof read>[] = [];
    const fetch = async (_url: unknown, init?: RequestInit) => {
      const client = read(JSON.parse(init?.body as string) as Record<string, unknown>);
      asked.push(client);
      if (!streaming) return Response.json(client.writeAnswer(LABELS, reply(RICH_MESSAGE, 'tool_calls'), SETTLEMENT));
      return new Response(write(RICH_MESSAGE, 'tool_calls'), { headers: { 'content-type': 'text/event-stream' } });
    };
    const configuration = { baseURL: 'http://localhost/v1', fetch };
    const model = new ChatOpenAI({ model: 'maker/model', apiKey: 'unused', useResponsesApi: true, streaming, configuration });
    const answer = await model.invoke('Hi');
    await model.invoke(['Hi', answer, { role: 'tool', tool_call_id: 'call_a', content: 'Rain' }]);
    expect(asked[1]?.request.messages[1]).toMatchObject({
      reasoning: RICH_MESSAGE.reasoning,
      reasoning_details: RICH_MESSAGE.reasoning_details,
      content: RICH_MESSAGE.content,
    });
  });
});
