/** How fast an endpoint is when nothing is in its way: as measured in requests, else as probed, told or computed, else as its kind usually is. */
import type { Offer, SupplyKind } from '#schema/catalog';
import type { EndpointHealth } from '#schema/health';
import type { SpeedBasis } from '#schema/receipt';

/** Typical normalised TTFT and TPOT of each supply kind, until something is known of an endpoint. */
const TTFT_PRIOR_MS: Readonly<Record<SupplyKind, number>> = { centralized: 700, selfhosted: 600, subnet: 1000 };
const TPOT_PRIOR_MS: Readonly<Record<SupplyKind, number>> = { centralized: 15, selfhosted: 20, subnet: 25 };

/** Expects a TTFT, normalised to a 1,150-token prompt, ms. */
export function normalisedTtftMs({ expected, supply }: Offer, health: EndpointHealth | undefined): number {
  return health?.ttftNormalisedMs ?? expected?.ttftMs ?? TTFT_PRIOR_MS[supply];
}

/** Expects the time between two output tokens, ms. */
export function expectedTpotMs({ expected, supply }: Offer, health: EndpointHealth | undefined): number {
  return health?.tpotMs ?? expected?.tpotMs ?? TPOT_PRIOR_MS[supply];
}

/** Says what both expectations rest on. */
export function speedBasis({ expected }: Offer, health: EndpointHealth | null): { ttft: SpeedBasis; tpot: SpeedBasis } {
  const basisOf = (measuredMs: number | null | undefined, expectedMs: number | null | undefined): SpeedBasis => {
    if (measuredMs != null) return 'measured';
    return expectedMs == null || expected === undefined ? 'prior' : expected.source;
  };
  return { ttft: basisOf(health?.ttftNormalisedMs, expected?.ttftMs), tpot: basisOf(health?.tpotMs, expected?.tpotMs) };
}
