/** Reads a streaming answer as a client does: bytes, then server-sent events, then JSON. */
import { createParser } from 'eventsource-parser';

/** One chunk as the client sees it. */
export interface SeenChunk {
  id: string;
  model: string;
  choices: {
    index: number;
    delta: { content?: string; reasoning?: string; tool_calls?: SeenToolCall[] } & Record<string, unknown>;
    finish_reason: string | null;
  }[];
  usage?: Record<string, unknown> & { prompt_tokens: number; completion_tokens: number; cost: number };
  error?: { code: number; message: string; type: string; param: string | null; metadata: Record<string, unknown> & { error_type: string } };
  [field: string]: unknown;
}

export interface SeenToolCall {
  index: number;
  id?: string;
  function?: { name?: string; arguments?: string };
}

/** Everything that a stream said. */
export interface SeenStream {
  chunks: SeenChunk[];
  comments: string[];
  /** Whether `[DONE]` came, and nothing after it. */
  done: boolean;
  /** Text of choice 0. */
  text: string;
  /** The error event; undefined when all went well. */
  error: SeenChunk['error'];
  usage: SeenChunk['usage'];
}

/** A stream that is read piece by piece. */
export interface StreamReader {
  seen: SeenStream;
  /** Reads until `isEnough` or the end; false at the end. Rejects when the connection breaks. */
  until(isEnough: (seen: SeenStream) => boolean): Promise<boolean>;
  cancel(): Promise<void>;
}

/** Starts to read; the body must be an event stream. */
export function openReader(response: Response): StreamReader {
  if (response.body === null) throw new Error('the answer has no body');
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const seen: SeenStream = { chunks: [], comments: [], done: false, text: '', error: undefined, usage: undefined };
  const parser = createParser({
    onComment: (comment) => void seen.comments.push(comment),
    onEvent({ data }) {
      if (seen.done) throw new Error(`an event after [DONE]: ${data}`);
      if (data === '[DONE]') seen.done = true;
      else addChunk(seen, JSON.parse(data) as SeenChunk);
    },
  });
  return {
    seen,
    async until(isEnough) {
      while (!isEnough(seen)) {
        const { done, value } = await reader.read();
        if (done) return false;
        parser.feed(decoder.decode(value, { stream: true }));
      }
      return true;
    },
    cancel: () => reader.cancel(),
  };
}

/** Reads a stream to its end. */
export async function readStream(response: Response): Promise<SeenStream> {
  const reader = openReader(response);
  await reader.until(() => false);
  return reader.seen;
}

/** Joins the text of one choice. */
export function textOf(seen: SeenStream, field: 'content' | 'reasoning', choice = 0): string {
  return seen.chunks
    .flatMap(({ choices }) => choices)
    .filter(({ index }) => index === choice)
    .map(({ delta }) => delta[field] ?? '')
    .join('');
}

/** Joins the arguments of tool calls by their index. */
export function toolCallsOf(seen: SeenStream): Record<number, { id: string | undefined; name: string; arguments: string }> {
  const calls: Record<number, { id: string | undefined; name: string; arguments: string }> = {};
  for (const { delta } of seen.chunks.flatMap(({ choices }) => choices)) {
    for (const { index, id, function: named } of delta.tool_calls ?? []) {
      const call = (calls[index] ??= { id, name: '', arguments: '' });
      call.name += named?.name ?? '';
      call.arguments += named?.arguments ?? '';
    }
  }
  return calls;
}

function addChunk(seen: SeenStream, chunk: SeenChunk): void {
  seen.chunks.push(chunk);
  seen.error ??= chunk.error;
  seen.usage ??= chunk.usage;
  for (const { index, delta } of chunk.choices) if (index === 0) seen.text += delta.content ?? '';
}
