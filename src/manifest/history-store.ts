/** Reads what was applied and changed: manifests, versions of policies, the audit trail. */
import type { AuditEntry } from '#schema/audit';
import type { StoredDocument, StoredPolicy } from '#schema/policy';

/** The manifest in force. */
export interface StoredManifest {
  version: number;
  /** SHA-256 of the text, hex. */
  digest: string;
  text: string | null;
  appliedAtMs: number;
  actor: string;
  /** Name of the key that applied it; null where it was none, or it is gone. */
  actorName: string | null;
}

/** Reads the manifest that was applied last; null where none ever was. */
export async function readManifest(db: D1Database): Promise<StoredManifest | null> {
  return db
    .prepare(
      `SELECT version, digest, text, applied_at_ms AS appliedAtMs, actor, (SELECT name FROM keys WHERE id = actor) AS actorName
       FROM manifests ORDER BY version DESC LIMIT 1`,
    )
    .first<StoredManifest>();
}

/** A version of a policy, and since when it is the policy's. */
export interface PolicyVersion extends StoredPolicy {
  updatedAtMs: number;
}

type PolicyRow = Omit<PolicyVersion, 'document'> & { document: string };

/** More policies than this are not listed; a deployment has tens. */
const POLICIES_MAX = 10_000;

/** Lists policies by name, and the name of the default. */
export async function readPolicies(db: D1Database): Promise<{ policies: PolicyVersion[]; defaultName: string | null }> {
  const [rows, defaults] = await db.batch<PolicyRow & { value: string }>([
    db.prepare('SELECT name, version, document, updated_at_ms AS updatedAtMs FROM policies ORDER BY name LIMIT ?1').bind(POLICIES_MAX),
    db.prepare("SELECT value FROM meta WHERE name = 'default_policy'"),
  ]);
  return { policies: (rows?.results ?? []).map(toPolicy), defaultName: defaults?.results[0]?.value ?? null };
}

/** Reads one policy as it is, or as it was under a version. Null where there is or was none. */
export async function readPolicy(db: D1Database, name: string, version: number | null): Promise<PolicyVersion | null> {
  const row = await (
    version === null
      ? db.prepare('SELECT name, version, document, updated_at_ms AS updatedAtMs FROM policies WHERE name = ?1').bind(name)
      : db
          .prepare('SELECT name, version, document, applied_at_ms AS updatedAtMs FROM policy_versions WHERE name = ?1 AND version = ?2')
          .bind(name, version)
  ).first<PolicyRow>();
  return row === null ? null : toPolicy(row);
}

function toPolicy({ document, ...row }: PolicyRow): PolicyVersion {
  return { ...row, document: JSON.parse(document) as StoredDocument };
}

/** Which part of the audit trail is read, newest first. */
export interface AuditQuery {
  /** Entries of one team: what was done to it and its keys, also to those that are gone. Null: everything. */
  teamId: string | null;
  sinceMs: number;
  /** Where the page before ended; null for the first. */
  after: { atMs: number; id: string } | null;
  limit: number;
}

type AuditRow = Omit<AuditEntry, 'changes'> & { changes: string };

/** Reads a page of the audit trail. */
export async function readAudit(db: D1Database, { teamId, sinceMs, after, limit }: AuditQuery): Promise<AuditEntry[]> {
  const { results } = await db
    .prepare(
      // Who did it is no reason to show it: a key that manages one team may have managed all of them before.
      `WITH own (object) AS (
         SELECT object FROM audit WHERE action IN (
           'key.create', 'provider_key.create', 'operator.create', 'endpoint.register', 'node.join') AND json_extract(changes, '$.team.to') = ?1
       )
       SELECT id, at_ms AS atMs, actor, action, object, from_version AS fromVersion, to_version AS toVersion, changes FROM audit
       WHERE at_ms >= ?2 AND (at_ms, id) < (?3, ?4)
         AND (?1 IS NULL OR object = 'team:' || ?1 OR object IN own)
       ORDER BY at_ms DESC, id DESC LIMIT ?5`,
    )
    .bind(teamId, sinceMs, after?.atMs ?? Number.MAX_SAFE_INTEGER, after?.id ?? '', limit)
    .all<AuditRow>();
  return results.map(({ changes, ...row }) => ({ ...row, changes: JSON.parse(changes) as AuditEntry['changes'] }));
}
