/** Makes a recorded plan again, so that a receipt's decision can be checked by whoever doubts it. */
import type { ModelEntry } from '#schema/catalog';
import type { Plan } from './plan.ts';
import { fromPolicyChanges } from './policy-changes.ts';
import { reenact, type Reenactable } from './reenact.ts';

/** What a record is replayed over. */
export interface ReplayGround {
  entries: readonly ModelEntry[];
  snapshotVersion: string;
}

/**
 * Plans again from recorded inputs: the same facts, policy, instant, draw and health. Endpoints that the record does not list are not callable.
 * The candidates are the recorded ones, term by term, where the catalogue is the same and the record lists every endpoint that could be
 * called: up to 64 of them as planned, up to 32 as receipts are stored. Beyond that the draw had more to choose from than is known, and the
 * primary may differ. Where the policy wants no fallbacks only the one endpoint is listed: it comes again, its terms may rest on others.
 */
export function replay(recorded: Reenactable, { entries, snapshotVersion }: ReplayGround): Plan {
  const again = reenact(recorded, { snapshotVersion, isCallable: () => false });
  return again.plan({ policy: fromPolicyChanges(recorded.inputs.policy), entries });
}
