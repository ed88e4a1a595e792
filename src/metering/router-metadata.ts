/** OpenRouter's opt-in explanation of a route (`X-OpenRouter-Metadata: enabled`). */
import type { Attempt } from '#schema/attempt';
import type { PlanRecord } from '#schema/receipt';

/** Builds `openrouter_metadata` from the plan and the attempts so far. `attempt` is 1-based, 0 when no upstream was reached. */
export function toRouterMetadata(requested: string, plan: PlanRecord, attempts: readonly Attempt[], generationTimeMs: number): object {
  const served = attempts.at(-1)?.endpointId ?? null;
  return {
    requested,
    strategy: plan.model === requested ? 'direct' : 'alias',
    region: null,
    summary: `${plan.candidates.length} candidates ordered by ${plan.method}, ${plan.rejections.length} excluded`,
    attempt: attempts.length,
    is_byok: attempts.some(({ byok, outcome }) => byok === true && outcome !== 'failed'),
    endpoints: {
      total: plan.candidates.length,
      available: plan.candidates.map(({ provider, endpointId }) => ({ provider, model: plan.model, selected: endpointId === served })),
    },
    attempts: attempts.map(({ providerId, status }) => ({ provider: providerId, model: plan.model, status: status ?? 0 })),
    pipeline: [],
    generation_time: generationTimeMs,
  };
}
