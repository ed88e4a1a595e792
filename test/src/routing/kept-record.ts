import type { PlanInputs, PlanRecord } from '#schema/receipt';
import { decodePlan, encodePlan, type CompactPlan } from '#src/ledger/plan-text';

/** Writes a plan's record down and reads it again, as a receipt in the ledger does. */
export function kept(record: PlanRecord): PlanRecord & { inputs: PlanInputs } {
  return decodePlan(JSON.parse(JSON.stringify(encodePlan(record))) as CompactPlan) as PlanRecord & { inputs: PlanInputs };
}
