/** Where an endpoint stands once it was changed. Pure. */
import { GatewayError } from '#schema/error';
import type { RegistrationState, UpdateEndpoint } from '#schema/registration';
import { FAILED_PROBES_MAX } from '../probe/judge.ts';
import { isManager, type SupplyManager } from '../supply-manager.ts';
import { needsLook, refuseField } from './endpoint-wish.ts';
import type { StoredRegistration } from './registrations-store.ts';

/**
 * Finds the state that a change leads to. `isProof`: its new address has yet to be proven. Throws GatewayError: `permission_denied` for what only
 * managers may wish, `conflict` for what cannot be now, `invalid_request`.
 */
export function wishedState(
  manager: SupplyManager,
  { state: from, nodeId, failedProbes }: StoredRegistration,
  wish: UpdateEndpoint,
  isProof: boolean,
): RegistrationState {
  if (endsQuarantine(manager, { state: from }, wish)) return 'probing';
  if (wish.state === 'quarantined' || (wish.state === 'active' && from === 'quarantined')) {
    if (!isManager(manager))
      throw new GatewayError('permission_denied', 'Quarantine is for managers; a passed probe ends it too (POST /endpoints/{id}/probe).', {
        param: 'state',
      });
    return 'quarantined';
  }
  // Whoever was found out does not get away by being changed.
  if (from === 'quarantined') {
    if (isManager(manager) || failedProbes >= FAILED_PROBES_MAX || !namesAnother(wish)) return 'quarantined';
    throw new GatewayError('conflict', 'Only a manager ends this quarantine, and until then its model and its address stay as they are.', {
      param: 'state',
    });
  }
  if (isProof) {
    if (wish.state !== undefined) throw refuseField('state', 'the new address must be proven first');
    return 'pending';
  }
  if (wish.state === 'draining') return 'draining';
  // A node that is not connected has nothing to be looked at yet.
  if (wish.vouched === true && wish.state === undefined && (from === 'probation' || (from === 'pending' && nodeId === null)))
    return from === 'pending' ? 'probing' : 'active';
  if (wish.vouched === false && from === 'active') return 'probing';
  if (wish.state === 'active' && from === 'pending' && !isManager(manager))
    throw new GatewayError('conflict', 'The endpoint is not proven, or its node is not connected.', { param: 'state' });
  if (wish.state === 'active') return from === 'draining' || from === 'pending' ? 'probing' : from;
  const isOut = from === 'pending' || from === 'draining' || !needsLook(wish);
  return isOut ? from : 'probing';
}

/** Tells whether a manager ends a quarantine: by returning the endpoint to service, or by vouching for it. */
export function endsQuarantine(manager: SupplyManager, { state }: Pick<StoredRegistration, 'state'>, wish: UpdateEndpoint): boolean {
  const returns = wish.state === 'active' || (wish.state === undefined && wish.vouched === true);
  return state === 'quarantined' && returns && isManager(manager);
}

/** Tells whether a wish makes another endpoint of one, by what a quarantine is remembered by. */
export function namesAnother({ url, model, upstream_model: upstreamModel }: UpdateEndpoint): boolean {
  return url !== undefined || model !== undefined || upstreamModel !== undefined;
}
