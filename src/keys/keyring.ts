/** The keyring: management of inference keys. Which keys a caller may touch is the caller's `teamId`; null means those of every team. */
import { GatewayError } from '#schema/error';
import type { CreateKey, UpdateKey } from '#schema/key';
import { within } from '#schema/within';
import { mintKey } from './mint.ts';
import { changeKey, deleteKey, insertKey, readHolders, readKey, readKeys, type KeysQuery, type StoredKey } from './store.ts';
import { checkWish, pickTeam, toChanges } from './wish.ts';

export interface KeyringPorts {
  db: D1Database;
  now(): number;
  newId(): string;
  log(event: Record<string, unknown>): void;
  /** Makes this isolate forget what it knows of a key; other isolates look again within 60 s. */
  forget(hash: string): void;
}

/** Every method throws GatewayError: `not_found`, `permission_denied`, `invalid_request` with `param`, `ledger_unavailable`. */
export interface Keyring {
  list(query: KeysQuery): Promise<StoredKey[]>;
  find(teamId: string | null, hash: string): Promise<StoredKey>;
  /** Makes a key; `token` is not kept anywhere. */
  create(teamId: string | null, wish: CreateKey): Promise<{ key: StoredKey; token: string }>;
  change(teamId: string | null, hash: string, wish: UpdateKey): Promise<StoredKey>;
  remove(teamId: string | null, hash: string): Promise<void>;
}

/** Keys made here; all others are left alone. */
const SOURCE = 'api';
const TIMEOUT_MS = 5_000;

/** Opens the keyring of one isolate. */
export function createKeyring({ db, now, newId, log, forget }: KeyringPorts): Keyring {
  async function ask<Answer>(work: Promise<Answer>): Promise<Answer> {
    try {
      return await within(work, TIMEOUT_MS);
    } catch (cause) {
      log({ event: 'keys_unavailable', cause: cause instanceof Error ? cause.name : 'unknown' });
      throw new GatewayError('ledger_unavailable', 'Keys cannot be read or written right now. Try again shortly.', {
        retryAfterS: 2,
        cause,
      });
    }
  }

  async function find(teamId: string | null, hash: string): Promise<StoredKey> {
    return (await ask(readKey(db, teamId, hash))) ?? notFound();
  }

  async function findOwn(teamId: string | null, hash: string): Promise<void> {
    if ((await find(teamId, hash)).source === SOURCE) return;
    throw new GatewayError(
      'permission_denied',
      'Only keys made through this API can be changed here; change those of the manifest in headrace.yaml.',
    );
  }

  /** Forgets the key whatever comes of the write: one without an answer may have happened. */
  async function andForget<Answer>(hash: string, write: Promise<Answer>): Promise<Answer> {
    try {
      return await ask(write);
    } finally {
      forget(hash);
    }
  }

  return {
    list: (query) => ask(readKeys(db, query)),
    find,

    async create(scope, wish) {
      const holders = await ask(readHolders(db));
      const teamId = pickTeam(scope, wish, holders);
      const nowMs = now();
      checkWish(wish, holders, nowMs);
      const { token, hash, label } = mintKey();
      const { budgetNanoUsd = null, budgetPeriod = 'total', policy = null, models = null, expiresAtMs = null } = toChanges(wish);
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
      };
      await ask(insertKey(db, key));
      return { key, token };
    },

    async change(teamId, hash, wish) {
      await findOwn(teamId, hash);
      const nowMs = now();
      checkWish(wish, await ask(readHolders(db)), nowMs);
      return (await andForget(hash, changeKey(db, hash, toChanges(wish), nowMs))) ?? notFound();
    },

    async remove(teamId, hash) {
      await findOwn(teamId, hash);
      await andForget(hash, deleteKey(db, hash));
    },
  };
}

function notFound(): never {
  throw new GatewayError('not_found', 'No key of that hash was found.', { param: 'hash' });
}
