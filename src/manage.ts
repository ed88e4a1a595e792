/**
 * The deployment's management: from the text of a manifest to the rows that are stored, step by step. It stands in the hall because the
 * rooms of manifest, catalogue and routing meet here with the published catalogue.
 */
import type { AppliedManifest } from '#schema/answers/manifest';
import type { AuditEntry } from '#schema/audit';
import { GatewayError } from '#schema/error';
import type { ApplyManifest, SentKey } from '#schema/manage-manifest';
import type { Manifest } from '#schema/manifest';
import { createOrUnavailable } from '#schema/or-unavailable';
import { matchesGlob } from '#src/admission/caller';
import { warnOfSupply } from '#src/check-supply';
import type { Context } from '#src/context';
import { houseFacts, surroundings } from '#src/house-facts';
import { resolveClientKeys } from '#src/manifest/client-keys';
import { compileManifest, keyId, type ResolvedKey } from '#src/manifest/compile';
import {
  readAudit,
  readManifest,
  readPolicies,
  readPolicy,
  type AuditQuery,
  type PolicyVersion,
  type StoredManifest,
} from '#src/manifest/history-store';
import { formatManifestError, type ManifestError } from '#src/manifest/manifest-error';
import { parseManifest } from '#src/manifest/parse';
import { sayKey, sha256Hex } from '#src/manifest/secrets';
import { commitApply, planApply, readClientKeys, type ApplyPlan } from '#src/manifest/store';
import { warnOf } from '#src/manifest/warn';

type ManagePorts = Pick<Context, 'db' | 'now' | 'newId' | 'log' | 'secret' | 'allowedHosts'> & {
  /** Makes this isolate read keys, policies and the catalogue again; others do so within 30 s. */
  forget(): Promise<void>;
};

/** Every method throws GatewayError `ledger_unavailable` when D1 does not answer. */
export interface Deployment {
  /**
   * Makes the deployment match a manifest, all of it or nothing; a dry run only says what would change. Throws GatewayError:
   * `invalid_request` with all complaints in `metadata.errors`, `conflict` when the plan is not the expected one or somebody was faster.
   */
  apply(wish: ApplyManifest, actor: string): Promise<AppliedManifest>;
  manifest(): Promise<StoredManifest | null>;
  policies(): Promise<{ policies: PolicyVersion[]; defaultName: string | null }>;
  /** Finds a policy as it is, or as it was under a version. Throws GatewayError `not_found`. */
  policy(name: string, version: number | null): Promise<PolicyVersion>;
  audit(query: AuditQuery): Promise<AuditEntry[]>;
}

const READ_TIMEOUT_MS = 5_000;
/** A large manifest writes tens of thousands of rows. */
const APPLY_TIMEOUT_MS = 30_000;
/** Warnings of one kind. */
const ORPHANS_MAX = 30;
/** Changes told with a refusal. */
const CONFLICT_CHANGES_MAX = 200;
/** SHA-256 of nothing: a key from an empty variable would open the door to everybody (K12). */
const EMPTY_HASH = sha256Hex('');

/** Opens the management of one isolate. */
export function createDeployment({ db, now, newId, log, secret, allowedHosts, forget }: ManagePorts): Deployment {
  const sentence = 'The deployment cannot be read or written right now';
  const ask = createOrUnavailable({ sentence, event: 'deployment_unavailable', timeoutMs: READ_TIMEOUT_MS, log });

  function parse(text: string): Manifest {
    const result = parseManifest(text, surroundings(false, allowedHosts));
    if (!result.ok) throw refuse(result.errors);
    return result.manifest;
  }

  /** Resolves client keys: those sent along first, then those that this Worker's secrets hold. */
  function resolve(manifest: Manifest, sent: readonly SentKey[]): { keys: Map<string, ResolvedKey>; missing: string[] } {
    const { keys, missing, problems } = resolveClientKeys(manifest, secret, readSent(manifest, sent));
    const [problem] = problems;
    if (problem !== undefined)
      throw new GatewayError('invalid_request', `The manifest cannot be applied: ${problem}.`, { param: 'client_keys' });
    return { keys, missing: missing.map((key) => `${sayKey(key)} (${key.reference.secret})`) };
  }

  async function apply(wish: ApplyManifest, actor: string): Promise<AppliedManifest> {
    const manifest = parse(wish.manifest);
    const { keys, missing } = resolve(manifest, wish.client_keys ?? []);
    // A key whose value nobody sends keeps the one that it has.
    const clientKeys = new Map([...(await ask(readClientKeys(db))), ...keys]);
    const facts = houseFacts();
    const rows = compileManifest({ manifest, ...facts, clientKeys });
    const nowMs = now();
    const options = { nowMs, actor, auditId: newId(), text: wish.manifest, holdsKeys: false, prune: wish.prune === true };
    const plan = await ask(planApply(db, rows, options));
    if (plan.clash !== null)
      throw new GatewayError(
        'invalid_request',
        `Key ${plan.clash.key} has the same value as key ${plan.clash.other}, and there can be one only.`,
        {
          param: 'manifest',
        },
      );
    if (plan.registered.length > 0)
      throw new GatewayError(
        'conflict',
        `The manifest names endpoints that operators have registered: ${plan.registered.slice(0, ORPHANS_MAX).join(', ')}. Rename them, or retire those first.`,
        { param: 'manifest' },
      );
    const hasSecret = (name: string): boolean => secret(name) !== undefined;
    const warnings = [
      ...(plan.endedKeys.includes(actor) ? ['the key that applies this is not in the manifest: it will not work any more'] : []),
      ...plan.orphans
        .slice(0, ORPHANS_MAX)
        .map(({ who, policy }) => `${who} stays under policy ${policy}, which this manifest takes away: its requests will be refused`),
      ...warnOf({ manifest, around: surroundings(false, allowedHosts), nowMs, hasSecret, matchesGlob }),
      ...warnOfSupply({ manifest, rows, nowMs, allowedHosts, hasSecret }),
    ];
    const isDryRun = wish.dry_run === true;
    if (wish.expect !== undefined && wish.expect !== plan.digest) throw conflict('The plan is not the expected one any more', plan);
    if (!isDryRun) await commit(plan);
    return { applied: !isDryRun, version: plan.version, plan: plan.digest, changes: plan.changes, warnings, missing_keys: missing };
  }

  async function commit(plan: ApplyPlan): Promise<void> {
    try {
      if (!(await ask(commitApply(db, plan), APPLY_TIMEOUT_MS)))
        throw conflict('Somebody else has changed the deployment at the same time', plan);
    } finally {
      // Whatever came of it: a write without an answer may have happened.
      await forget();
    }
  }

  return {
    apply,
    manifest: () => ask(readManifest(db)),
    policies: () => ask(readPolicies(db)),
    policy: async (name, version) => {
      const found = await ask(readPolicy(db, name, version));
      if (found !== null) return found;
      throw new GatewayError('not_found', 'No policy of that name and version was found.', { param: 'name' });
    },
    audit: (query) => ask(readAudit(db, query)),
  };
}

/** Reads the keys that were sent along. Throws GatewayError `invalid_request` for one that the manifest does not name. */
function readSent(manifest: Manifest, sent: readonly SentKey[]): Map<string, ResolvedKey> {
  const named = new Set([
    ...manifest.management_keys.map(({ name }) => keyId(null, name)),
    ...manifest.teams.flatMap((team) => team.keys.map(({ name }) => keyId(team.id, name))),
  ]);
  return new Map(
    sent.map(({ team, name, hash, label }, place) => {
      const id = keyId(team, name);
      const param = `client_keys.${place}`;
      if (!named.has(id)) throw new GatewayError('invalid_request', `The manifest names no ${sayKey({ team, name })}.`, { param });
      if (hash === EMPTY_HASH) throw new GatewayError('invalid_request', `The ${sayKey({ team, name })} is empty.`, { param });
      return [id, { hash, label }];
    }),
  );
}

function refuse(errors: readonly ManifestError[]): GatewayError {
  const [first] = errors;
  const said = first === undefined ? 'it is no manifest' : formatManifestError(first, 'manifest');
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new GatewayError('invalid_request', `The manifest is not valid: ${said}${more}.`, { param: 'manifest', metadata: { errors } });
}

function conflict(what: string, { digest, changes }: ApplyPlan): GatewayError {
  return new GatewayError('conflict', `${what}; nothing has been applied.`, {
    metadata: { plan: digest, changes: changes.slice(0, CONFLICT_CHANGES_MAX) },
  });
}
