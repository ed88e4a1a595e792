/** The safe: management of the provider keys that teams bring. What goes in is sealed at once and never comes out through here. */
import { fieldChanges, type AuditEntry } from '#schema/audit';
import { providerKeyLabel, type CreateProviderKey, type UpdateProviderKey } from '#schema/byok';
import { GatewayError } from '#schema/error';
import { createOrUnavailable } from '#schema/or-unavailable';
import type { Sealer } from './seal.ts';
import {
  changeProviderKey,
  deleteProviderKey,
  insertProviderKey,
  readProviderKey,
  readProviderKeys,
  readTeamIds,
  type ProviderKeyChanges,
  type ProviderKeysQuery,
  type StoredProviderKey,
} from './store.ts';

export interface SafePorts {
  db: D1Database;
  sealer: Sealer;
  now(): number;
  newId(): string;
  log(event: Record<string, unknown>): void;
  /** Providers that take keys, by id, with the origin of each one's own address. */
  origins: ReadonlyMap<string, string>;
  /** Makes this isolate look the keys of a team up again; other isolates do so within 60 s. */
  forgetTeam(teamId: string): void;
}

/** Who manages: the team that they are confined to (null: none), and the id of their key for the audit trail. */
export interface SafeKeeper {
  teamId: string | null;
  actor: string;
}

/** Every method throws GatewayError: `not_found`, `conflict`, `permission_denied`, `invalid_request` with `param`, `ledger_unavailable`. */
export interface Safe {
  list(query: ProviderKeysQuery): Promise<{ keys: StoredProviderKey[]; total: number }>;
  find(keeper: SafeKeeper, id: string): Promise<StoredProviderKey>;
  create(keeper: SafeKeeper, wish: CreateProviderKey): Promise<StoredProviderKey>;
  /** Changes what the wish names. A new key is bound to the provider's origin of now. */
  change(keeper: SafeKeeper, id: string, wish: UpdateProviderKey): Promise<StoredProviderKey>;
  remove(keeper: SafeKeeper, id: string): Promise<void>;
}

type Action = 'provider_key.create' | 'provider_key.update' | 'provider_key.replace' | 'provider_key.delete';

const TIMEOUT_MS = 5_000;
/** How often a change is made anew because somebody else changed the same key meanwhile. */
const WRITES_MAX = 3;
/** Names listed in an error. */
const LISTED_MAX = 20;

/** Opens the safe of one isolate. */
export function createSafe({ db, sealer, now, newId, log, origins, forgetTeam }: SafePorts): Safe {
  const sentence = 'Provider keys cannot be read or written right now';
  const ask = createOrUnavailable({ sentence, event: 'provider_keys_unavailable', timeoutMs: TIMEOUT_MS, log });

  /** Forgets the team's keys whatever comes of the write: one without an answer may have happened. */
  async function andForget<Answer>(teamId: string, write: Promise<Answer>): Promise<Answer> {
    try {
      return await ask(write);
    } finally {
      forgetTeam(teamId);
    }
  }

  async function find({ teamId }: SafeKeeper, id: string): Promise<StoredProviderKey> {
    return (await ask(readProviderKey(db, teamId, id))) ?? notFound();
  }

  function originOf(provider: string): string {
    const origin = origins.get(provider);
    if (origin !== undefined) return origin;
    const sentence =
      'no provider of that name takes keys of teams; one needs an address of its own, and endpoints of your own have keys of their own';
    throw new GatewayError('invalid_request', `Invalid value for 'provider': ${sentence}.`, {
      param: 'provider',
      metadata: { allowed: [...origins.keys()] },
    });
  }

  async function sealKey(scope: { teamId: string; providerId: string }, key: string) {
    const origin = originOf(scope.providerId);
    return { origin, label: providerKeyLabel(key), ...(await sealer.seal({ ...scope, origin }, key)) };
  }

  function entryOf(
    { actor }: SafeKeeper,
    { action, before, after }: { action: Action; before: StoredProviderKey | null; after: StoredProviderKey | null },
  ): AuditEntry {
    return {
      id: newId(),
      atMs: now(),
      actor,
      action,
      object: `provider_key:${(after ?? before)?.id ?? ''}`,
      fromVersion: before && String(before.updatedAtMs),
      toVersion: after && String(after.updatedAtMs),
      changes: fieldChanges(before && toFields(before), after && toFields(after)),
    };
  }

  return {
    list: (query) => ask(readProviderKeys(db, query)),
    find,

    async create(keeper, wish) {
      originOf(wish.provider);
      const teamId = pickTeam(keeper.teamId, wish, await ask(readTeamIds(db)));
      const nowMs = now();
      const key: StoredProviderKey = {
        id: `byok-${newId()}`,
        teamId,
        providerId: wish.provider,
        name: wish.name ?? '',
        ...(await sealKey({ teamId, providerId: wish.provider }, wish.key)),
        disabled: wish.disabled,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
      };
      const entry = entryOf(keeper, { action: 'provider_key.create', before: null, after: key });
      if (await andForget(teamId, insertProviderKey(db, key, entry))) return key;
      throw new GatewayError(
        'conflict',
        'The team has a key for this provider already: replace it with PATCH /byok/{id}, or delete it first.',
        {
          param: 'provider',
        },
      );
    },

    async change(keeper, id, wish) {
      for (let writes = 0; writes < WRITES_MAX; writes++) {
        const before = await find(keeper, id);
        const changes: ProviderKeyChanges = {
          ...(wish.name !== undefined && { name: wish.name ?? '' }),
          ...(wish.disabled !== undefined && { disabled: wish.disabled }),
          ...(wish.key !== undefined && (await sealKey(before, wish.key))),
        };
        // Later than before even on a clock that stands still: this instant is the key's version.
        const updatedAtMs = Math.max(now(), before.updatedAtMs + 1);
        const after = { ...before, ...changes, updatedAtMs } as StoredProviderKey;
        const action = wish.key === undefined ? 'provider_key.update' : 'provider_key.replace';
        const entry = entryOf(keeper, { action, before, after });
        if (wish.key === undefined && Object.keys(entry.changes).length === 0) return before;
        const changed = await andForget(before.teamId, changeProviderKey(db, before, { ...changes, updatedAtMs }, entry));
        if (changed !== null) return changed;
      }
      throw contended();
    },

    async remove(keeper, id) {
      for (let writes = 0; writes < WRITES_MAX; writes++) {
        const before = await find(keeper, id);
        const entry = entryOf(keeper, { action: 'provider_key.delete', before, after: null });
        if (await andForget(before.teamId, deleteProviderKey(db, before, entry))) return;
      }
      throw contended();
    },
  };
}

/** What the audit trail tells of a key: nothing that was sealed. */
function toFields({ teamId, providerId, name, label, origin, disabled }: StoredProviderKey): Record<string, unknown> {
  return { team: teamId, provider: providerId, name, label, origin, disabled };
}

/** Finds the team that a new key is for: the keeper's, the one named, or the only one. Throws GatewayError `invalid_request`. */
function pickTeam(scope: string | null, { team, workspace_id: workspace }: CreateProviderKey, teams: readonly string[]): string {
  const param = team === undefined && workspace !== undefined ? 'workspace_id' : 'team';
  if (team !== undefined && workspace !== undefined && team !== workspace)
    throw new GatewayError('invalid_request', "'team' and 'workspace_id' name different teams; send one of them.", { param });
  const open = scope === null ? teams : teams.filter((id) => id === scope);
  const named = team ?? workspace;
  const picked = named ?? (open.length === 1 ? open[0] : undefined);
  if (picked !== undefined && open.includes(picked)) return picked;
  const what = named === undefined ? 'is required' : 'is not a team of this deployment';
  const listed = open.length === 0 ? 'none' : `${open.slice(0, LISTED_MAX).join(', ')}${open.length > LISTED_MAX ? ' …' : ''}`;
  throw new GatewayError('invalid_request', `Invalid value for '${param}': ${what}. Teams: ${listed}.`, { param });
}

function contended(): GatewayError {
  return new GatewayError('conflict', 'Others are changing this key at the same time. Read it again, then try again.', { param: 'id' });
}

function notFound(): never {
  throw new GatewayError('not_found', 'No provider key of that id was found.', { param: 'id' });
}
