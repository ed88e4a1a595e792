/** Fits the events of a continuation to the answer that it goes on with, so that the client sees one answer. */
import { createRepeatCutter } from '#providers/wire/cut-repeat';
import type { AttemptFailure } from '#schema/attempt';
import type { ChatChoice } from '#schema/chat';
import type { ReplyChunk, StreamEvent } from '#schema/reply';
import { hasContent } from '../real-event.ts';
import { createStraddleGuard } from './stops.ts';

/** Asked for the rest of an answer, it thinks about it again, or its parser takes the rest for thoughts. */
const THINKS_ANEW: AttemptFailure = {
  kind: 'protocol',
  origin: 'external',
  detail: 'the endpoint began to think where it should have gone on with an answer',
};
/** The answer has come to its end and cannot be mended. */
export const NO_JSON: AttemptFailure = {
  kind: 'protocol',
  origin: 'external',
  detail: 'the answer went on from another endpoint and is not the JSON that was asked for',
};

export interface Seam {
  /** The text that the client has got. */
  delivered: string;
  /** White space at its end, which the continuation was not given. */
  space: string;
  stops: readonly string[];
  /** Grammars hold for what an engine generates: nobody has watched over an answer that two of them made. */
  mustBeJson: boolean;
  /** Nothing had been said that could be gone on with: the answer is made from its beginning. */
  isAnew: boolean;
}

/**
 * Creates the fitting of one continuation's events; one of them may become none or several. Left out are a second opening of the message,
 * white space that the client has already, and top-level fields, in which two upstreams would contradict each other (T8).
 */
export function createSplice({ delivered, space, stops, mustBeJson, isAnew }: Seam): (event: StreamEvent) => StreamEvent[] {
  const cutter = createRepeatCutter(space);
  const guard = createStraddleGuard(stops, delivered);
  let hasSpoken = isAnew;
  let isFinished = false;
  let said = '';

  /** Leaves of a choice's text what is new to the client; the stop sequence that it completes, if any. */
  const fitText = (choice: ChatChoice): string | null => {
    const delta = (choice.delta ??= {});
    delete delta.role;
    hasSpoken ||= Boolean(delta.content);
    const passed = guard.pass(cutter.cut(delta.content ?? ''));
    const text = choice.finish_reason == null ? passed.text : passed.text + guard.rest();
    if (text === '') delete delta.content;
    else delta.content = text;
    if (mustBeJson) said += text;
    return passed.stop;
  };
  const isBad = () => mustBeJson && !isJson(delivered + said);

  const fitChunk = (chunk: ReplyChunk): StreamEvent[] => {
    chunk.extra = null;
    let endsBadly = false;
    for (const choice of chunk.choices) {
      if (!hasSpoken && thinks(choice)) return [{ kind: 'failure', failure: THINKS_ANEW }];
      const stop = fitText(choice);
      if (stop !== null) return [{ ...chunk, choices: [finishedBy(stop)] }, { kind: 'done' }];
      isFinished ||= choice.finish_reason != null;
      if (choice.finish_reason !== 'stop' || !isBad()) continue;
      endsBadly = true;
      choice.finish_reason = null;
    }
    chunk.choices = chunk.choices.filter((choice) => choice.finish_reason != null || hasContent(choice.delta));
    const fitted: StreamEvent[] = chunk.choices.length > 0 || chunk.usage !== null ? [chunk] : [];
    return endsBadly ? [...fitted, { kind: 'failure', failure: NO_JSON }] : fitted;
  };

  return (event) => {
    if (event.kind === 'chunk') return fitChunk(event);
    return event.kind === 'done' && !isFinished && isBad() ? [{ kind: 'failure', failure: NO_JSON }] : [event];
  };
}

function thinks({ delta }: ChatChoice): boolean {
  return Boolean(delta?.reasoning) || (delta?.reasoning_details?.length ?? 0) > 0;
}

/** Words the end as engines do that name the stop sequence which they met. */
function finishedBy(stop: string): ChatChoice {
  return { index: 0, delta: {}, finish_reason: 'stop', native_finish_reason: 'stop', stop_reason: stop };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
