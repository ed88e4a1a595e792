/** Scripts for OpenAI-style endpoints: whole answers, streams, and ready-made trouble. */
import type { ServerResponse } from 'node:http';
import type { Script } from './scripted-upstream.ts';

export interface AnswerOptions {
  text?: string;
  /** Said before the text, in the field `reasoning`. */
  reasoning?: string;
  promptTokens?: number;
  completionTokens?: number;
  finishReason?: string;
  /** Merged over the usage; null leaves usage out. */
  usage?: Record<string, unknown> | null;
}

/** Answers as asked: a stream of words when the request streams, else JSON. */
export function answer(options: AnswerOptions = {}): Script {
  return (call, response) => (call.body['stream'] === true ? streamWords(response, options) : sendJson(response, 200, completion(options)));
}

/** Answers a raw prompt as asked: its text is not in a message. */
export const rawAnswer: Script = (call, response) => {
  if (call.body['stream'] === true) {
    openStream(response);
    response.end(
      streamText().replaceAll(/"delta":\{(?:"role":"assistant",)?(?:"content":("[^"]*"))?\}/g, (_, text = '""') => `"text":${text}`),
    );
    return;
  }
  const { choices, ...rest } = completion() as { choices: { message: { content: string } }[] };
  sendJson(response, 200, { ...rest, choices: choices.map(({ message: said, ...choice }) => ({ ...choice, text: said.content })) });
};

/** Sends one JSON body. */
export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Builds a whole chat completion. */
export function completion({
  text = 'Hello there.',
  reasoning,
  promptTokens = 12,
  completionTokens = 5,
  finishReason = 'stop',
  usage,
}: AnswerOptions = {}): object {
  return {
    id: 'chatcmpl-upstream',
    object: 'chat.completion',
    created: 1,
    model: 'upstream-model',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text, ...(reasoning !== undefined && { reasoning }) },
        finish_reason: finishReason,
      },
    ],
    ...(usage !== null && {
      usage: { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens, ...usage },
    }),
  };
}

/** Opens an event stream. */
export function openStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
}

/** Builds one `data:` event of a chat completion chunk. */
export function chunk(delta: object, finishReason: string | null = null, extra: object = {}): string {
  return event({
    id: 'chatcmpl-upstream',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'upstream-model',
    choices: [{ index: 0, delta, finish_reason: finishReason }],
    ...extra,
  });
}

/** Frames one server-sent event. */
export function event(data: unknown): string {
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}

/** Streams a text word by word: role, words, finish, usage, `[DONE]`. */
export function streamWords(response: ServerResponse, options: AnswerOptions = {}): void {
  openStream(response);
  response.end(streamText(options));
}

/** The bytes of a whole stream, for re-chunking. */
export function streamText({
  text = 'Hello there.',
  reasoning = '',
  promptTokens = 12,
  completionTokens = 5,
  finishReason = 'stop',
  usage,
}: AnswerOptions = {}): string {
  const deltas = [...wordsOf(reasoning).map((word) => ({ reasoning: word })), ...wordsOf(text).map((word) => ({ content: word }))];
  const last =
    usage === null
      ? ''
      : event({
          id: 'chatcmpl-upstream',
          object: 'chat.completion.chunk',
          created: 1,
          model: 'upstream-model',
          choices: [],
          usage: {
            prompt_tokens: promptTokens,
            completion_tokens: completionTokens,
            total_tokens: promptTokens + completionTokens,
            ...usage,
          },
        });
  return `${chunk({ role: 'assistant', content: '' })}${deltas.map((delta) => chunk(delta)).join('')}${chunk({}, finishReason)}${last}${event('[DONE]')}`;
}

/** Streams words until the router hangs up. */
export const talkUntilLeft: Script = async (call, response) => {
  openStream(response);
  response.write(chunk({ role: 'assistant', content: 'word ' }));
  const ticker = setInterval(() => response.write(chunk({ content: 'word ' })), 20);
  await call.aborted;
  clearInterval(ticker);
};

function wordsOf(text: string): string[] {
  return text.match(/\S+\s*/g) ?? [];
}
