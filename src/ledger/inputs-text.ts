/** What a plan depended on, as it is stored: numbers in full, because the same order must come out of them again. */
import type { RequestFacts } from '#schema/facts';
import type { EndpointHealth } from '#schema/health';
import type { ProviderWishes, ResolvedPolicy } from '#schema/policy';
import type { PlanInputs, PolicyLevels } from '#schema/receipt';

/** Stored as their places here. */
const BREAKERS: readonly EndpointHealth['breaker'][] = ['closed', 'open', 'half_open'];

/** One reading, the rarest parts last and absent where they are; without what no order depends on: the q95 that hedges go by, and parts of a sample. */
type ReadingRow = readonly [
  samples: number,
  failureProbability: number,
  ttftNormalisedMs: number | null,
  ttftNormalisedMsP90: number | null,
  tpotMs: number | null,
  inFlight: number,
  cap: number,
  backoffUntilMs: number,
  breaker: number,
  credentialDisabled: 0 | 1,
  newsAgeMs: number | null,
  failureProbabilityLong?: number | null,
  inFlightTokens?: number | null,
  nodeLoad?: NodeLoadRow | null,
  likelyInFlightTokens?: number,
];
type NodeLoadRow = readonly [running: number, waiting: number, kvUsage: number | null, ageMs: number];

/** Where the policy came from: three names, how many models were asked for, and the request's wishes where it had some. */
type LevelsRow = readonly [
  team: string | null,
  key: string | null,
  request: string | null,
  requestedModels: number,
  wishes?: readonly ProviderWishes[],
];

/** Inputs beside the facts, which stand with the plan. */
export interface CompactInputs {
  policy: Partial<ResolvedPolicy>;
  models: readonly string[];
  roll: number;
  home: readonly [endpointId: string, cacheHit: number] | null;
  readings: readonly (ReadingRow | null)[];
  /** Absent in texts from before levels were kept. */
  asked?: LevelsRow;
}

/** Compacts the inputs of a plan, with the readings of its first `limit` candidates. */
export function encodeInputs({ policy, models, roll, home, readings, asked }: PlanInputs, limit: number): CompactInputs {
  return {
    policy,
    models,
    roll,
    home: home && [home.endpointId, home.cacheHit],
    readings: readings.slice(0, limit).map((reading) => reading && toReadingRow(reading)),
    ...(asked && { asked: toLevelsRow(asked) }),
  };
}

/** Reads inputs back. */
export function decodeInputs({ policy, models, roll, home, readings, asked }: CompactInputs, facts: RequestFacts): PlanInputs {
  return {
    facts,
    policy,
    models,
    roll,
    home: home && { endpointId: home[0], cacheHit: home[1] },
    readings: readings.map((row) => row && fromReadingRow(row)),
    ...(asked && { asked: fromLevelsRow(asked) }),
  };
}

function toLevelsRow({ team, key, request, requestedModels, wishes }: PolicyLevels): LevelsRow {
  return wishes === undefined ? [team, key, request, requestedModels] : [team, key, request, requestedModels, wishes];
}

function fromLevelsRow([team, key, request, requestedModels, wishes]: LevelsRow): PolicyLevels {
  return { team, key, request, ...(wishes && { wishes }), requestedModels };
}

function toReadingRow(reading: EndpointHealth): ReadingRow {
  const { failureProbabilityLong, inFlightTokens, nodeLoad, likelyInFlightTokens } = reading;
  const row = [
    Math.floor(reading.samples),
    reading.failureProbability,
    reading.ttftNormalisedMs,
    reading.ttftNormalisedMsP90,
    reading.tpotMs,
    reading.inFlight,
    reading.cap,
    reading.backoffUntilMs,
    BREAKERS.indexOf(reading.breaker),
    reading.credentialDisabled ? 1 : 0,
    reading.newsAgeMs ?? null,
  ] as const;
  const [long, tokens, node] = [failureProbabilityLong ?? null, inFlightTokens ?? null, nodeLoad ? toNodeLoadRow(nodeLoad) : null];
  if (likelyInFlightTokens !== undefined) return [...row, long, tokens, node, likelyInFlightTokens];
  if (node !== null) return [...row, long, tokens, node];
  if (tokens !== null) return [...row, long, tokens];
  return long === null ? row : [...row, long];
}

function toNodeLoadRow({ running, waiting, kvUsage, ageMs }: NonNullable<EndpointHealth['nodeLoad']>): NodeLoadRow {
  return [running, waiting, kvUsage, ageMs];
}

function fromNodeLoadRow([running, waiting, kvUsage, ageMs]: NodeLoadRow): NonNullable<EndpointHealth['nodeLoad']> {
  return { running, waiting, kvUsage, ageMs };
}

function fromReadingRow(row: ReadingRow): EndpointHealth {
  const [samples, failureProbability, ttftNormalisedMs, ttftNormalisedMsP90, tpotMs, inFlight, cap, backoffUntilMs, breaker, ...others] =
    row;
  const [credentialDisabled, newsAgeMs, failureProbabilityLong = null, inFlightTokens = null, nodeLoad = null, likely] = others;
  return {
    samples,
    failureProbability,
    ...(failureProbabilityLong !== null && { failureProbabilityLong }),
    ttftNormalisedMs,
    ttftNormalisedMsP90,
    ttftNormalisedMsP95: null,
    tpotMs,
    inFlight,
    ...(newsAgeMs !== null && { newsAgeMs }),
    cap,
    backoffUntilMs,
    breaker: BREAKERS[breaker] ?? 'closed',
    credentialDisabled: credentialDisabled === 1,
    ...(inFlightTokens !== null && { inFlightTokens }),
    ...(likely !== undefined && { likelyInFlightTokens: likely }),
    ...(nodeLoad !== null && { nodeLoad: fromNodeLoadRow(nodeLoad) }),
  };
}
