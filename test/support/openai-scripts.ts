/** Scripts for OpenAI-style endpoints: whole answers, streams, and ready-made trouble. */
import type { ServerResponse } from 'node:http';
import type { Script } from './scripted-upstream.ts';

export interface AnswerOptions {
  text?: string;
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

/** Sends one JSON body. */
export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Builds a whole chat completion. */
export function completion({
  text = 'Hello there.',
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
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: finishReason }],
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
  promptTokens = 12,
  completionTokens = 5,
  finishReason = 'stop',
  usage,
}: AnswerOptions = {}): string {
  const words = text.match(/\S+\s*/g) ?? [];
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
  return `${chunk({ role: 'assistant', content: '' })}${words.map((word) => chunk({ content: word })).join('')}${chunk({}, finishReason)}${last}${event('[DONE]')}`;
}
