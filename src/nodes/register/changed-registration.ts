/** What a change of an endpoint writes about how it is looked at from now on. Pure. */
import type { RegistrationState, UpdateEndpoint } from '#schema/registration';
import { createChallenge } from '../address/challenge.ts';
import type { SupplyManager } from '../supply-manager.ts';
import type { Quarantine } from './quarantine-store.ts';
import { seenAnew } from './recall.ts';
import type { RegistrationChanges, StoredRegistration } from './registrations-store.ts';
import { endsQuarantine } from './wished-state.ts';

/** What is known of the change. `isProof`: its new address has yet to be proven. `letsIn`: a manager's word stands for its proof. */
interface Change {
  manager: SupplyManager;
  wish: UpdateEndpoint;
  /** Where it leads. */
  to: RegistrationState;
  isProof: boolean;
  letsIn: boolean;
  /** The quarantine that it falls under by it. */
  caught: Quarantine | undefined;
  nowMs: number;
}

/** Finds proof, probes and comparison of an endpoint as they stand after a change. */
export function changedRegistration(before: StoredRegistration, change: Change): RegistrationChanges {
  const { manager, wish, to, isProof, letsIn, caught, nowMs } = change;
  return {
    ...(isProof && { challenge: createChallenge(), provenAtMs: null }),
    ...(letsIn && { challenge: null, provenAtMs: nowMs, failedProbes: 0 }),
    // Probes end only the quarantine that probes have begun.
    ...(wish.state === 'quarantined' && { failedProbes: 0 }),
    ...(caught !== undefined && { failedProbes: caught.failedProbes }),
    ...(endsQuarantine(manager, before, wish) && before.seen !== null && { seen: seenAnew(before.seen) }),
    ...(to === 'probing' || isProof ? { nextProbeAtMs: nowMs } : {}),
  };
}
