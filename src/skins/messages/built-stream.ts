import type { ChatChoice } from '#schema/chat';
import type { AnswerLabels } from '#schema/skin';
import { metadataField } from '../usage-body.ts';
import { openMessage, shownPieces, type AnswerWishes } from './answer.ts';
import { createBlockStream } from './block-stream.ts';
import { frame } from './frame.ts';
import type { MessageStream } from './message-stream.ts';
import { toStop } from './stop-reason.ts';
import { toUsage } from './usage.ts';

/** Creates the stream of an answer that is built from the first choice's deltas. */
export function createBuiltStream(labels: Pick<AnswerLabels, 'id' | 'model' | 'provider'>, wishes: AnswerWishes): MessageStream {
  const blocks = createBlockStream(labels.id);
  const answer = { stops: wishes.stops, callsTools: false, refuses: false };
  let last: Partial<ChatChoice> = {};
  let isOpen = false;

  const open = (): string => {
    if (isOpen) return '';
    isOpen = true;
    return frame({ type: 'message_start', message: openMessage(labels) });
  };
  return {
    write({ choices }) {
      let frames = open();
      for (const choice of choices) {
        if (choice.index !== 0) continue;
        const delta = choice.delta ?? {};
        for (const piece of shownPieces(delta, wishes)) {
          answer.callsTools ||= piece.kind === 'tool';
          frames += blocks.say(piece);
        }
        answer.refuses ||= Boolean(delta.refusal);
        if (choice.finish_reason) last = choice;
      }
      return frames;
    },
    finish(settlement) {
      const ending = {
        delta: { container: null, stop_details: null, ...toStop(last, answer) },
        usage: toUsage(settlement, undefined),
        ...metadataField(settlement),
      };
      return open() + blocks.end() + frame({ type: 'message_delta', ...ending }) + frame({ type: 'message_stop' });
    },
  };
}
