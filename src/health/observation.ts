/**
 * What an isolate sees of an endpoint, one event at a time. Isolates and boards fold the same events by the same rules,
 * so that a board is nothing but an isolate that has seen what all of them saw.
 */

/**
 * Times in ms; `tenant` is a digest, never a name. `isProbe`: the one request that a half-open breaker let through; `isTenantProbe`:
 * the one that this tenant's own breaker let through. `isLong`: the prompt was above LONG_PROMPT_TOKENS.
 */
export type Observation =
  /** First content of a stream. `normalisedMs` is the TTFT over the prompt's length factor; `inFlight` the load when it was sent. */
  | {
      kind: 'first_token';
      atMs: number;
      tenant?: string;
      normalisedMs: number;
      inFlight: number;
      isProbe: boolean;
      isTenantProbe?: boolean;
    }
  /**
   * An answer that came to its end. `tpotMs` is null where it showed no pace. `isEmpty`: it held no token, which is half a failure.
   * `times`: how many alike this one stands for (absent: 1), with their mean pace.
   */
  | {
      kind: 'completed';
      atMs: number;
      tenant: string;
      tpotMs: number | null;
      isProbe: boolean;
      isTenantProbe?: boolean;
      isLong?: boolean;
      isEmpty?: boolean;
      times?: number;
    }
  /** The pace of an answer that was broken off. */
  | { kind: 'paced'; atMs: number; tpotMs: number }
  /** A failure of the endpoint, which counts as at least this slow. */
  | { kind: 'failed'; atMs: number; tenant: string; normalisedMs: number; isProbe: boolean; isTenantProbe?: boolean; isLong?: boolean }
  /** It said that it is full; `inFlight` null: that it is not there, which says nothing of how much it holds. */
  | { kind: 'refused'; atMs: number; retryAfterMs: number | null; inFlight: number | null }
  /** Nothing had come after this long, and another endpoint was faster. */
  | { kind: 'outrun'; atMs: number; normalisedMs: number }
  /** What the node says of its own load. `running` is 0 where it does not count them: then our own count stands. */
  | { kind: 'load'; atMs: number; running: number; waiting: number; kvUsage: number | null }
  /** A probe that proved nothing, such as one whose client left: the endpoint's, or with `tenant` that tenant's own. */
  | { kind: 'probe_returned'; atMs: number; tenant?: string };

/** The oldest event that is still folded in: what is older says nothing of now. */
export const OBSERVED_AGO_MAX_MS = 60_000;
