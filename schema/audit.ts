/** The audit trail: one row for each change that somebody made through management, written in the transaction of the change itself. */

/** The old and the new value of one field; null where there was or is none. */
export interface FieldChange {
  from: unknown;
  to: unknown;
}

/** A change as it is written down. Values never hold a key. */
export interface AuditEntry {
  id: string;
  atMs: number;
  /** Id of the key that asked for it, or `npm start`. */
  actor: string;
  /** Such as `manifest.apply`, `key.create`, `credits.add`. */
  action: string;
  /** What was changed: `manifest`, `key:<id>`, `team:<id>`, `provider_key:<id>`. */
  object: string;
  fromVersion: string | null;
  toVersion: string | null;
  changes: Record<string, FieldChange>;
}

/** Lists the fields in which two records differ; null stands for no record. */
export function fieldChanges(
  before: Readonly<Record<string, unknown>> | null,
  after: Readonly<Record<string, unknown>> | null,
): Record<string, FieldChange> {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  const changes: Record<string, FieldChange> = {};
  for (const name of names) {
    const from = before?.[name] ?? null;
    const to = after?.[name] ?? null;
    if (JSON.stringify(from) !== JSON.stringify(to)) changes[name] = { from, to };
  }
  return changes;
}
