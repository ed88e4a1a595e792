/** Join tokens: one lets one node in, once. Only their SHA-256 is stored. */
import { createHash } from 'node:crypto';
import { GatewayError } from '#schema/error';
import { createOrUnavailable } from '#schema/or-unavailable';
import type { CreateJoinToken } from '#schema/registration';
import { supplyEntry } from '../audit-supply.ts';
import { pickOperator } from '../operators/pick-operator.ts';
import { refuseField } from '../register/endpoint-wish.ts';
import { isManager, type SupplyManager } from '../supply-manager.ts';
import type { SupplyPorts } from '../supply-ports.ts';
import { countTokens, insertToken, readManifestNode, readToken, type KnownToken, type ManifestNode } from './nodes-store.ts';

/** A token as it is shown, once. */
export interface MintedToken {
  token: string;
  expiresAtMs: number;
  operatorId: string;
}

/** Every method throws GatewayError: `invalid_request` with `param`, `not_found`, `permission_denied`, `conflict`, `limit_exceeded`, `invalid_api_key`, `ledger_unavailable`. */
export interface JoinTokens {
  mint(manager: SupplyManager, wish: CreateJoinToken): Promise<MintedToken>;
  /** Finds the token that a node has sent, unused and in force; it is taken when the node is let in. */
  admit(token: string | null): Promise<KnownToken>;
}

const PREFIX = 'hr-join-';
const SHAPE = /^hr-join-[\w-]{20,100}$/;
const SECRET_BYTES = 32;
/** Tokens of one operator that nobody has used yet. */
const OPEN_MAX = 200;
const TIMEOUT_MS = 5_000;
/** Id of the key that opens a new deployment: it is a manager's, and stored nowhere. */
const FIRST_KEY_ID = 'key-first';

/** Opens the minting of tokens. */
export function createJoinTokens({ db, now, newId, log }: Pick<SupplyPorts, 'db' | 'now' | 'newId' | 'log'>): JoinTokens {
  const sentence = 'Join tokens cannot be read or written right now';
  const ask = createOrUnavailable({ sentence, event: 'join_tokens_unavailable', timeoutMs: TIMEOUT_MS, log });

  /** A node of the manifest belongs to the manifest: who brings it is for managers to say. */
  async function operatorOf(manager: SupplyManager, { operator, node }: CreateJoinToken): Promise<string> {
    const known = node === undefined ? null : await ask(readManifestNode(db, node));
    if (known === null) return (await pickOperator({ db, ask }, manager, operator)).id;
    if (operator !== undefined) throw refuseField('operator', 'the node is one of the manifest’s; leave it out');
    if (isManager(manager) && (manager.teamId === null || manager.teamId === known.ownerTeamId)) return known.operatorId;
    throw new GatewayError('permission_denied', 'The node is one of the manifest’s: its token needs a management key of the deployment.', {
      param: 'node',
    });
  }

  return {
    async mint(manager, wish) {
      const operatorId = await operatorOf(manager, wish);
      const nowMs = now();
      if ((await ask(countTokens(db, operatorId, nowMs))) >= OPEN_MAX)
        throw new GatewayError('limit_exceeded', `An operator may have ${OPEN_MAX} join tokens that nobody has used: let some expire.`, {
          param: 'operator',
        });
      const token = PREFIX + Buffer.from(crypto.getRandomValues(new Uint8Array(SECRET_BYTES))).toString('base64url');
      const expiresAtMs = nowMs + wish.expires_s * 1_000;
      const nodeId = wish.node ?? null;
      const entry = supplyEntry(
        {
          action: 'node.token',
          object: `operator:${operatorId}`,
          before: null,
          after: { node: nodeId, expires_at: new Date(expiresAtMs).toISOString() },
        },
        { id: newId(), actor: manager.actor, atMs: nowMs },
      );
      const row = { hash: hashOf(token), operatorId, nodeId, createdBy: manager.actor, createdAtMs: nowMs, expiresAtMs };
      await ask(insertToken(db, { ...row, usedAtMs: null, usedByNodeId: null }, entry));
      return { token, expiresAtMs, operatorId };
    },

    async admit(token) {
      const known = token !== null && SHAPE.test(token) ? await ask(readToken(db, hashOf(token))) : null;
      if (known === null || known.expiresAtMs <= now())
        throw new GatewayError('invalid_api_key', 'The join token is unknown or has expired. Ask for a new one: POST /nodes/tokens.');
      if (known.usedAtMs !== null) throw spent();
      return known;
    },
  };
}

/** Builds the refusal of a token that has let a node in. */
export function spent(): GatewayError {
  return new GatewayError('conflict', 'The join token has been used: each lets one node in, once.');
}

/** Tells whether a token may bring a node of the manifest: made for exactly that node, by a manager of its team or of everything. */
export function mayBring({ nodeId, createdBy, creator }: KnownToken, node: string, known: ManifestNode): boolean {
  if (nodeId !== node) return false;
  if (createdBy === FIRST_KEY_ID) return true;
  return creator?.kind === 'management' && (creator.teamId === null || creator.teamId === known.ownerTeamId);
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
