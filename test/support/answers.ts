/** What a client makes of an answer: the parts that tests look at, whole or streamed. */
import { expect } from 'vitest';

export interface ClientUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  cost: number;
  prompt_tokens_details: { cached_tokens: number; cache_write_tokens: number };
  completion_tokens_details: { reasoning_tokens: number };
  headrace: { source: string };
}

export interface ClientError {
  code: number;
  message: string;
  type: string;
  param: string | null;
  metadata: Record<string, unknown>;
}

/** A chunk or a whole answer, as far as tests read it. */
export interface ClientEvent {
  id: string;
  model: string;
  provider: string;
  choices: {
    index: number;
    finish_reason: string | null;
    delta?: { content?: string | null };
    message?: { content: string | null };
  }[];
  usage?: ClientUsage;
  error?: ClientError;
  openrouter_metadata?: Record<string, unknown>;
}

/** An answer read to its end. */
export interface ClientAnswer {
  id: string;
  text: string;
  usage: ClientUsage | undefined;
  /** One for a whole answer; the parsed `data:` events of a stream without `[DONE]`. */
  events: ClientEvent[];
}

/** Reads a successful answer to its end, JSON or stream. */
export async function readAnswer(response: Response): Promise<ClientAnswer> {
  const text = await response.text();
  const events =
    response.headers.get('content-type')?.startsWith('text/event-stream') === true ? parseEvents(text) : [JSON.parse(text) as ClientEvent];
  return {
    id: response.headers.get('x-generation-id') ?? '',
    text: events.map(({ choices }) => choices?.[0]?.delta?.content ?? choices?.[0]?.message?.content ?? '').join(''),
    usage: events.at(-1)?.usage,
    events,
  };
}

/** Reads the error of a failed answer. */
export async function readError(response: Response): Promise<ClientError> {
  return ((await response.json()) as { error: ClientError }).error;
}

/** Reads a refusal and checks that it has the whole shape: the status asked for, and the same as integer code. */
export async function readRefusal(response: Response, status: number): Promise<ClientError> {
  const text = await response.text();
  expect([response.status, text]).toEqual([status, text]);
  const { error } = JSON.parse(text) as { error: ClientError };
  expect(error).toEqual({
    code: status,
    message: expect.stringMatching(/^[\s\S]{5,600}$/),
    type: expect.any(String),
    param: error.param === null ? null : expect.any(String),
    metadata: expect.objectContaining({ error_type: expect.any(String) }),
  });
  return error;
}

/** Parses the `data:` events of a whole stream, comments and `[DONE]` left out. */
export function parseEvents(text: string): ClientEvent[] {
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('data: ') && block !== 'data: [DONE]')
    .map((block) => JSON.parse(block.slice('data: '.length)) as ClientEvent);
}
