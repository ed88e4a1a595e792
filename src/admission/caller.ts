/** Who is calling: the key, its team, and what the key may use. */
import { periodStartMs, type BudgetPeriod } from '#schema/budget-period';
import { GatewayError } from '#schema/error';
import { toUsd } from '#schema/money';

/** A cap on spending in one calendar period (UTC). */
export interface Budget {
  nanoUsd: number;
  period: BudgetPeriod;
}

/** A key's own budget, and what the key had been charged in the period when it was read. */
export interface KeyBudget extends Budget {
  spentNanoUsd: number;
  readAtMs: number;
}

export interface Team {
  id: string;
  /** Name of the team's stored policy. */
  policy: string | null;
  budget: Budget | null;
}

export interface Caller {
  keyId: string;
  kind: 'inference' | 'management';
  /** First and last characters of the key, for people. */
  label: string;
  name: string;
  /** Null for deployment-wide management keys. */
  team: Team | null;
  keyPolicy: string | null;
  /** Globs over model ids (`qwen/*`); null allows every model. */
  models: readonly string[] | null;
  budget: KeyBudget | null;
  createdAtMs: number;
  expiresAtMs: number | null;
}

/** Matches a glob in which only `*` is special (any run of characters). Linear: each literal piece is searched once. */
export function matchesGlob(glob: string, text: string): boolean {
  const pieces = glob.split('*');
  const first = pieces[0] ?? '';
  if (pieces.length === 1) return glob === text;
  const last = pieces[pieces.length - 1] ?? '';
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

/** Answers whether the key may use a model, given by its id (aliases resolved). */
export function mayUseModel(caller: Caller, modelId: string): boolean {
  return caller.models === null || caller.models.some((glob) => matchesGlob(glob, modelId));
}

/**
 * Refuses a key that has spent its own budget: GatewayError `insufficient_budget`. What it has spent is as old as the caller's entry in
 * the cache and knows of no request still under way, so requests at the same time can go over it; a team's budget they cannot, as the
 * ledger holds for it.
 */
export function requireKeyBudget({ budget }: Caller, nowMs: number): void {
  if (budget === null) return;
  const isSamePeriod = periodStartMs(budget.period, budget.readAtMs) === periodStartMs(budget.period, nowMs);
  if (!isSamePeriod || budget.spentNanoUsd < budget.nanoUsd) return;
  const scope = budget.period === 'total' ? '' : ` of this ${budget.period} (UTC)`;
  throw new GatewayError('insufficient_budget', `This key has used up its limit of $${toUsd(budget.nanoUsd)}${scope}.`);
}
