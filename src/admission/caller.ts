/** Who is calling: the key, its team, what the key may use and what its requests take from. */
import type { BudgetPeriod } from '#schema/budget-period';
import type { SealedKey } from '#schema/byok';
import type { Limits } from '#schema/limits';
import type { Quota } from '#schema/quota';

/** A cap on spending in one calendar period (UTC). */
export interface Budget {
  nanoUsd: number;
  period: BudgetPeriod;
}

export interface Team {
  id: string;
  /** Name of the team's stored policy. */
  policy: string | null;
  budget: Budget | null;
  /** Null where nothing is limited. */
  limits: Limits | null;
  /** Its own keys for providers, sealed, without disabled ones; absent where it has none. */
  providerKeys?: readonly SealedKey[];
}

export interface Caller {
  keyId: string;
  kind: 'inference' | 'management' | 'operator';
  /** First and last characters of the key, for people. */
  label: string;
  name: string;
  /** Null for deployment-wide management keys, and for operator keys. */
  team: Team | null;
  /** Whose endpoints and nodes an operator key manages; absent for the other kinds. */
  operatorId?: string;
  keyPolicy: string | null;
  /** Globs over model ids (`qwen/*`); null allows every model. */
  models: readonly string[] | null;
  /** The key's own; it holds beside the team's. */
  budget: Budget | null;
  limits: Limits | null;
  /** What every request of this key takes from, the team's first; empty for keys that infer nothing. */
  quotas: readonly Quota[];
  createdAtMs: number;
  /** When the key that was shown stops working: its own end, or the end of the overlap where it has been replaced. */
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
export function mayUseModel(caller: Pick<Caller, 'models'>, modelId: string): boolean {
  return caller.models === null || caller.models.some((glob) => matchesGlob(glob, modelId));
}
