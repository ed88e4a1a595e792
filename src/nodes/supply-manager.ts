/** Who manages supply that registers itself, and what they may touch. Pure. */
import { GatewayError } from '#schema/error';

/** The holder of an operator key or of a management key, or a node that speaks for itself. */
export interface SupplyManager {
  /** Id of their key, or `node:<id>`: for the audit trail. */
  actor: string;
  /** The one operator whose supply is theirs; null for managers. */
  operatorId: string | null;
  /** The one team whose operators a manager may touch; null: all of them. */
  teamId: string | null;
  /** Set where a node speaks for itself: it touches nothing but itself. */
  nodeId?: string;
}

/** Whose something is. */
export interface Owner {
  operatorId: string;
  /** Null where it is nobody's: only managers of the whole deployment touch it. */
  teamId: string | null;
}

/** Tells whether somebody is a manager, and no operator or node. */
export function isManager({ operatorId, nodeId }: SupplyManager): boolean {
  return operatorId === null && nodeId === undefined;
}

/** Tells whether something is within a manager's reach. What is not looks to them as if it did not exist. */
export function mayTouch(manager: SupplyManager, owner: Owner): boolean {
  if (manager.operatorId !== null) return manager.operatorId === owner.operatorId;
  return manager.teamId === null || manager.teamId === owner.teamId;
}

/** Refuses what only managers may do. Throws GatewayError `permission_denied`. */
export function requireManagerOfSupply(manager: SupplyManager, what: string): void {
  if (isManager(manager)) return;
  throw new GatewayError('permission_denied', `${what} needs a management key (sk-hr-mgmt-…).`);
}
