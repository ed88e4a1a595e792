/** The keyring: management of inference keys. Which keys a manager may touch is their `teamId`; null means those of every team. */
import type { AuditEntry, FieldChange } from '#schema/audit';
import { GatewayError } from '#schema/error';
import type { CreateKey, RotateKey, UpdateKey } from '#schema/key';
import { createOrUnavailable } from '#schema/or-unavailable';
import { auditKey, keyChanges, type KeyAction } from './audit-key.ts';
import { mintKey } from './mint.ts';
import {
  changeKey,
  deleteKey,
  insertKey,
  readHolders,
  readKey,
  readKeys,
  readSuccessor,
  type KeyChanges,
  type KeysQuery,
  type StoredKey,
} from './store.ts';
import { checkWish, pickTeam, toChanges } from './wish.ts';

export interface KeyringPorts {
  db: D1Database;
  now(): number;
  newId(): string;
  log(event: Record<string, unknown>): void;
  /** Makes this isolate forget what it knows of a key; other isolates look again within 60 s. */
  forget(hash: string): void;
}

/** Who manages: the team that they are confined to (null: none), and the id of their key for the audit trail. */
export interface KeyManager {
  teamId: string | null;
  actor: string;
}

/** Every method throws GatewayError: `not_found`, `permission_denied`, `conflict`, `invalid_request` with `param`, `ledger_unavailable`. */
export interface Keyring {
  list(query: KeysQuery): Promise<StoredKey[]>;
  find(manager: KeyManager, hash: string): Promise<StoredKey>;
  /** Makes a key; `token` is not kept anywhere. */
  create(manager: KeyManager, wish: CreateKey): Promise<{ key: StoredKey; token: string }>;
  /** Changes what the wish names; `changes` tells what became different, in the words of the API. */
  change(manager: KeyManager, hash: string, wish: UpdateKey): Promise<{ key: StoredKey; changes: Record<string, FieldChange> }>;
  /** Gives the key a new token. The old one works until the overlap ends, the one before it no longer (K14). */
  rotate(manager: KeyManager, hash: string, wish: RotateKey): Promise<{ key: StoredKey; token: string; oldWorksUntilMs: number }>;
  remove(manager: KeyManager, hash: string): Promise<void>;
}

/** Keys made here; all others are left alone. */
const SOURCE = 'api';
const TIMEOUT_MS = 5_000;
/** How often a change is made anew because somebody else changed the same key meanwhile. */
const WRITES_MAX = 3;

/** Opens the keyring of one isolate. */
export function createKeyring({ db, now, newId, log, forget }: KeyringPorts): Keyring {
  const ask = createOrUnavailable({
    sentence: 'Keys cannot be read or written right now',
    event: 'keys_unavailable',
    timeoutMs: TIMEOUT_MS,
    log,
  });

  async function find({ teamId }: KeyManager, hash: string): Promise<StoredKey> {
    return (await ask(readKey(db, teamId, hash))) ?? notFound();
  }

  /** Finds a key that may be changed here, under the hash that it has now. */
  async function findOwn({ teamId }: KeyManager, hash: string): Promise<StoredKey> {
    const key = await ask(readKey(db, teamId, hash));
    if (key?.source === SOURCE) return key;
    if (key !== null)
      throw new GatewayError(
        'permission_denied',
        'Keys of the manifest are changed in headrace.yaml, then applied: a new value of its secret replaces the key. Only keys made through this API can be changed here.',
      );
    const successor = (await ask(readSuccessor(db, teamId, hash))) ?? notFound();
    throw new GatewayError('conflict', 'This key has been rotated and has another hash now; see `metadata.hash`.', {
      param: 'hash',
      metadata: { hash: successor.hash },
    });
  }

  /** Forgets a key whatever comes of the write, under both its hashes: one without an answer may have happened. */
  async function andForget<Answer>({ hash, previousHash }: StoredKey, write: Promise<Answer>): Promise<Answer> {
    try {
      return await ask(write);
    } finally {
      forget(hash);
      if (previousHash !== null) forget(previousHash);
    }
  }

  function entryOf(manager: KeyManager, change: { action: KeyAction; before: StoredKey | null; after: StoredKey | null }): AuditEntry {
    return auditKey(change, { id: newId(), actor: manager.actor, atMs: now() });
  }

  /** Reads a key and writes it, until nobody has changed it in between. An empty change writes nothing. */
  async function rewrite(
    manager: KeyManager,
    hash: string,
    decide: (before: StoredKey) => { action: KeyAction; changes: KeyChanges },
  ): Promise<{ before: StoredKey; key: StoredKey }> {
    for (let writes = 0; writes < WRITES_MAX; writes++) {
      const before = await findOwn(manager, hash);
      const { action, changes } = decide(before);
      // Later than before even on a clock that stands still: this instant is the key's version.
      const updatedAtMs = Math.max(now(), before.updatedAtMs + 1);
      const after = { ...before, ...withoutUndefined(changes), updatedAtMs };
      if (after.hash === before.hash && Object.keys(keyChanges(before, after)).length === 0) return { before, key: before };
      const entry = entryOf(manager, { action, before, after });
      const key = await andForget(before, changeKey(db, before, { ...changes, updatedAtMs }, entry));
      if (key !== null) return { before, key };
    }
    throw contended();
  }

  return {
    list: (query) => ask(readKeys(db, query)),
    find,

    async create(manager, wish) {
      const holders = await ask(readHolders(db));
      const teamId = pickTeam(manager.teamId, wish, holders);
      const nowMs = now();
      checkWish(wish, holders, nowMs);
      const { token, hash, label } = mintKey();
      const {
        budgetNanoUsd = null,
        budgetPeriod = 'total',
        policy = null,
        models = null,
        expiresAtMs = null,
        limits = null,
      } = toChanges(wish);
      const key: StoredKey = {
        id: `key-${newId()}`,
        hash,
        label,
        name: wish.name,
        teamId,
        kind: 'inference',
        policy,
        models,
        budgetNanoUsd,
        budgetPeriod,
        disabled: false,
        expiresAtMs,
        source: SOURCE,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
        limits,
        previousHash: null,
        previousExpiresAtMs: null,
        operatorId: null,
      };
      await ask(insertKey(db, key, entryOf(manager, { action: 'key.create', before: null, after: key })));
      return { key, token };
    },

    async change(manager, hash, wish) {
      await findOwn(manager, hash);
      checkWish(wish, await ask(readHolders(db)), now());
      const { before, key } = await rewrite(manager, hash, ({ disabled }) => ({
        action: wish.disabled && !disabled ? 'key.disable' : 'key.update',
        changes: toChanges(wish),
      }));
      return { key, changes: keyChanges(before, key) };
    },

    async rotate(manager, hash, { overlap_s: overlapS }) {
      const { token, ...minted } = mintKey();
      const oldWorksUntilMs = now() + overlapS * 1000;
      const { key } = await rewrite(manager, hash, () => ({
        action: 'key.rotate',
        changes: { ...minted, previousHash: hash, previousExpiresAtMs: oldWorksUntilMs },
      }));
      return { key, token, oldWorksUntilMs };
    },

    async remove(manager, hash) {
      for (let writes = 0; writes < WRITES_MAX; writes++) {
        const before = await findOwn(manager, hash);
        if (await andForget(before, deleteKey(db, before, entryOf(manager, { action: 'key.delete', before, after: null })))) return;
      }
      throw contended();
    },
  };
}

function withoutUndefined(changes: KeyChanges): Partial<StoredKey> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

function contended(): GatewayError {
  return new GatewayError('conflict', 'Others are changing this key at the same time. Read it again, then try again.', { param: 'hash' });
}

function notFound(): never {
  throw new GatewayError('not_found', 'No key of that hash was found.', { param: 'hash' });
}
