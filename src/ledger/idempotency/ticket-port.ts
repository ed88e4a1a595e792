/**
 * What an isolate and the team's Account say to each other about requests with an `Idempotency-Key`.
 * A ticket is such a key in use: whoever holds it may run the request, everybody else is told how that went.
 */

/** A ticket as its holder names it. */
export interface TicketRef {
  /** Digest of the API key's id and the `Idempotency-Key`. */
  id: string;
  /** The generation that the holder runs under it. */
  generationId: string;
}

/** Asks for a ticket. Repeating an ask changes nothing. */
export interface TicketAsk extends TicketRef {
  /** Tells one request from another under the same key; says nothing about either. */
  fingerprint: string;
  /** A generation whose ticket had lapsed, and of which no receipt says that it was charged; null at the first ask. */
  instead: string | null;
}

/**
 * The answer to an ask.
 * `taken`: run it. `running`: another request does. `lapsed`: its holder is not heard of any more; look for the receipt of `generationId`.
 * `kept`: here is the answer. `unkept`: it was answered and charged, and the answer is not here. `other_request`: the key belongs to another
 * one. `full`: as many requests of the team are running under keys as there is room for.
 */
export type TicketAnswer =
  | { state: 'taken' | 'running' | 'other_request' | 'full' }
  | { state: 'lapsed' | 'unkept'; generationId: string }
  | { state: 'kept'; generationId: string; sealed: Uint8Array };

/** The part of the Account that keeps tickets. */
export interface TicketPort {
  /** Asks for a ticket. Rejects when the Account cannot be reached. */
  takeTicket(ask: TicketAsk): Promise<TicketAnswer>;
  /** Says that its holder still runs. False when the ticket is not theirs any more. */
  renewTicket(ticket: TicketRef): Promise<boolean>;
  /** Ends a run that was charged or completed; null where the answer is not to be kept. */
  keepAnswer(ticket: TicketRef, sealed: Uint8Array | null): Promise<void>;
  /** Ends a run that was not: the next request with the key begins anew. */
  returnTicket(ticket: TicketRef): Promise<void>;
}
