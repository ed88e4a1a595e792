/** What load generator and upstream agree on: the request, the answer, and the mark by which an event's delay is read. */

/** The APIs in which a client of the benchmark can ask, and in which its upstream can answer. */
export type Api = 'chat' | 'messages' | 'responses';

/** How one API is asked, and what every token of a streamed answer starts with; microseconds of the monotonic clock follow. */
export interface ApiWire {
  path: string;
  tokenMark: string;
  requestBody(model: string, streaming: boolean): string;
}

/** The model that eight endpoints of OpenAI's dialect offer. */
export const BENCH_MODEL = 'bench/model';
/** The model that one endpoint of Anthropic's dialect offers. */
export const BENCH_MESSAGES_MODEL = 'bench/messages-model';

/** Reads the monotonic clock that all processes of this machine share, in microseconds. */
export function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

const SYSTEM = 'You are a helpful assistant. Answer in plain words, be brief, and say so when you do not know.';
const QUESTION = 'A headrace brings water from many springs to one wheel. What happens to the wheel when one spring runs dry?';

/** Every API with requests of about 500 bytes. */
export const APIS: Readonly<Record<Api, ApiWire>> = {
  chat: {
    path: '/v1/chat/completions',
    tokenMark: '"content":"t',
    requestBody: (model, streaming) =>
      JSON.stringify({
        model,
        messages: [
          { role: 'system', content: SYSTEM },
          { role: 'user', content: QUESTION },
        ],
        max_tokens: 512,
        temperature: 0.7,
        ...(streaming && { stream: true }),
      }),
  },
  messages: {
    path: '/v1/messages',
    tokenMark: '"text":"t',
    requestBody: (model, streaming) =>
      JSON.stringify({
        model,
        system: SYSTEM,
        messages: [{ role: 'user', content: QUESTION }],
        max_tokens: 512,
        temperature: 0.7,
        ...(streaming && { stream: true }),
      }),
  },
  responses: {
    path: '/v1/responses',
    tokenMark: '"delta":"t',
    requestBody: (model, streaming) =>
      JSON.stringify({
        model,
        instructions: SYSTEM,
        input: QUESTION,
        max_output_tokens: 512,
        temperature: 0.7,
        ...(streaming && { stream: true }),
      }),
  },
};

const CREATED_AT_S = 1_767_225_600;

/** Builds the fixed chat completion: about 600 bytes. */
export function chatAnswerBody(): string {
  const content =
    'The wheel keeps turning. The other springs still feed the race, so the water level falls a little and the wheel slows down a little. ' +
    'Only when the last spring runs dry does it stop; a second race, kept half open, is what good millers used to build for such days.';
  return JSON.stringify({
    id: 'chatcmpl-bench-0000000000000000',
    object: 'chat.completion',
    created: CREATED_AT_S,
    model: 'bench-upstream',
    choices: [{ index: 0, message: { role: 'assistant', content }, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 58, completion_tokens: 62, total_tokens: 120 },
  });
}

/** Builds one streamed chat event. `delta` is the choice's delta; null makes the trailing usage event. */
function chatEvent(delta: Record<string, string> | null, finishReason: string | null, completionTokens: number): string {
  const event = {
    id: 'chatcmpl-bench-0000000000000000',
    object: 'chat.completion.chunk',
    created: CREATED_AT_S,
    model: 'bench-upstream',
    choices: delta === null ? [] : [{ index: 0, delta, finish_reason: finishReason }],
    ...(delta === null ? { usage: { prompt_tokens: 58, completion_tokens: completionTokens, total_tokens: 58 + completionTokens } } : {}),
  };
  return `data: ${JSON.stringify(event)}\n\n`;
}

/** What a streamed answer is made of, in one of the dialects that the upstream speaks. The clock's reading stands in place of `@`. */
export interface StreamWire {
  opening: string;
  token: string;
  closing(tokens: number): string;
}

/** The streams that the upstream can send. */
export const STREAMS: Readonly<Record<'chat' | 'messages', StreamWire>> = {
  chat: {
    opening: chatEvent({ role: 'assistant', content: '' }, null, 0),
    token: chatEvent({ content: '@' }, null, 0),
    closing: (tokens) => `${chatEvent({}, 'stop', 0)}${chatEvent(null, null, tokens)}data: [DONE]\n\n`,
  },
  messages: {
    opening:
      messagesEvent({
        type: 'message_start',
        message: {
          id: 'msg_bench_0000000000000000',
          type: 'message',
          role: 'assistant',
          model: 'bench-upstream',
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 58, output_tokens: 1 },
        },
      }) + messagesEvent({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    token: messagesEvent({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: '@' } }),
    closing: (tokens) =>
      messagesEvent({ type: 'content_block_stop', index: 0 }) +
      messagesEvent({
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: tokens },
      }) +
      messagesEvent({ type: 'message_stop' }),
  },
};

function messagesEvent(event: { type: string; [field: string]: unknown }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
