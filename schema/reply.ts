/** An upstream's answer in the common shape, whole or as events. Dialects make it, metering reads it. */
import type { AttemptFailure } from './attempt.ts';
import type { ChatChoice } from './chat.ts';
import type { Usage } from './receipt.ts';

/** A whole answer. `extra` are top-level upstream fields worth keeping (`service_tier`, `system_fingerprint`). */
export interface DecodedReply {
  upstreamId: string | null;
  choices: ChatChoice[];
  usage: Usage | null;
  extra: Record<string, unknown>;
  /** The upstream's own body, where the client speaks its dialect. */
  native?: Record<string, unknown>;
}

/** Choices to relay (may be empty), with usage when the event carried it. */
export interface ReplyChunk {
  kind: 'chunk';
  upstreamId: string | null;
  choices: ChatChoice[];
  usage: Usage | null;
  extra: Record<string, unknown> | null;
  /** The upstream's own event, where the client speaks its dialect; such a chunk may have no choices. */
  native?: Record<string, unknown>;
}

/**
 * One event of an upstream stream.
 * `done`: the upstream said that it is finished; `failure`: an error inside the stream; `ignore`: nothing for the client;
 * `seam`: the upstream broke here and another goes on with the same answer: what came before is to be counted on its own.
 */
export type StreamEvent =
  | ReplyChunk
  | { kind: 'done' }
  | { kind: 'failure'; failure: AttemptFailure }
  | { kind: 'ignore' }
  | { kind: 'seam'; failure: AttemptFailure };

/** Events of one answer, batch by batch as the bytes came. Never throws: trouble is a `failure` event. */
export interface ReplyStream {
  /** The next events in order; null after the end of the bytes. */
  next(): Promise<readonly StreamEvent[] | null>;
  /** Stops reading and tells the upstream. Idempotent. */
  cancel(): void;
}
