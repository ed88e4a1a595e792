/** What a socket carries through the hibernation of its object. The runtime keeps at most 2 KiB of it. */
import type { ToldLoad } from './load-header.ts';

/** Dialled, and not yet known to be the node. */
export interface Challenged {
  phase: 'challenged';
  nodeId: string;
  /** Origin that was dialled. */
  router: string;
  nonce: string;
  /** Where the connection comes from. */
  source: string;
  /** Epoch milliseconds. */
  atMs: number;
}

/** The link of the node. */
export interface Linked {
  phase: 'linked';
  nodeId: string;
  /** Where the node has come from. */
  source: string;
  linkedAtMs: number;
  /** Every stream that was ever opened on this socket has a lower number. */
  streamsFrom: number;
  /** Asked for by the operator through the API. */
  drainedByRouter: boolean;
  drainedByNode: boolean;
  /** Why it can serve nothing now; null where it can. */
  trouble: string | null;
  told: ToldLoad | null;
}

/** Closed by us; what still arrives is nobody's. */
interface Over {
  phase: 'over';
}

export type Attachment = Challenged | Linked | Over;

/** Reads what a socket carries. */
export function attachmentOf(socket: WebSocket): Attachment {
  return (socket.deserializeAttachment() as Attachment | null) ?? { phase: 'over' };
}

/** Closes a socket for good; one that is closed already stays so. */
export function closeSocket(socket: WebSocket, code: number, reason: string): void {
  socket.serializeAttachment({ phase: 'over' } satisfies Over);
  try {
    socket.close(code, reason.slice(0, 100));
  } catch {
    // It is gone already.
  }
}
