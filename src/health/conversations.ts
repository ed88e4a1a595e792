/** Who answered the last turn of a conversation: its prompt is likely to be in that endpoint's cache still. */
import type { LastServed } from '#schema/health';
import { createBoundedMap } from './bounded-map.ts';
import { elapsedMs } from './timers.ts';

const CONVERSATIONS_MAX = 10_000;
const REMEMBERED_MS = 3_600_000;

/** The conversations of this isolate, by the key of their `Affinity`. */
export interface Conversations {
  served(conversation: string, endpointId: string, nowMs: number): void;
  /** Finds who served last; null when nobody did within the hour. */
  last(conversation: string, nowMs: number): LastServed | null;
}

/** Starts without conversations; keeps the 10,000 that were served last. */
export function createConversations(): Conversations {
  const conversations = createBoundedMap<string, { endpointId: string; atMs: number }>(CONVERSATIONS_MAX);
  return {
    served(conversation, endpointId, nowMs) {
      const turn = conversations.touch(conversation, () => ({ endpointId, atMs: nowMs }));
      turn.endpointId = endpointId;
      turn.atMs = nowMs;
    },
    last(conversation, nowMs) {
      const turn = conversations.peek(conversation);
      if (turn === undefined) return null;
      const ageMs = elapsedMs(turn.atMs, nowMs);
      return ageMs > REMEMBERED_MS ? null : { endpointId: turn.endpointId, ageMs };
    },
  };
}
