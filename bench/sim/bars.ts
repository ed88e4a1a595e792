/** The bars that routing is held to, and whether this run held them (docs/routing.md). */
import { OURS, YARDSTICK } from './policies.ts';
import { scenarioNamed } from './scenario-names.ts';
import type { Summary, SummaryField } from './summary.ts';

/**
 * What serving what ours served well must cost, by scenario, mean over seeds. `ratio` is our price over it; `gap` is how much the cheapest solution that
 * was found costs over the bound, as a share: the bound is that tight or tighter.
 */
export interface ReportedBound {
  usdPerMTok: number;
  ratio: number;
  gap: number | null;
}

/** One bar in one scenario. `held` is null where the run has nothing to judge by. */
export interface Bar {
  bar: string;
  scenario: string;
  value: number | null;
  limit: number;
  /** Whether the value has to be at least or at most the limit. */
  side: 'at_least' | 'at_most';
  held: boolean | null;
}

const GAIN_CALM = 4;
const GAIN_FAULT = 9;
const PRICE_RATIO = 1.08;
const BOUND_RATIO = 1.1;
const TTFT_P99_MS = 5_000;
const ATTEMPTS = 1.12;
const RECOVERY_S = 10;
/** Five times the traffic of the fleet's size: no policy can keep first tokens fast. */
const NO_TTFT_BAR = new Set(['flash-crowd']);

/** Judges every bar in every scenario that ours was run in. */
export function judge(summaries: readonly Summary[], bounds: Readonly<Record<string, ReportedBound>>): Bar[] {
  const find = (policy: string, scenario: string): Summary | undefined =>
    summaries.find((summary) => summary.policy === policy && summary.scenario === scenario);
  return summaries
    .filter(({ policy }) => policy === OURS)
    .flatMap((ours) => {
      const { scenario } = ours;
      const { isFault, isHardOutage } = scenarioNamed(scenario);
      const rival = find(YARDSTICK, scenario);
      const value = (field: SummaryField): number | null => ours.values[field]?.mean ?? null;
      const against = (field: SummaryField, compare: (own: number, other: number) => number): number | null => {
        const [own, other] = [value(field), rival?.values[field]?.mean ?? null];
        return own === null || other === null ? null : compare(own, other);
      };
      const gain = against('sloGoodput', (own, other) => 100 * (own - other));
      const bars = [
        atLeast(
          isFault ? 'goodput over openrouter-like, fault, points' : 'goodput over openrouter-like, no fault, points',
          gain,
          isFault ? GAIN_FAULT : GAIN_CALM,
        ),
        atMost(
          'price over openrouter-like, ratio',
          against('usdPerMTok', (own, other) => own / other),
          PRICE_RATIO,
        ),
        atMost('price over the bound, ratio', bounds[scenario]?.ratio ?? null, BOUND_RATIO),
        atMost('attempts per request', value('attemptsPerRequest'), ATTEMPTS),
      ];
      if (!NO_TTFT_BAR.has(scenario)) bars.push(atMost('p99 TTFT, ms', value('ttftP99Ms'), TTFT_P99_MS));
      if (isHardOutage) bars.push(atMost('recovery after a hard outage, s', value('recoveryS'), RECOVERY_S));
      return bars.map((bar) => ({ ...bar, scenario }));
    });
}

function atLeast(bar: string, value: number | null, limit: number): Omit<Bar, 'scenario'> {
  return { bar, value, limit, side: 'at_least', held: value === null ? null : value >= limit };
}

function atMost(bar: string, value: number | null, limit: number): Omit<Bar, 'scenario'> {
  return { bar, value, limit, side: 'at_most', held: value === null ? null : value <= limit };
}
