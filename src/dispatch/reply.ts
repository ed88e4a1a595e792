/** What dispatch hands out when an upstream has answered. */
import type { AttemptFailure } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { AttemptEnd, LiveAttempt } from './launch.ts';
import type { Opened } from './read-answer.ts';

/** An attempt that broke after content, and with whose answer another one went on. */
export interface BrokenAttempt {
  offer: Offer;
  failure: AttemptFailure;
  /** Books it; health has heard of it already. */
  finish(end: AttemptEnd): void;
}

/** An upstream that answered. Once a stream has been resumed, `offer` and `finish` are those of whoever answers now. */
export interface Reply {
  readonly offer: Offer;
  opened: Opened;
  /** Books the attempt; call exactly once, when the answer has ended for whatever reason, and after those of `broken`. */
  finish(end: AttemptEnd): void;
  /** Attempts that the answer was taken over from, in order; one for each `seam` event. */
  readonly broken: readonly BrokenAttempt[];
  /** Why the attempt broke off, where no other went on with its answer. */
  readonly brokenBy: AttemptFailure | null;
  /** Settles when a resume that is under way has ended; null while there is none. */
  resuming(): Promise<void> | null;
}

/** Hands out an answer that ends where its attempt ends. */
export function toReply({ offer, finish }: LiveAttempt, opened: Opened): Reply {
  return { offer, opened, finish, broken: [], brokenBy: null, resuming: () => null };
}
