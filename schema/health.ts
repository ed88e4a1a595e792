/** What routing reads of an endpoint's health. Written by src/health, read by src/routing; both meet only here. */

export interface EndpointHealth {
  /** Finished attempts seen in the decay window; below 20 the estimates lean on priors. */
  samples: number;
  /** Probability that an attempt fails, in (0, 1). */
  failureProbability: number;
  /** Expected time to first token of a 1,150-token prompt, ms; multiply by the length factor s(u). Null: never seen. */
  ttftNormalisedMs: number | null;
  ttftNormalisedMsP90: number | null;
  /** Milliseconds per output token. Null: never seen. */
  tpotMs: number | null;
  inFlight: number;
  /** Concurrency cap; at or above it the cap gate fails. */
  cap: number;
  /** Not to be tried before this instant because it asked (429, 503-full), epoch ms; 0 when never. */
  backoffUntilMs: number;
  breaker: 'closed' | 'open' | 'half_open';
  /** Our key for this endpoint is refused or unfunded now. */
  credentialDisabled: boolean;
}

/** Reads health at one instant; undefined means nothing is known of that endpoint. */
export interface HealthView {
  read(endpointId: string, operatorId: string, keySecret: string | null): EndpointHealth | undefined;
}

/**
 * Scales a TTFT with the prompt: s(u) = 0.5 + 0.5·(u + 500)/1650, with u in uncached prompt tokens; 1 at 1,150 tokens.
 * Writers divide measured TTFTs by it, readers multiply estimates by it.
 */
export function promptLengthFactor(promptTokens: number): number {
  return 0.5 + (0.5 * (promptTokens + 500)) / 1650;
}
