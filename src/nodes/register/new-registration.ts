/** A registration as it begins. Pure. */
import type { StoredRegistration } from './registrations-store.ts';

/** What is known of an endpoint when it is registered. */
type Beginning = Pick<StoredRegistration, 'state' | 'reason'> &
  Partial<
    Pick<
      StoredRegistration,
      | 'nodeId'
      | 'vouchedBy'
      | 'vouchedAtMs'
      | 'challenge'
      | 'provenAtMs'
      | 'addresses'
      | 'expected'
      | 'capacity'
      | 'seen'
      | 'failedProbes'
      | 'createdAtMs'
    >
  > & {
    nowMs: number;
  };

/** Builds the row; its first probe is due at once. */
export function newRegistration(endpointId: string, operatorId: string, { nowMs, ...known }: Beginning): StoredRegistration {
  return {
    endpointId,
    operatorId,
    nodeId: null,
    sinceMs: nowMs,
    challenge: null,
    provenAtMs: null,
    addresses: null,
    seen: null,
    expected: null,
    capacity: null,
    probedAtMs: null,
    nextProbeAtMs: nowMs,
    failedProbes: 0,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    vouchedBy: null,
    vouchedAtMs: null,
    ...known,
  };
}
