/** One streamed chat with the engine, timed from outside. */
import { createParser } from 'eventsource-parser';
import { toPlainText } from '../../plain-text.ts';

export interface TimedChat {
  /** Milliseconds to the first event with content. */
  ttftMs: number;
  /** Milliseconds from the first to the last event with content. */
  spanMs: number;
  promptTokens: number | null;
  /** As the engine counts them; else events with content. */
  completionTokens: number;
}

/** Why a chat did not work out: a status with the engine's words, or none of both. */
export interface ChatFailure {
  status: number | null;
  reason: string;
}

export interface ChatOptions {
  url: string;
  key: string | null;
  fetch: typeof fetch;
  model: string;
  maxTokens: number;
  signal: AbortSignal;
  /** Milliseconds that only go forward. */
  now(): number;
}

const REASON_CHARS_MAX = 200;
const ERROR_BYTES_MAX = 16 * 1024;

/** Asks and reads to the end, or to the signal: what has come until then counts. Never rejects. */
export async function timeChat(prompt: string, options: ChatOptions): Promise<TimedChat | ChatFailure> {
  const { url, key, model, maxTokens, signal, now } = options;
  const startedAtMs = now();
  const seen = {
    firstAtMs: null as number | null,
    lastAtMs: 0,
    events: 0,
    promptTokens: null as number | null,
    tokens: null as number | null,
    failure: null as ChatFailure | null,
  };
  try {
    const answer = await options.fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      redirect: 'manual',
      signal,
      headers: { 'content-type': 'application/json', ...(key !== null && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({
        model,
        messages: [{ role: 'user', content: prompt }],
        max_tokens: maxTokens,
        temperature: 0.7,
        stream: true,
        stream_options: { include_usage: true },
      }),
    });
    if (answer.status !== 200) return { status: answer.status, reason: await readReason(answer) };
    const parser = createParser({
      onEvent({ data }) {
        const event = readEvent(data);
        if (event === null) return;
        if (event.hasContent) {
          seen.firstAtMs ??= now();
          seen.lastAtMs = now();
          seen.events++;
        }
        seen.promptTokens = event.promptTokens ?? seen.promptTokens;
        seen.tokens = event.completionTokens ?? seen.tokens;
        seen.failure ??= event.failure;
      },
    });
    const decoder = new TextDecoder();
    for await (const bytes of answer.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }));
  } catch (error) {
    if (!signal.aborted) return { status: null, reason: error instanceof Error ? toPlainText(error.message) : 'the connection broke' };
  }
  if (seen.firstAtMs === null && seen.failure !== null) return seen.failure;
  if (seen.firstAtMs === null) return { status: null, reason: signal.aborted ? 'no token came in time' : 'it answered without a token' };
  return {
    ttftMs: seen.firstAtMs - startedAtMs,
    spanMs: seen.lastAtMs - seen.firstAtMs,
    promptTokens: seen.promptTokens,
    completionTokens: seen.tokens ?? seen.events,
  };
}

interface ChatEvent {
  choices?: { delta?: { content?: unknown; reasoning_content?: unknown; reasoning?: unknown }; text?: unknown }[];
  usage?: { prompt_tokens?: unknown; completion_tokens?: unknown } | null;
  /** vLLM says inside a stream what it would have said by its status. */
  error?: { message?: unknown; code?: unknown } | null;
}

interface ReadEvent {
  hasContent: boolean;
  promptTokens: number | null;
  completionTokens: number | null;
  failure: ChatFailure | null;
}

function readEvent(data: string): ReadEvent | null {
  try {
    const { choices, usage, error } = JSON.parse(data) as ChatEvent;
    const delta = choices?.[0]?.delta;
    const content = delta?.content ?? delta?.reasoning_content ?? delta?.reasoning;
    const toTokens = (count: unknown): number | null => (typeof count === 'number' && count > 0 ? count : null);
    return {
      hasContent: typeof content === 'string' && content !== '',
      promptTokens: toTokens(usage?.prompt_tokens),
      completionTokens: toTokens(usage?.completion_tokens),
      failure: error == null ? null : { status: typeof error.code === 'number' ? error.code : null, reason: toReason(error.message) },
    };
  } catch {
    return null;
  }
}

async function readReason(answer: Response): Promise<string> {
  let text = '';
  for await (const bytes of answer.body ?? []) {
    text += Buffer.from(bytes).toString('utf8');
    if (text.length > ERROR_BYTES_MAX) break;
  }
  const message = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text;
  return toReason(message);
}

function toReason(message: unknown): string {
  return typeof message === 'string' ? toPlainText(message).trim().slice(0, REASON_CHARS_MAX) : 'an error without words';
}

/** Tells failures from results. */
export function isFailure(result: TimedChat | ChatFailure): result is ChatFailure {
  return 'reason' in result;
}
