/** What the audit trail says of a change to a key, in the words of the API. Pure; no key and no hash comes in. */
import { fieldChanges, type AuditEntry, type FieldChange } from '#schema/audit';
import type { BudgetPeriod } from '#schema/budget-period';
import { toUsd } from '#schema/money';
import type { StoredKey } from './store.ts';

export type KeyAction = 'key.create' | 'key.update' | 'key.disable' | 'key.rotate' | 'key.delete';

/** What the API calls the period of a key's limit; null where it never begins anew. */
const LIMIT_RESETS = { day: 'daily', week: 'weekly', month: 'monthly', total: null } as const satisfies Record<BudgetPeriod, string | null>;

/** Lists what differs between two states of a key; null where it does not exist. */
export function keyChanges(before: StoredKey | null, after: StoredKey | null): Record<string, FieldChange> {
  return fieldChanges(before && toFields(before), after && toFields(after));
}

/** Writes a change down. Versions are the instants of the key's last change. */
export function auditKey(
  change: { action: KeyAction; before: StoredKey | null; after: StoredKey | null },
  { id, actor, atMs }: Pick<AuditEntry, 'id' | 'actor' | 'atMs'>,
): AuditEntry {
  const { action, before, after } = change;
  return {
    id,
    atMs,
    actor,
    action,
    object: `key:${(after ?? before)?.id ?? ''}`,
    fromVersion: before && String(before.updatedAtMs),
    toVersion: after && String(after.updatedAtMs),
    changes: keyChanges(before, after),
  };
}

function toFields(key: StoredKey): Record<string, unknown> {
  const hasBudget = key.budgetNanoUsd !== null && key.budgetPeriod !== null;
  return {
    name: key.name,
    team: key.teamId,
    policy: key.policy,
    models: key.models,
    limit: key.budgetNanoUsd === null ? null : toUsd(key.budgetNanoUsd),
    limit_reset: hasBudget ? LIMIT_RESETS[key.budgetPeriod as BudgetPeriod] : null,
    limits: key.limits,
    disabled: key.disabled,
    expires_at: toIso(key.expiresAtMs),
    previous_works_until: toIso(key.previousExpiresAtMs),
  };
}

function toIso(instantMs: number | null): string | null {
  return instantMs === null ? null : new Date(instantMs).toISOString();
}
