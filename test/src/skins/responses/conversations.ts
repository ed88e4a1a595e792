/** Requests, upstream answers and their streams, for tests of the Responses skin. */
import type { ChatChoice, ChatDelta } from '#schema/chat';
import type { DecodedReply, ReplyChunk } from '#schema/reply';
import type { AnswerLabels, ClientChat, Scribe, Settlement } from '#schema/skin';
import { responses } from '#src/skins/responses/responses';

export const LABELS: AnswerLabels = { id: 'gen-1', createdAtS: 1_790_000_000, model: 'maker/model', provider: 'Somebody' };

export const SETTLEMENT: Settlement = {
  usage: { source: 'reported', promptTokens: 20, completionTokens: 9, reasoningTokens: 4, cacheReadTokens: 8, cacheWriteTokens: 2 },
  chargedNanoUsd: 3_000,
  promptNanoUsd: 1_000,
  endedAtS: 2,
  routerMetadata: null,
};

export const WEATHER_TOOL = {
  type: 'function',
  name: 'weather',
  description: 'Looks out of the window',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict: true,
};

/** Thinks, speaks and calls two tools at once. */
export const RICH_MESSAGE: ChatDelta = {
  role: 'assistant',
  reasoning: 'The user wants 天気 — twice.',
  reasoning_details: [
    { type: 'reasoning.text', text: 'The user wants 天気 — twice.', signature: 'hr1:maker:c2ln', format: 'anthropic-claude-v1', index: 0 },
    { type: 'reasoning.encrypted', data: 'b3BhcXVl', format: 'anthropic-claude-v1', index: 1 },
  ],
  content: 'Let me look 👀 twice.',
  tool_calls: [
    { index: 0, id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
    { index: 1, id: 'call_b', type: 'function', function: { name: 'weather', arguments: '{"city":"Kyōto"}' } },
  ],
};

/** Reads a request of this API. */
export function read(body: Record<string, unknown>): ClientChat {
  return responses.read({ model: 'maker/model', input: 'Hi', ...body }, new Headers());
}

/** A whole answer of an upstream. */
export function reply(message: ChatDelta, finishReason: string | null = 'stop', rest: Partial<ChatChoice> = {}): DecodedReply {
  return { upstreamId: 'up-1', choices: [{ index: 0, finish_reason: finishReason, message, ...rest }], usage: null, extra: {} };
}

/** One event of an upstream. */
export function chunk(delta: ChatDelta, finishReason: string | null = null, rest: Partial<ChatChoice> = {}): ReplyChunk {
  const choice = { index: 0, finish_reason: finishReason, delta, ...rest };
  return { kind: 'chunk', upstreamId: 'up-1', choices: [choice], usage: null, extra: null };
}

/** Cuts a message into the deltas of a stream, every text at random places: reasoning, its details, content, then calls by turns. */
export function toDeltas(message: ChatDelta, random: () => number): ChatDelta[] {
  const calls = message.tool_calls ?? [];
  const argumentPieces = calls.map((call) => cut(call.function?.arguments ?? '', random));
  const openings = calls.map((call) => ({ tool_calls: [{ ...call, function: { name: call.function?.name ?? '', arguments: '' } }] }));
  const rounds = Math.max(0, ...argumentPieces.map((pieces) => pieces.length));
  return [
    { role: 'assistant', content: '' },
    ...thoughtDeltas(message, random),
    ...cut(message.content ?? '', random).map((content) => ({ content })),
    ...cut(message.refusal ?? '', random).map((refusal) => ({ refusal })),
    ...openings,
    ...Array.from({ length: rounds }, (_, round) =>
      argumentPieces.flatMap((pieces, index) =>
        pieces[round] === undefined ? [] : [{ tool_calls: [{ index, function: { arguments: pieces[round] } }] }],
      ),
    ).flat(),
  ];
}

function thoughtDeltas({ reasoning, reasoning_details: details = [] }: ChatDelta, random: () => number): ChatDelta[] {
  const [signed, ...others] = details as Record<string, unknown>[];
  const pieces = cut(reasoning ?? '', random);
  if (signed === undefined) return pieces.map((text) => ({ reasoning: text }));
  const { signature, ...unsigned } = signed;
  return [
    ...pieces.map((text) => ({ reasoning: text, reasoning_details: [{ ...unsigned, text }] })),
    { reasoning_details: [{ type: signed['type'], signature, format: signed['format'], index: signed['index'] }] },
    ...others.map((detail) => ({ reasoning_details: [detail] })),
  ];
}

/** Cuts between UTF-16 units, as decoders of careless upstreams do. */
function cut(text: string, random: () => number): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length;) {
    const end = start + 1 + Math.floor(random() * 5);
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

/** An event of the stream as clients see it. */
export interface SeenEvent {
  type: string;
  sequence_number: number;
  response?: Record<string, unknown>;
  item?: Record<string, unknown>;
  [field: string]: unknown;
}

/** Reads frames. Fails where one is not exactly `event:` with its type and `data:` with one line of JSON. */
export function parseFrames(text: string): SeenEvent[] {
  if (text === '') return [];
  return text
    .replace(/\n\n$/, '')
    .split('\n\n')
    .map((frame) => {
      const match = /^event: (\S+)\ndata: (.*)$/.exec(frame);
      const event = JSON.parse(match?.[2] ?? 'null') as SeenEvent;
      if (match?.[1] !== event.type) throw new Error(`not a frame: ${frame}`);
      return event;
    });
}

/** Writes a whole stream and gives its text. */
export function streamText(client: ClientChat, chunks: readonly ReplyChunk[], settlement = SETTLEMENT): string {
  const scribe = client.createScribe(LABELS);
  return openScribe(scribe) + chunks.map((event) => scribe.write(event)).join('') + scribe.finish(settlement, []);
}

/** Opens a stream as the hall does once an upstream has committed. */
export function openScribe(scribe: Scribe): string {
  return scribe.open({ model: LABELS.model, provider: LABELS.provider });
}
