/** What the audit trail says of an applied manifest. Pure. */
import type { AuditEntry, FieldChange } from '#schema/audit';
import type { Change } from '#schema/change';

/** Fields written down one by one; of the others only how many there are. The manifest itself is kept beside. */
const FIELDS_MAX = 200;
const VALUE_CHARS_MAX = 200;
/** More rows of one kind that come or go together are counted, not named: a first apply brings the whole catalogue. */
const NAMED_MAX = 20;

interface Applied {
  auditId: string;
  nowMs: number;
  actor: string;
  changes: readonly Change[];
  /** Versions of the manifest; null where there was none. */
  from: number | null;
  to: number | null;
}

/**
 * Writes an applied manifest down: `keys research/ci budget.usd: 5 → 10`, at most 200 fields of at most 200 characters. Rows that come or go are
 * named (`teams web add`), or counted (`endpoints add: 496`) where they are many.
 */
export function auditRow({ auditId, nowMs, actor, changes, from, to }: Applied): AuditEntry {
  const fields: Record<string, FieldChange> = {};
  let count = 0;
  const note = (name: string, { from: before, to: after }: FieldChange): void => {
    count++;
    if (count <= FIELDS_MAX) fields[name] = { from: shorten(before), to: shorten(after) };
  };
  for (const [kind, alike] of Map.groupBy(changes, ({ object, action }) => `${object} ${action}`)) {
    for (const { object, id, action, fields: own } of alike) {
      if (action === 'change') for (const [name, change] of Object.entries(own)) note(`${object} ${id} ${name}`, change);
      else if (alike.length <= NAMED_MAX) note(`${object} ${id} ${action}`, { from: null, to: action });
    }
    if (alike[0]?.action !== 'change' && alike.length > NAMED_MAX) note(kind, { from: null, to: alike.length });
  }
  if (count > FIELDS_MAX) fields['further changes'] = { from: null, to: count - FIELDS_MAX };
  return {
    id: auditId,
    atMs: nowMs,
    actor,
    action: 'manifest.apply',
    object: 'manifest',
    fromVersion: from === null ? null : String(from),
    toVersion: to === null ? null : String(to),
    changes: fields,
  };
}

function shorten(value: unknown): unknown {
  const text = JSON.stringify(value) ?? 'null';
  return text.length <= VALUE_CHARS_MAX ? value : `${text.slice(0, VALUE_CHARS_MAX)}…`;
}
