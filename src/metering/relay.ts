/**
 * The client's side of a stream: events go out as they come in, framed as server-sent events, tapped on the way.
 * Nothing is held back: one read of the upstream becomes one write to the client.
 */
import type { AttemptFailure } from '#schema/attempt';
import type { ChatChoice } from '#schema/chat';
import { GatewayError } from '#schema/error';
import type { ReplyChunk, ReplyStream, StreamEvent } from '#schema/reply';
import { hideReasoning } from './hide-reasoning.ts';
import { addToTally, isFinished, type Tally } from './tally.ts';

/**
 * Silence after which a comment goes out: while no upstream has answered yet, and in the middle. It keeps proxies from giving up,
 * and writing is the only way to learn that a client has left without a word.
 */
const KEEP_ALIVE_MS = 2000;
const KEEP_ALIVE = ': HEADRACE PROCESSING\n\n';

/** How a stream ended, for whoever settles it. */
export type StreamEnd =
  | { state: 'completed' }
  | { state: 'interrupted'; failure: AttemptFailure }
  | { state: 'cancelled' }
  | { state: 'failed'; error: GatewayError };

/** An upstream that has committed, with what its chunks are labelled with. */
export interface RelaySource {
  stream: ReplyStream;
  model: string;
  provider: string;
}

export interface RelayOptions {
  id: string;
  createdAtS: number;
  tally: Tally;
  /** The caller wants the answer without its reasoning; it is counted and paid for all the same. */
  hidesReasoning: boolean;
  now(): number;
  /** Resolves to the upstream, or to the error when none is left. May come after the headers have gone out. */
  opening: Promise<RelaySource | { error: GatewayError }>;
  /** Called exactly once, before the last bytes go out; returns what the last chunk says beside its empty choices, if anything. */
  onEnd(end: StreamEnd): object | null;
  /** Explains an interruption to the client. */
  toError(failure: AttemptFailure): GatewayError;
}

/** Creates the body of a streaming response. */
export function relayStream(options: RelayOptions): ReadableStream<Uint8Array> {
  const { tally, now } = options;
  const encoder = new TextEncoder();
  let source: RelaySource | null = null;
  let head = '';
  let ended = false;
  let left = false;

  const end = (how: StreamEnd): object | null => {
    if (ended) return null;
    ended = true;
    return options.onEnd(how);
  };
  const finish = (): string => {
    let frames = '';
    if (tally.openChoices.size > 0) {
      // Some servers end without a reason; clients wait for one.
      const choices = [...tally.openChoices].map((index) => ({ index, delta: {}, finish_reason: 'stop' }));
      tally.finishReason ??= 'stop';
      frames += frame(`${head}"choices":${choicesOf(choices)}}`);
    }
    const lastWords = end({ state: 'completed' });
    if (lastWords !== null) frames += frame(`${head}"choices":[],${JSON.stringify(lastWords).slice(1)}`);
    return `${frames}data: [DONE]\n\n`;
  };
  const breakOff = (error: GatewayError): string =>
    frame(`${head}${JSON.stringify(error.toBody()).slice(1, -1)},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}`);

  /** Frames one event; empty when it says nothing to the client. */
  const framesOf = (event: StreamEvent): string => {
    switch (event.kind) {
      case 'chunk':
        addToTally(tally, event, now());
        if (options.hidesReasoning) event.choices.forEach(hideReasoning);
        return event.choices.length === 0 ? '' : frame(`${head}${extraOf(event)}"choices":${choicesOf(event.choices)}}`);
      case 'done':
        return finish();
      case 'failure':
        // Trouble after every choice has finished costs the client nothing.
        if (isFinished(tally)) return finish();
        // The client left and the upstream was stopped for it: nobody is there to be told.
        if (event.failure.kind === 'cancelled') {
          end({ state: 'cancelled' });
          return '';
        }
        end({ state: 'interrupted', failure: event.failure });
        return breakOff(options.toError(event.failure));
      case 'ignore':
        return '';
      default:
        return event satisfies never;
    }
  };
  const open = async (): Promise<string> => {
    const opened = await options.opening.catch(() => ({
      error: new GatewayError('internal_error', 'The request failed inside the router.'),
    }));
    if ('error' in opened) {
      head = chunkHead(options, '', '');
      end({ state: 'failed', error: opened.error });
      return breakOff(opened.error);
    }
    source = opened;
    head = chunkHead(options, opened.model, opened.provider);
    return '';
  };
  const framesOfAll = (events: readonly StreamEvent[] | null): string => {
    if (events === null) {
      // The bytes ended without `[DONE]`: fine after a finish reason, a broken answer before one (T3).
      return isFinished(tally) ? finish() : framesOf({ kind: 'failure', failure: BROKEN_OFF });
    }
    let frames = '';
    for (const event of events) {
      frames += framesOf(event);
      if (ended) break;
    }
    return frames;
  };

  let heartbeat: ReturnType<typeof setInterval> | undefined;
  // Before the first upstream answers there has been silence already.
  let silent = true;

  return new ReadableStream<Uint8Array>({
    start(controller) {
      heartbeat = setInterval(() => {
        if (silent && (controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(KEEP_ALIVE));
        silent = true;
      }, KEEP_ALIVE_MS);
    },
    async pull(controller) {
      let frames = '';
      while (frames === '' && !ended) frames = source === null ? await open() : framesOfAll(await source.stream.next());
      if (left) return;
      silent = false;
      if (frames !== '') controller.enqueue(encoder.encode(frames));
      if (ended) {
        clearInterval(heartbeat);
        controller.close();
      }
    },
    cancel() {
      left = true;
      clearInterval(heartbeat);
      end({ state: 'cancelled' });
      source?.stream.cancel();
    },
  });
}

const BROKEN_OFF: AttemptFailure = { kind: 'protocol', origin: 'external', detail: 'the stream ended before the answer was finished' };

function frame(json: string): string {
  return `data: ${json}\n\n`;
}

/** The opening of every chunk of one answer, ready to be followed by `"choices":…}`. Ids and model never change in a stream (T8). */
function chunkHead({ id, createdAtS }: RelayOptions, model: string, provider: string): string {
  return `{"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${createdAtS},"model":${JSON.stringify(model)},"provider":${JSON.stringify(provider)},`;
}

function choicesOf(choices: readonly ChatChoice[]): string {
  // OpenRouter's SDK rejects chunks whose choices lack the key.
  for (const choice of choices) choice.finish_reason ??= null;
  return JSON.stringify(choices);
}

/** Top-level fields of the upstream worth keeping, as `"name":value,` pairs. */
function extraOf({ extra }: ReplyChunk): string {
  if (extra === null) return '';
  let pairs = '';
  for (const name in extra) {
    const json = JSON.stringify(extra[name]);
    if (json !== undefined && json !== 'null') pairs += `${JSON.stringify(name)}:${json},`;
  }
  return pairs;
}
