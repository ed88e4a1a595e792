/** Operators: whoever brings supply. Managers make and remove them; their keys let them register what is theirs. */
import { GatewayError } from '#schema/error';
import { createOrUnavailable } from '#schema/or-unavailable';
import type { CreateOperator } from '#schema/registration';
import { supplyEntry, type Fields, type SupplyAction } from '../audit-supply.ts';
import { mayTouch, requireManagerOfSupply, type SupplyManager } from '../supply-manager.ts';
import type { MintedKey, SupplyPorts } from '../supply-ports.ts';
import {
  countOperatorKeys,
  deleteOperator,
  deleteOperatorKey,
  hasTeam,
  insertOperator,
  insertOperatorKey,
  isNameTaken,
  readOperator,
  readOperatorKeys,
  readOperators,
  type CountedOperator,
  type StoredOperator,
  type StoredOperatorKey,
} from './operators-store.ts';

/** Every method throws GatewayError: `not_found`, `permission_denied`, `conflict`, `invalid_request` with `param`, `limit_exceeded`, `ledger_unavailable`. */
export interface Operators {
  list(manager: SupplyManager, page: { afterId: string | null; limit: number }): Promise<CountedOperator[]>;
  /** Finds an operator; one out of reach is not found. */
  find(manager: SupplyManager, id: string): Promise<CountedOperator>;
  /** Makes an operator and its first key; `token` is not kept anywhere. */
  create(manager: SupplyManager, wish: CreateOperator): Promise<{ operator: CountedOperator; token: string }>;
  addKey(manager: SupplyManager, id: string): Promise<{ operator: CountedOperator; token: string }>;
  /** Lists an operator's keys, oldest first. */
  keys(manager: SupplyManager, id: string): Promise<StoredOperatorKey[]>;
  /** Ends one key, by its SHA-256 (hex); the others stay. Other isolates notice within 60 s. */
  revokeKey(manager: SupplyManager, id: string, hash: string): Promise<void>;
  /** Removes an operator with its keys; its endpoints retire and its nodes leave. */
  remove(manager: SupplyManager, id: string): Promise<void>;
}

type OperatorPorts = Pick<SupplyPorts, 'db' | 'now' | 'newId' | 'log' | 'mintKey' | 'forgetKey' | 'node' | 'renewCatalogue'>;

/** What operator keys begin with. */
const KEY_PREFIX = 'sk-hr-op-';
const KEYS_MAX = 20;
const TIMEOUT_MS = 5_000;

/** Opens the management of operators. */
export function createOperators(ports: OperatorPorts): Operators {
  const { db, now, newId, log } = ports;
  const sentence = 'Operators cannot be read or written right now';
  const ask = createOrUnavailable({ sentence, event: 'operators_unavailable', timeoutMs: TIMEOUT_MS, log });

  function entryOf({ actor }: SupplyManager, action: SupplyAction, id: string, before: Fields, after: Fields) {
    return supplyEntry({ action, object: `operator:${id}`, before, after }, { id: newId(), actor, atMs: now() });
  }

  async function find(manager: SupplyManager, id: string): Promise<CountedOperator> {
    const operator = await ask(readOperator(db, id));
    if (operator !== null && mayTouch(manager, { operatorId: operator.id, teamId: operator.teamId })) return operator;
    throw new GatewayError('not_found', 'No operator of that id was found.', { param: 'id' });
  }

  async function requireTeam(teamId: string | null): Promise<void> {
    if (teamId === null || (await ask(hasTeam(db, teamId)))) return;
    throw new GatewayError('invalid_request', "Invalid value for 'team': it is not a team of this deployment.", { param: 'team' });
  }

  return {
    list: async (manager, page) => {
      if (manager.operatorId !== null) return [await find(manager, manager.operatorId)];
      return ask(readOperators(db, manager.teamId, page));
    },
    find,

    async create(manager, { id, name, team }) {
      requireManagerOfSupply(manager, 'To make operators');
      if (manager.teamId !== null && team !== undefined && team !== manager.teamId)
        throw new GatewayError('invalid_request', "Invalid value for 'team': this key manages another one.", { param: 'team' });
      const teamId = manager.teamId ?? team ?? null;
      await requireTeam(teamId);
      if (await ask(isNameTaken(db, id))) throw taken();
      const operator: StoredOperator = {
        id,
        name: name ?? id,
        teamId,
        cleanCompletions: 0,
        countedToMs: now(),
        createdAtMs: now(),
      };
      const minted = ports.mintKey(KEY_PREFIX);
      const entry = entryOf(manager, 'operator.create', id, null, { name: operator.name, team: teamId });
      if (!(await ask(insertOperator(db, operator, toKey(operator.id, minted), entry)))) throw taken();
      return { operator: { ...operator, endpoints: 0, nodes: 0 }, token: minted.token };
    },

    async addKey(manager, id) {
      const operator = await find(manager, id);
      if ((await ask(countOperatorKeys(db, id))) >= KEYS_MAX)
        throw new GatewayError('limit_exceeded', `An operator may have ${KEYS_MAX} keys.`, { param: 'id' });
      const minted = ports.mintKey(KEY_PREFIX);
      await ask(insertOperatorKey(db, toKey(id, minted), entryOf(manager, 'operator.add_key', id, null, { label: minted.label })));
      return { operator, token: minted.token };
    },

    async keys(manager, id) {
      await find(manager, id);
      return ask(readOperatorKeys(db, id));
    },

    async revokeKey(manager, id, hash) {
      await find(manager, id);
      const key = (await ask(readOperatorKeys(db, id))).find((one) => one.hash === hash);
      if (key === undefined) throw new GatewayError('not_found', 'The operator has no key of that hash.', { param: 'hash' });
      const entry = entryOf(manager, 'operator.revoke_key', id, { label: key.label }, null);
      try {
        await ask(deleteOperatorKey(db, key, entry));
      } finally {
        // A write without an answer may have happened.
        ports.forgetKey(hash);
      }
    },

    async remove(manager, id) {
      requireManagerOfSupply(manager, 'To remove operators');
      const { name, teamId } = await find(manager, id);
      const { keyHashes, nodeIds } = await ask(
        deleteOperator(db, id, entryOf(manager, 'operator.delete', id, { name, team: teamId }, null)),
      );
      for (const hash of keyHashes) ports.forgetKey(hash);
      await Promise.allSettled([ports.renewCatalogue(), ...nodeIds.map((node) => ports.node(node).leave('its operator was removed'))]);
    },
  };

  function toKey(operatorId: string, { hash, label }: MintedKey): StoredOperatorKey {
    const nowMs = now();
    return {
      id: `key-${newId()}`,
      hash,
      label,
      name: operatorId,
      teamId: null,
      kind: 'operator',
      policy: null,
      models: null,
      budgetNanoUsd: null,
      budgetPeriod: null,
      disabled: false,
      expiresAtMs: null,
      source: 'api',
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      limits: null,
      previousHash: null,
      previousExpiresAtMs: null,
      operatorId,
    };
  }
}

function taken(): GatewayError {
  return new GatewayError('conflict', 'There is or was an operator or provider of that id: choose another.', { param: 'id' });
}
