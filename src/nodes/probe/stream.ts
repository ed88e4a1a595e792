/** One streamed answer: does it come bit by bit, and how fast? */
import { createParser } from 'eventsource-parser';
import { z } from 'zod';
import { ask, piecesOf, type Answer } from './ask.ts';
import type { EverydayRequest } from './everyday.ts';
import type { ProbeRun } from './target.ts';

const STREAM_BYTES_MAX = 512 * 1024;
const EVENT_CHARS_MAX = 256 * 1024;

/** What a stream has shown, whole or as far as there was time for it. */
export interface StreamSeen {
  /** Events with text, thought or said. */
  increments: number;
  characters: number;
  /** From the request to the first text and to the last; null where none came. */
  firstMs: number | null;
  lastMs: number | null;
  /** As the endpoint reports it; null where it does not, or the stream was left early. */
  completionTokens: number | null;
  /** An error event, or events that are no chunks. */
  isBroken: boolean;
  /** The status in an error event that says that there is no room; null where none says so. */
  fullStatus: number | null;
}

const deltaText = z.string().nullish().catch(null);
const chunk = z.looseObject({
  choices: z
    .array(z.looseObject({ delta: z.looseObject({ content: deltaText, reasoning_content: deltaText, reasoning: deltaText }).nullish() }))
    .nullish(),
  /** Anthropic's dialect: `content_block_delta`. */
  delta: z.looseObject({ text: deltaText, thinking: deltaText }).nullish(),
  usage: z
    .looseObject({ completion_tokens: z.int().nonnegative().nullish(), output_tokens: z.int().nonnegative().nullish() })
    .nullish()
    .catch(null),
  error: z.unknown().optional(),
});
/** vLLM answers 200 before it asks its queue, and says in the first event what it would have said with its status. */
const fullError = z.looseObject({ code: z.literal([429, 503]) });

/** Asks for a streamed answer and reads it until it ends or `timeoutMs` have passed. */
export function askStream(run: ProbeRun, request: EverydayRequest, timeoutMs: number): Promise<Answer<StreamSeen>> {
  const said = run.say({ model: run.target.upstreamModel, ...request, stream: true }, run.target);
  const startedAtMs = run.now();
  return ask(run, { ...said, timeoutMs }, async (response) => {
    const seen: StreamSeen = {
      increments: 0,
      characters: 0,
      firstMs: null,
      lastMs: null,
      completionTokens: null,
      isBroken: false,
      fullStatus: null,
    };
    if (response.headers.get('content-type')?.includes('text/event-stream') !== true)
      return { ok: true, value: { ...seen, isBroken: true }, headers: response.headers };
    const parser = createParser({
      maxBufferSize: EVENT_CHARS_MAX,
      onEvent: ({ data }) => data !== '[DONE]' && takeEvent(seen, data, run.now() - startedAtMs),
      onError: () => void (seen.isBroken = true),
    });
    const decoder = new TextDecoder();
    let sizeBytes = 0;
    try {
      for await (const bytes of piecesOf(response)) {
        parser.feed(decoder.decode(bytes, { stream: true }));
        sizeBytes += bytes.byteLength;
        if (seen.isBroken || sizeBytes > STREAM_BYTES_MAX) break;
      }
      parser.feed('\n\n');
    } catch (failure) {
      // Out of time: what has come is what there is to judge. Silence is not an answer.
      if (seen.increments === 0) throw failure;
    }
    if (seen.fullStatus !== null && seen.increments === 0) return { ok: false, kind: 'busy', status: seen.fullStatus };
    return { ok: true, value: seen, headers: response.headers };
  });
}

function takeEvent(seen: StreamSeen, data: string, atMs: number): void {
  const read = chunk.safeParse(parse(data));
  if (!read.success || read.data.error != null) {
    seen.isBroken = true;
    seen.fullStatus = fullError.safeParse(read.data?.error).data?.code ?? null;
    return;
  }
  const { choices, delta, usage } = read.data;
  const texts = [
    delta?.text,
    delta?.thinking,
    ...(choices ?? []).flatMap((choice) => [choice.delta?.content, choice.delta?.reasoning_content, choice.delta?.reasoning]),
  ];
  const length = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
  seen.completionTokens = usage?.completion_tokens ?? usage?.output_tokens ?? seen.completionTokens;
  if (length === 0) return;
  seen.increments++;
  seen.characters += length;
  seen.firstMs ??= atMs;
  seen.lastMs = atMs;
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}

/**
 * Counts the tokens of a stream: what was reported, but no more than there are characters, so that nobody gets faster by counting wrong; else
 * one for each increment.
 */
export function tokensOf({ increments, characters, completionTokens }: StreamSeen): number {
  return completionTokens === null ? increments : Math.max(increments, Math.min(completionTokens, characters));
}
