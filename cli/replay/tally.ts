/** Sums over outcomes. Everything that is added up is an integer, so no order of adding changes a sum. */
import type { SupplyKind } from '#schema/catalog';
import { DOUBTS, SKIPS, tierStep, type Choice, type Compared, type Doubt, type Outcome, type Skip } from './outcome.ts';

/** An amount under the policy of before and under the one that is tried. */
export interface Both {
  before: number;
  after: number;
}

/** Sums over some requests. Amounts in nano-USD. */
export interface Sums {
  requests: number;
  /** Another endpoint would have come first. */
  changed: number;
  refused: number;
  newlyServed: number;
  /** Neither policy has an endpoint for it. */
  refusedBoth: number;
  /** `subnet>selfhosted` → requests, where the kind of supply differs. */
  supplyMoves: Map<string, number>;
  tierUp: number;
  tierDown: number;
  /** Of requests that both policies serve: with the tokens that were used, and with the output that was expected. */
  costNanoUsd: Both;
  predictedNanoUsd: Both;
  /** What refused requests cost before, and what newly served ones are predicted to. */
  refusedNanoUsd: number;
  newlyServedNanoUsd: number;
  /** Milliseconds → requests that both policies serve. */
  ttftBefore: Map<number, number>;
  ttftAfter: Map<number, number>;
  doubts: Record<Doubt, number>;
}

/** How often one endpoint gave way to another. */
export interface Move extends Both {
  from: string;
  to: string;
  requests: number;
}

/** How often nothing was left, with the first request that shows it. */
export interface RefusalCount {
  filter: string;
  requests: number;
  reason: string;
  example: string;
}

export interface Tally {
  total: Sums;
  models: Map<string, Sums>;
  teams: Map<string, Sums>;
  moves: Map<string, Move>;
  refusals: Map<string, RefusalCount>;
  skips: Record<Skip, number>;
  fidelity: { sameCatalogue: { same: number; other: number }; otherCatalogue: { same: number; other: number } };
}

/** Starts with nothing. */
export function createTally(): Tally {
  return {
    total: createSums(),
    models: new Map(),
    teams: new Map(),
    moves: new Map(),
    refusals: new Map(),
    skips: countsOf(SKIPS),
    fidelity: { sameCatalogue: { same: 0, other: 0 }, otherCatalogue: { same: 0, other: 0 } },
  };
}

/** Adds one outcome. */
export function addOutcome(tally: Tally, { id, team, model, result }: Outcome): void {
  if (typeof result === 'string') {
    tally.skips[result]++;
    return;
  }
  for (const sums of [tally.total, sumsOf(tally.models, model), sumsOf(tally.teams, team)]) addTo(sums, result);
  const { sameCatalogue, otherCatalogue } = tally.fidelity;
  (result.isSameCatalogue ? sameCatalogue : otherCatalogue)[result.isFaithful ? 'same' : 'other']++;
  addMove(tally.moves, result);
  addRefusal(tally.refusals, result, id);
}

function createSums(): Sums {
  return {
    requests: 0,
    changed: 0,
    refused: 0,
    newlyServed: 0,
    refusedBoth: 0,
    supplyMoves: new Map(),
    tierUp: 0,
    tierDown: 0,
    costNanoUsd: { before: 0, after: 0 },
    predictedNanoUsd: { before: 0, after: 0 },
    refusedNanoUsd: 0,
    newlyServedNanoUsd: 0,
    ttftBefore: new Map(),
    ttftAfter: new Map(),
    doubts: countsOf(DOUBTS),
  };
}

function countsOf<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}

function sumsOf(groups: Map<string, Sums>, name: string): Sums {
  const known = groups.get(name);
  if (known !== undefined) return known;
  const made = createSums();
  groups.set(name, made);
  return made;
}

function addTo(sums: Sums, compared: Compared): void {
  const { before, after, doubts } = compared;
  sums.requests++;
  for (const doubt of doubts) sums.doubts[doubt]++;
  if (before === null && after === null) sums.refusedBoth++;
  else if (before === null) {
    sums.newlyServed++;
    sums.newlyServedNanoUsd += after?.predictedNanoUsd ?? 0;
  } else if (after === null) {
    sums.refused++;
    sums.refusedNanoUsd += before.costNanoUsd ?? 0;
  } else addServed(sums, { before, after, step: tierStep(compared) });
}

function addServed(sums: Sums, { before, after, step }: { before: Choice; after: Choice; step: number }): void {
  if (before.endpoint !== after.endpoint) sums.changed++;
  if (before.supply !== after.supply) count(sums.supplyMoves, supplyMove(before.supply, after.supply));
  if (step > 0) sums.tierUp++;
  if (step < 0) sums.tierDown++;
  sums.costNanoUsd.before += before.costNanoUsd ?? 0;
  sums.costNanoUsd.after += after.costNanoUsd ?? 0;
  sums.predictedNanoUsd.before += before.predictedNanoUsd;
  sums.predictedNanoUsd.after += after.predictedNanoUsd;
  count(sums.ttftBefore, before.ttftMs);
  count(sums.ttftAfter, after.ttftMs);
}

function supplyMove(from: SupplyKind, to: SupplyKind): `${SupplyKind}>${SupplyKind}` {
  return `${from}>${to}`;
}

function count<Name>(counts: Map<Name, number>, name: Name): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function addMove(moves: Map<string, Move>, { before, after }: Compared): void {
  if (before === null || after === null || before.endpoint === after.endpoint) return;
  const name = JSON.stringify([before.endpoint, after.endpoint]);
  const known = moves.get(name) ?? { from: before.endpoint, to: after.endpoint, requests: 0, before: 0, after: 0 };
  known.requests++;
  known.before += before.costNanoUsd ?? 0;
  known.after += after.costNanoUsd ?? 0;
  moves.set(name, known);
}

function addRefusal(refusals: Map<string, RefusalCount>, { before, refusal }: Compared, id: string): void {
  if (before === null || refusal === null) return;
  const known = refusals.get(refusal.filter) ?? { ...refusal, requests: 0, example: id };
  known.requests++;
  refusals.set(refusal.filter, known);
}

/** Finds the smallest value that at least the given share of all counted values does not pass; null where nothing was counted. */
export function quantile(counts: ReadonlyMap<number, number>, share: number): number | null {
  const values = [...counts].toSorted(([one], [other]) => one - other);
  let left = share * values.reduce((sum, [, times]) => sum + times, 0);
  for (const [value, times] of values) {
    left -= times;
    if (left <= 0) return value;
  }
  return null;
}
