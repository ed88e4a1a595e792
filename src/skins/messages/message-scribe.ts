/** Streams in this API's events. An upstream that speaks it is relayed event by event, any other is put into its words. */
import type { AnswerLabels, Scribe } from '#schema/skin';
import type { AnswerWishes } from './answer.ts';
import { createBuiltStream } from './built-stream.ts';
import { toErrorBody } from './error-body.ts';
import { frame } from './frame.ts';
import type { MessageStream } from './message-stream.ts';
import { createNativeStream } from './native-stream.ts';

/** Creates the writer of one stream. Whether it is relayed or built shows with the first event. */
export function createMessageScribe(wishes: AnswerWishes, { id }: Pick<AnswerLabels, 'id'>): Scribe {
  let labels = { id, model: '', provider: '' };
  let stream: MessageStream | null = null;
  return {
    open(served) {
      labels = { id, model: served.model, provider: served.provider };
      return '';
    },
    write(chunk) {
      stream ??= chunk.native === undefined ? createBuiltStream(labels, wishes) : createNativeStream(labels);
      return stream.write(chunk);
    },
    finish(settlement) {
      stream ??= createBuiltStream(labels, wishes);
      return stream.finish(settlement);
    },
    fail: (error) => frame(toErrorBody(error, id)),
  };
}
