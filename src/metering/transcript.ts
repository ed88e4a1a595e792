/** What a client is told of a stream, in the words of its skin: read by read, counted on the way, ended exactly once. */
import { BROKEN_OFF, type AttemptFailure } from '#schema/attempt';
import { GatewayError } from '#schema/error';
import type { ReplyChunk, ReplyStream, StreamEvent } from '#schema/reply';
import type { Scribe, Settlement } from '#schema/skin';
import { hideReasoning } from './hide-reasoning.ts';
import { isOverByCount, isOverByReport, NO_LINE, type StopLine } from './stop-line.ts';
import { addToTally, cutTally, isFinished, type Tally } from './tally.ts';

const UNWRITABLE: AttemptFailure = { kind: 'protocol', origin: 'external', detail: 'an event that no client could be told' };

/** How a stream ended, for whoever settles it. `atHold`: we ended it, because it had used up what was held. */
export type StreamEnd =
  | { state: 'completed'; atHold?: true }
  | { state: 'interrupted'; failure: AttemptFailure }
  | { state: 'cancelled' }
  | { state: 'failed'; error: GatewayError };

/** An upstream that has committed, with what its answer is labelled with. */
export interface StreamSource {
  stream: ReplyStream;
  model: string;
  provider: string;
}

export interface TranscriptOptions {
  scribe: Scribe;
  tally: Tally;
  /** The caller wants the answer without its reasoning; it is counted and paid for all the same. */
  hidesReasoning: boolean;
  now(): number;
  /** Resolves to the upstream, or to the error when none is left. May come after the headers have gone out. */
  opening: Promise<StreamSource | { error: GatewayError }>;
  /** Says how far the upstream may go that answers now; asked when one has committed, and again behind each seam. */
  stopLine(): StopLine;
  /** Called exactly once, before the last text is given; returns what was used, or null when nothing was delivered. */
  onEnd(end: StreamEnd): Settlement | null;
  /** Explains an interruption to the client. */
  toError(failure: AttemptFailure): GatewayError;
}

export interface Transcript {
  /** Waits for what is to be said next; empty only where the end says nothing. */
  next(): Promise<string>;
  /** Nothing comes behind what `next` has given. */
  readonly isEnded: boolean;
  /** Ends for a client that has left, and stops the upstream. */
  leave(): void;
}

/** Begins the transcript of one stream. */
export function createTranscript(options: TranscriptOptions): Transcript {
  const { tally, now, scribe } = options;
  let source: StreamSource | null = null;
  let line = NO_LINE;
  let ended = false;

  async function next(): Promise<string> {
    let text = '';
    try {
      while (text === '' && !ended) text = source === null ? await open() : textOfAll(await source.stream.next());
    } catch {
      text = collapse();
    }
    return text;
  }

  async function open(): Promise<string> {
    const opened = await options.opening.catch(() => ({
      error: new GatewayError('internal_error', 'The request failed inside the router.'),
    }));
    if ('error' in opened) {
      end({ state: 'failed', error: opened.error });
      return scribe.fail(opened.error, null);
    }
    source = opened;
    line = options.stopLine();
    return scribe.open(opened);
  }

  function textOfAll(events: readonly StreamEvent[] | null): string {
    if (events === null) {
      // The bytes ended without a last word: fine after a finish reason, a broken answer before one (T3).
      return isFinished(tally) ? finish() : textOf({ kind: 'failure', failure: BROKEN_OFF });
    }
    let text = '';
    for (const event of events) {
      text += textOf(event);
      if (ended) break;
    }
    return text;
  }

  /** Writes one event; empty when it says nothing to the client. */
  function textOf(event: StreamEvent): string {
    switch (event.kind) {
      case 'chunk': {
        addToTally(tally, event, now());
        if (options.hidesReasoning) event.choices.forEach(hideReasoning);
        const text = scribe.write(event);
        return isOver(event) ? text + stop() : text;
      }
      case 'done':
        return finish();
      case 'failure':
        return fail(event.failure);
      case 'seam':
        cutTally(tally);
        line = options.stopLine();
        return '';
      case 'ignore':
        return '';
      default:
        return event satisfies never;
    }
  }

  function isOver({ usage }: ReplyChunk): boolean {
    const isPast = isOverByCount(tally, line) || (usage !== null && isOverByReport(usage, tally, line));
    return isPast && !isFinished(tally);
  }

  /** Ends an answer that has used up what was held, as an upstream ends one at the caller's own limit. */
  function stop(): string {
    const last = endOfLength(tally.openChoices);
    addToTally(tally, last, now());
    const text = scribe.write(last);
    const settlement = end({ state: 'completed', atHold: true });
    source?.stream.cancel();
    return settlement === null ? text : text + scribe.finish(settlement, []);
  }

  function finish(): string {
    const openChoices = [...tally.openChoices];
    if (openChoices.length > 0) tally.finishReason ??= 'stop';
    const settlement = end({ state: 'completed' });
    return settlement === null ? '' : scribe.finish(settlement, openChoices);
  }

  function fail(failure: AttemptFailure): string {
    // Trouble after every choice has finished costs the client nothing.
    if (isFinished(tally)) return finish();
    // The client left and the upstream was stopped for it: nobody is there to be told.
    if (failure.kind === 'cancelled') {
      end({ state: 'cancelled' });
      return '';
    }
    const settlement = end({ state: 'interrupted', failure });
    return scribe.fail(options.toError(failure), settlement);
  }

  /** Ends a stream that cannot be written: whatever the upstream has said to bring this about, the request is settled. */
  function collapse(): string {
    if (ended) return '';
    const settlement = end({ state: 'interrupted', failure: UNWRITABLE });
    source?.stream.cancel();
    return scribe.fail(options.toError(UNWRITABLE), settlement);
  }

  function end(how: StreamEnd): Settlement | null {
    if (ended) return null;
    ended = true;
    return options.onEnd(how);
  }

  return {
    next,
    get isEnded() {
      return ended;
    },
    leave() {
      end({ state: 'cancelled' });
      source?.stream.cancel();
    },
  };
}

/** The event that ends choices at a limit; an answer that has not begun ends as its first choice. */
function endOfLength(openChoices: ReadonlySet<number>): ReplyChunk {
  const indexes = openChoices.size === 0 ? [0] : [...openChoices];
  const choices = indexes.map((index) => ({ index, delta: {}, finish_reason: 'length', native_finish_reason: 'length' }));
  return { kind: 'chunk', upstreamId: null, choices, usage: null, extra: null };
}
