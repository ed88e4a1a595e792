/** Writes answers in the two shapes of OpenAI's API: whole bodies, and the events of streams. */
import type { Wish } from './request.ts';

/** Why an answer ended. */
export type FinishReason = 'stop' | 'length';

/** A token that is told with its probability. */
export interface TokenLogprob {
  text: string;
  logprob: number;
  top: { text: string; logprob: number }[];
}

/** Counts of one answer. */
export interface Usage {
  promptTokens: number;
  completionTokens: number;
}

/** Durations of one answer. */
export interface Timings {
  promptMs: number;
  predictedMs: number;
}

/** What every body and event of an answer begins with. */
export interface Envelope {
  id: string;
  model: string;
  createdAtS: number;
}

type Kind = Wish['kind'];

/** Writes a whole answer. */
export function toBody(
  kind: Kind,
  envelope: Envelope,
  { text, logprobs, finishReason, usage, timings }: Answer & { text: string; logprobs: readonly TokenLogprob[] | null },
): object {
  const said = kind === 'chat' ? { message: { role: 'assistant', content: text } } : { text };
  return {
    ...head(kind, envelope, false),
    choices: [{ index: 0, ...said, logprobs: toLogprobs(kind, logprobs), finish_reason: finishReason }],
    usage: toUsage(usage),
    timings: toTimings(usage, timings),
  };
}

/** How an answer ended. */
export interface Answer {
  finishReason: FinishReason;
  usage: Usage;
  timings: Timings;
}

/** Writes the event that opens a chat stream. */
export function toFirstEvent(kind: Kind, envelope: Envelope): object | null {
  return kind === 'chat' ? chunk(kind, envelope, { delta: { role: 'assistant', content: null } }, null) : null;
}

/** Writes the event of a piece of text. */
export function toTextEvent(kind: Kind, envelope: Envelope, text: string, logprobs: readonly TokenLogprob[] | null): object {
  const said = kind === 'chat' ? { delta: { content: text } } : { text };
  return chunk(kind, envelope, { ...said, ...(logprobs !== null && { logprobs: toLogprobs(kind, logprobs) }) }, null);
}

/** Writes the events that end a stream: the finish reason, and usage where it was asked for. */
export function toLastEvents(kind: Kind, envelope: Envelope, { finishReason, usage, timings }: Answer, includeUsage: boolean): object[] {
  const end = chunk(kind, envelope, kind === 'chat' ? { delta: {} } : { text: '' }, finishReason);
  if (!includeUsage) return [{ ...end, timings: toTimings(usage, timings) }];
  return [end, { ...head(kind, envelope, true), choices: [], usage: toUsage(usage), timings: toTimings(usage, timings) }];
}

function chunk(kind: Kind, envelope: Envelope, said: object, finishReason: FinishReason | null): object {
  return { ...head(kind, envelope, true), choices: [{ index: 0, ...said, finish_reason: finishReason }] };
}

function head(kind: Kind, { id, model, createdAtS }: Envelope, streaming: boolean): object {
  const object = kind === 'text' ? 'text_completion' : streaming ? 'chat.completion.chunk' : 'chat.completion';
  return { id: `${kind === 'chat' ? 'chatcmpl' : 'cmpl'}-${id}`, object, created: createdAtS, model };
}

function toUsage({ promptTokens, completionTokens }: Usage): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0 },
  };
}

function toTimings({ promptTokens, completionTokens }: Usage, { promptMs, predictedMs }: Timings): object {
  return {
    cache_n: 0,
    prompt_n: promptTokens,
    prompt_ms: promptMs,
    predicted_n: completionTokens,
    predicted_ms: predictedMs,
    predicted_per_second: predictedMs > 0 ? (1000 * completionTokens) / predictedMs : null,
  };
}

function toLogprobs(kind: Kind, tokens: readonly TokenLogprob[] | null): object | null {
  if (tokens === null) return null;
  if (kind === 'chat') return { content: tokens.map((token) => ({ ...toToken(token), top_logprobs: token.top.map(toToken) })) };
  return {
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top }) => Object.fromEntries(top.map(({ text, logprob }) => [text, logprob]))),
  };
}

function toToken({ text, logprob }: { text: string; logprob: number }): object {
  // A token that is part of a character has no text of its own, so its bytes are not known here.
  return { token: text, logprob, bytes: text.includes('\uFFFD') ? null : [...new TextEncoder().encode(text)] };
}
