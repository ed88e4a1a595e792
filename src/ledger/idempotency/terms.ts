/** How long things last around an `Idempotency-Key`. */

/** A ticket is remembered this long after its request came. */
export const LIFETIME_MS = 24 * 60 * 60 * 1000;
/** A holder that is not heard of for this long has lost its ticket. */
export const HELD_MS = 60_000;
/** How often a holder says that it still runs. */
export const RENEW_EVERY_MS = 15_000;
/**
 * A holder whose renewals fail for this long stops, in time for its receipt to be found by whoever gets the ticket at `HELD_MS`:
 * that is what keeps a request that was cut off from its Account from being charged beside its own repeat.
 */
export const STOP_AFTER_MS = 40_000;
/** The longest wait for one call to the Account. */
export const CALL_LIMIT_MS = 3000;
/** Largest answer that is kept, its headers included. */
export const ANSWER_BYTES_MAX = 1024 * 1024;
