/** Questions to a database that must be answered in time. */
import { GatewayError } from './error.ts';
import { within } from './within.ts';

/** What is said when no answer comes. */
interface Terms {
  /** Such as `Usage cannot be read right now`; the client is told so, and to try again. */
  sentence: string;
  /** Name of the line in the log, such as `books_unavailable`. */
  event: string;
  timeoutMs: number;
  log(event: Record<string, unknown>): void;
}

/** Waits for an answer, at most as long as the terms say unless another time is given. Throws GatewayError `ledger_unavailable` where none comes. */
export type OrUnavailable = <Answer>(work: Promise<Answer>, timeoutMs?: number) => Promise<Answer>;

/** Creates the way in which one room asks its database. */
export function createOrUnavailable({ sentence, event, timeoutMs: usualMs, log }: Terms): OrUnavailable {
  return async (work, timeoutMs = usualMs) => {
    try {
      return await within(work, timeoutMs);
    } catch (cause) {
      log({ event, cause: cause instanceof Error ? cause.name : 'unknown' });
      throw new GatewayError('ledger_unavailable', `${sentence}. Try again shortly.`, { retryAfterS: 2, cause });
    }
  };
}
