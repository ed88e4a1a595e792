import type { DialectTarget } from '#providers/provider';
import { beginAnswer } from '#providers/wire/begin-answer';
import { createRepeatCutter } from '#providers/wire/cut-repeat';
import type { ReplyChunk } from '#schema/reply';

/**
 * Creates the filter of one stream for vendors that repeat the beginning which they were asked to go on from. It is taken out of the events,
 * in place; true for an event of which nothing is left.
 */
export function createEchoFilter({ continues, quirks, request }: DialectTarget): (chunk: ReplyChunk) => boolean {
  if (continues === undefined || quirks.continuationEchoes !== true) return () => false;
  const messages = request !== undefined && 'messages' in request ? request.messages : [];
  const begun = beginAnswer(messages, continues).at(-1)?.content;
  const cutter = createRepeatCutter(typeof begun === 'string' ? begun : continues);
  return ({ choices, usage }) => {
    let isEcho = choices.length > 0 && usage === null;
    for (const { delta, finish_reason: reason } of choices) {
      const content = delta?.content;
      if (delta !== undefined && typeof content === 'string') delta.content = cutter.cut(content);
      isEcho &&= Boolean(content) && delta?.content === '' && reason === null;
    }
    return isEcho;
  };
}
