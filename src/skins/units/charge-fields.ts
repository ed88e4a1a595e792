import type { Settlement } from '#schema/skin';
import { costFields } from '../usage-body.ts';

/** What every unit answer's `usage` says beside its counts: OpenRouter's money fields, and whose counts they are. */
export function chargeFields(settlement: Settlement): object {
  return { ...costFields(settlement, 'prompt', 'completions'), headrace: { source: settlement.usage.source } };
}
