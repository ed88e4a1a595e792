/** For which operator something is registered. */
import { GatewayError } from '#schema/error';
import type { OrUnavailable } from '#schema/or-unavailable';
import { refuseField } from '../register/endpoint-wish.ts';
import { mayTouch, type SupplyManager } from '../supply-manager.ts';
import { readOperator, readOperators, type CountedOperator } from './operators-store.ts';

/** Names listed in an error. */
const LISTED_MAX = 20;

/** Finds the operator that is meant: the manager's own, the one named, or the only one. Throws GatewayError `invalid_request`, `not_found` for one out of reach, and what `ask` throws. */
export async function pickOperator(
  { db, ask }: { db: D1Database; ask: OrUnavailable },
  manager: SupplyManager,
  named: string | undefined,
): Promise<CountedOperator> {
  if (manager.operatorId !== null && named !== undefined && named !== manager.operatorId)
    throw refuseField('operator', 'an operator key registers for its own operator; leave it out');
  const id = manager.operatorId ?? named;
  if (id === undefined) return pickOnly(await ask(readOperators(db, manager.teamId)));
  const operator = await ask(readOperator(db, id));
  if (operator !== null && mayTouch(manager, { operatorId: operator.id, teamId: operator.teamId })) return operator;
  throw new GatewayError('not_found', 'No operator of that id was found.', { param: 'operator' });
}

function pickOnly(operators: readonly CountedOperator[]): CountedOperator {
  const [only, ...others] = operators;
  if (only !== undefined && others.length === 0) return only;
  const names = operators.slice(0, LISTED_MAX).map(({ id }) => id);
  throw refuseField('operator', `is required. Operators: ${names.length === 0 ? 'none' : names.join(', ')}`);
}
