/** What a replay has found, as `--json` prints it. The same receipts, catalogue and policies give the same report, byte for byte. */
import { toUsd } from '#schema/money';
import type { Doubt, Skip } from './outcome.ts';
import { quantile, type Both, type Sums, type Tally } from './tally.ts';

/** What was replayed over what. */
export interface ReplaySubject {
  /** The file of a manifest, or the name of a stored policy. */
  policy: { file: string } | { name: string };
  since: string;
  until: string;
  team: string | null;
  /** Version of the catalogue that both policies were tried over. */
  catalogue: string;
}

/** USD, or milliseconds. */
interface Pair {
  before: number | null;
  after: number | null;
}

/** Sums over some requests. */
export interface ReplaySums {
  requests: number;
  changed: number;
  refused: number;
  newly_served: number;
  refused_both: number;
  supply_moves: { from: string; to: string; requests: number }[];
  tier_up: number;
  tier_down: number;
  /** Of requests that both policies serve, with the tokens that they used; `change_percent` null where they cost nothing before. */
  cost_usd: Pair & { change_percent: number | null };
  /** The same with the output that was expected. */
  predicted_cost_usd: Pair & { change_percent: number | null };
  /** What refused requests cost, and what newly served ones are predicted to. */
  refused_cost_usd: number;
  newly_served_cost_usd: number;
  predicted_ttft_ms: { p50: Pair; p90: Pair };
  /** Requests whose comparison may be doubted, by reason. */
  doubts: Record<Doubt, number>;
}

export interface ReplayReport extends ReplaySubject {
  object: 'replay';
  recorded: number;
  replayed: number;
  skipped: Record<Skip, number>;
  /** Whether the policy that held, planned again, names the endpoint that the receipts put first. */
  fidelity: Record<'same_catalogue' | 'other_catalogue', { same_first: number; other_first: number }>;
  total: ReplaySums;
  by_model: ({ model: string } & ReplaySums)[];
  by_team: ({ team: string } & ReplaySums)[];
  /** Most frequent first, at most 50. */
  moves: { from: string; to: string; requests: number; cost_usd: Pair }[];
  refusals: { filter: string; requests: number; reason: string; example: string }[];
  notes: string[];
}

const MOVES_MAX = 50;

/** Builds the report of a tally. */
export function toReport(subject: ReplaySubject, tally: Tally): ReplayReport {
  const { total, models, teams, moves, refusals, skips, fidelity } = tally;
  const skipped = Object.values(skips).reduce((sum, count) => sum + count, 0);
  const report: Omit<ReplayReport, 'notes'> = {
    object: 'replay',
    ...subject,
    recorded: total.requests + skipped,
    replayed: total.requests,
    skipped: skips,
    fidelity: {
      same_catalogue: { same_first: fidelity.sameCatalogue.same, other_first: fidelity.sameCatalogue.other },
      other_catalogue: { same_first: fidelity.otherCatalogue.same, other_first: fidelity.otherCatalogue.other },
    },
    total: toSums(total),
    by_model: byName(models).map(([model, sums]) => ({ model, ...toSums(sums) })),
    by_team: byName(teams).map(([team, sums]) => ({ team, ...toSums(sums) })),
    moves: [...moves.values()]
      .toSorted((one, other) => other.requests - one.requests || compareText(one.from, other.from) || compareText(one.to, other.to))
      .slice(0, MOVES_MAX)
      .map(({ from, to, requests, ...cost }) => ({ from, to, requests, cost_usd: toPair(cost) })),
    refusals: [...refusals.values()].toSorted((one, other) => other.requests - one.requests || compareText(one.filter, other.filter)),
  };
  return { ...report, notes: listNotes(report) };
}

function toSums(sums: Sums): ReplaySums {
  return {
    requests: sums.requests,
    changed: sums.changed,
    refused: sums.refused,
    newly_served: sums.newlyServed,
    refused_both: sums.refusedBoth,
    supply_moves: byName(sums.supplyMoves).map(([move, requests]) => {
      const [from = '', to = ''] = move.split('>');
      return { from, to, requests };
    }),
    tier_up: sums.tierUp,
    tier_down: sums.tierDown,
    cost_usd: { ...toPair(sums.costNanoUsd), change_percent: changePercent(sums.costNanoUsd) },
    predicted_cost_usd: { ...toPair(sums.predictedNanoUsd), change_percent: changePercent(sums.predictedNanoUsd) },
    refused_cost_usd: toUsd(sums.refusedNanoUsd),
    newly_served_cost_usd: toUsd(sums.newlyServedNanoUsd),
    predicted_ttft_ms: { p50: toQuantiles(sums, 0.5), p90: toQuantiles(sums, 0.9) },
    doubts: sums.doubts,
  };
}

function toPair({ before, after }: Both): { before: number; after: number } {
  return { before: toUsd(before), after: toUsd(after) };
}

/** To a hundredth of a percent. */
function changePercent({ before, after }: Both): number | null {
  return before === 0 ? null : Math.round(((after - before) / before) * 10_000) / 100;
}

function toQuantiles({ ttftBefore, ttftAfter }: Sums, share: number): Pair {
  return { before: quantile(ttftBefore, share), after: quantile(ttftAfter, share) };
}

function byName<Value>(groups: ReadonlyMap<string, Value>): [string, Value][] {
  return [...groups].toSorted(([one], [other]) => compareText(one, other));
}

/** Code-unit order: the same on every machine. */
function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** Says in words what a reader must know before believing the numbers. */
function listNotes({ skipped, fidelity, total, by_model, replayed }: Omit<ReplayReport, 'notes'>): string[] {
  const { unmeasured, unmeasured_choice, home_lost, one_only, cut_short } = total.doubts;
  const other = fidelity.other_catalogue;
  const say = (count: number, words: string): string[] => (count > 0 ? [`${count} ${words}`] : []);
  return [
    ...say(skipped.no_inputs, 'requests not replayed: their receipts do not hold what the plan depended on'),
    ...say(skipped.no_levels, 'requests not replayed: their receipts do not say where their policy came from'),
    ...say(skipped.model_gone, 'requests not replayed: no model of theirs is in the catalogue any more'),
    ...say(skipped.unreadable, 'requests not replayed: their plans cannot be read'),
    ...say(
      other.same_first + other.other_first,
      `requests ran under another version of the catalogue; both policies are tried over the catalogue of now`,
    ),
    ...say(
      fidelity.same_catalogue.other_first,
      'requests whose own policy, planned again over the same catalogue, puts another endpoint first',
    ),
    ...say(
      unmeasured,
      `requests have candidates that the old policy had left out, so their health was not recorded: planned as never seen, as the first choice in ${unmeasured_choice}`,
    ),
    ...by_model.flatMap(({ model, requests, doubts }) =>
      say(doubts.output_length, `of ${requests} requests of ${model} would choose otherwise with the output that they really had`),
    ),
    ...say(home_lost, 'conversations would leave the endpoint that has their prompt cache; the next home is not known'),
    ...say(one_only, 'requests ran under a policy without fallbacks: only the endpoint that was chosen is recorded'),
    ...say(cut_short, 'requests had more endpoints than a receipt keeps (32 candidates, 64 exclusions)'),
    ...(replayed === 0 ? ['nothing was replayed'] : []),
  ];
}
