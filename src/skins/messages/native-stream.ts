import type { AnswerLabels } from '#schema/skin';
import { metadataField } from '../usage-body.ts';
import { openMessage } from './answer.ts';
import { frame } from './frame.ts';
import type { MessageStream } from './message-stream.ts';
import { toStop } from './stop-reason.ts';
import { toUsage } from './usage.ts';

type Event = Record<string, unknown>;

/** An event's name becomes a line of the stream, so nothing else may hide in it. */
const EVENT_TYPE = /^[a-z_]{1,64}$/;

const NOTHING_KNOWN = { stops: [], callsTools: false, refuses: false };

/** Creates the stream of an upstream's own events: as they are, but for our labels at the start and the settled usage at the end. */
export function createNativeStream(labels: Pick<AnswerLabels, 'id' | 'model' | 'provider'>): MessageStream {
  let ending: Event = { delta: { stop_reason: 'end_turn', stop_sequence: null } };
  let hasBegun = false;
  let openBlock: unknown = null;

  /** Clients refuse a stream whose message does not begin, or begins twice. */
  const begin = (message: object): string => {
    if (hasBegun) return '';
    hasBegun = true;
    return frame({ type: 'message_start', message });
  };
  return {
    write({ native, choices }) {
      // Of all events only the one with which we end an answer is not the upstream's own.
      if (native === undefined) {
        ending = { ...ending, delta: toStop(choices[0] ?? {}, NOTHING_KNOWN) };
        return openBlock === null ? '' : frame({ type: 'content_block_stop', index: openBlock });
      }
      const { type } = native;
      if (typeof type !== 'string' || !EVENT_TYPE.test(type)) return '';
      if (type === 'message_stop') return '';
      if (type === 'message_start') return begin({ ...(native['message'] as object), ...labels });
      if (type === 'ping') return frame({ ...native, type });
      if (type === 'content_block_start') openBlock = native['index'];
      if (type === 'content_block_stop') openBlock = null;
      if (type !== 'message_delta') return begin(openMessage(labels)) + frame({ ...native, type });
      ending = { ...ending, ...native };
      return '';
    },
    finish(settlement) {
      const usage = toUsage(settlement, ending['usage']);
      const last = frame({ ...ending, type: 'message_delta', usage, ...metadataField(settlement) });
      return begin(openMessage(labels)) + last + frame({ type: 'message_stop' });
    },
  };
}
