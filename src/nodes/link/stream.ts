/** One request on a link, as the NodeLink sees it: what may be sent, what has come, and what its reader owes the node. */
import { WINDOW_BYTES } from '#schema/node-link';

/** Why a stream broke: its node is gone, the node broke it off, nobody reads it, or the node broke the rules. */
export type BreakReason = 'unlinked' | 'reset' | 'unread' | 'protocol';

/** The answer as it comes. After `end` or `broken` nothing follows. */
export interface StreamReader {
  head(status: number, headers: Readonly<Record<string, string>>): void;
  /** Bytes of the body, valid until the call returns unless they are kept by reference: nobody writes to them again. */
  data(bytes: Uint8Array): void;
  end(): void;
  broken(reason: BreakReason): void;
}

/** What a LinkSession keeps of an open stream. */
export class StreamState {
  readonly number: number;
  readonly reader: StreamReader;
  hasHead = false;
  /** Body bytes that the node may still send. */
  receivableBytes = WINDOW_BYTES;
  /** Bytes that have come and that the reader has not taken. */
  unreadBytes = 0;
  /** Bytes taken since the node was last given credit. */
  uncreditedBytes = 0;
  /** Body bytes that may still be sent to the node. */
  sendableBytes = WINDOW_BYTES;

  constructor(number: number, reader: StreamReader) {
    this.number = number;
    this.reader = reader;
  }

  /** Bytes that are on their way to the node, as far as is known here. */
  get unacknowledgedBytes(): number {
    return WINDOW_BYTES - this.sendableBytes;
  }
}
