/** Statements that several changes of registered supply share: retirement, the audit trail, the catalogue's version. */
import type { AuditEntry } from '#schema/audit';

/** Registrations that a change is about: those of a node, of an operator, or of a JSON list of endpoints. */
export type Retired = { nodeId: string } | { operatorId: string } | { endpointIds: readonly string[] };

/** Why, by whom and when, for the history. */
interface Step {
  reason: string;
  actor: string;
  atMs: number;
}

/** Takes endpoints out of traffic for good, with a line in the history of each; their keys go. Those that have retired already stay as they are. */
export function retire(db: D1Database, which: Retired, { reason, actor, atMs }: Step): D1PreparedStatement[] {
  const [meant, value] = conditionOf(which);
  const ids = `(SELECT endpoint_id FROM registrations WHERE ${meant})`;
  return [
    db
      .prepare(
        `INSERT INTO registration_events (endpoint_id, at_ms, from_state, to_state, reason, actor)
         SELECT endpoint_id, ?2, state, 'retired', ?3, ?4 FROM registrations WHERE ${meant} AND state <> 'retired'`,
      )
      .bind(value, atMs, reason, actor),
    db.prepare(`UPDATE endpoints SET disabled = 1, key_secret = NULL WHERE source = 'registered' AND id IN ${ids}`).bind(value),
    db.prepare(`DELETE FROM endpoint_keys WHERE endpoint_id IN ${ids}`).bind(value),
    db
      .prepare(
        `UPDATE registrations SET state = 'retired', reason = ?3, since_ms = ?2, updated_at_ms = max(updated_at_ms + 1, ?2)
         WHERE ${meant} AND state <> 'retired'`,
      )
      .bind(value, atMs, reason),
  ];
}

function conditionOf(which: Retired): [condition: string, value: string] {
  if ('nodeId' in which) return ['node_id = ?1', which.nodeId];
  if ('operatorId' in which) return ['operator_id = ?1', which.operatorId];
  return ['endpoint_id IN (SELECT value FROM json_each(?1))', JSON.stringify(which.endpointIds)];
}

/** Writes a row of the audit trail. */
export function insertAudit(db: D1Database, entry: AuditEntry): D1PreparedStatement {
  const { id, atMs, actor, action, object, fromVersion, toVersion, changes } = entry;
  return db
    .prepare(
      `INSERT INTO audit (id, at_ms, actor, action, object, from_version, to_version, changes)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
    )
    .bind(id, atMs, actor, action, object, fromVersion, toVersion, JSON.stringify(changes));
}

/** Gives the catalogue another version, so that every isolate reads it again; what stands before the `+` stays the manifest's. */
export function bumpCatalogue(db: D1Database): D1PreparedStatement {
  return db.prepare(
    `INSERT INTO meta (name, value) VALUES ('catalogue_version', 'none+' || lower(hex(randomblob(8))))
     ON CONFLICT (name) DO UPDATE SET value = substr(value, 1, instr(value || '+', '+') - 1) || '+' || lower(hex(randomblob(8)))`,
  );
}
