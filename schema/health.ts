/**
 * What routing reads of an endpoint's health. Written by src/health, read by src/routing; both meet only here.
 * A reading never changes: plans keep it until their receipt is written.
 */
import type { NodeLoad } from './node-service.ts';

export interface EndpointHealth {
  /** Finished attempts seen in the decay window; below 20 the estimates lean on priors. */
  samples: number;
  /** Probability that an attempt fails, in (0, 1). */
  failureProbability: number;
  /** The same for prompts above LONG_PROMPT_TOKENS alone; absent until at least three of them have been seen. */
  failureProbabilityLong?: number;
  /** Expected time to first token of a 1,150-token prompt, ms; multiply by the length factor s(u). Null: never seen. */
  ttftNormalisedMs: number | null;
  ttftNormalisedMsP90: number | null;
  ttftNormalisedMsP95: number | null;
  /** Milliseconds per output token. Null: never seen. */
  tpotMs: number | null;
  /** Requests at the endpoint now, over all isolates as far as this one can tell. */
  inFlight: number;
  /** How long ago it was last told what other isolates have there, ms; absent where there are no others. */
  newsAgeMs?: number;
  /** Concurrency cap; at or above it the cap gate fails. */
  cap: number;
  /** Not to be tried before this instant because it asked (429, 503-full), epoch ms; 0 when never. */
  backoffUntilMs: number;
  breaker: 'closed' | 'open' | 'half_open';
  /** The key for this endpoint is refused or unfunded now. */
  credentialDisabled: boolean;
  /** Prompt and expected answer tokens of our requests that are surely there now, over all isolates; absent where none are. */
  inFlightTokens?: number;
  /** The same with what other isolates are likely to have sent since they were last heard of; absent where that is no more. */
  likelyInFlightTokens?: number;
  /** What the node itself has said of its load, `ageMs` ago; absent where it says nothing or said it too long ago to count. */
  nodeLoad?: NodeLoad & { ageMs: number };
}

/** Above this many prompt tokens an endpoint's record is kept apart: some fail on long prompts only. */
export const LONG_PROMPT_TOKENS = 4_000;

/** Who answered the last turn of a conversation that this isolate remembers. */
export interface LastServed {
  endpointId: string;
  ageMs: number;
}

/** Reads health at one instant, for one tenant. */
export interface HealthView {
  /** Undefined: nothing is known of that endpoint. `credential` names the key that would be used: a secret, or a team's own; null for none. */
  read(endpointId: string, operatorId: string, credential: string | null): EndpointHealth | undefined;
  /** Finds who served a conversation last, by the key of its `Affinity`; null when nobody is remembered. */
  lastServed(conversation: string): LastServed | null;
}

/**
 * Scales a TTFT with the prompt: s(u) = 0.5 + 0.5·(u + 500)/1650, with u in uncached prompt tokens; 1 at 1,150 tokens.
 * Writers divide measured TTFTs by it, readers multiply estimates by it.
 */
export function promptLengthFactor(promptTokens: number): number {
  return 0.5 + (0.5 * (promptTokens + 500)) / 1650;
}
