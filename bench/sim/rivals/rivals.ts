/** Every rival, in the order of the table. */
import type { Policy } from '#bench/sim/contract';
import { AGENTGATEWAY_LIKE } from './agentgateway-like.ts';
import { CHEAPEST, RANDOM, ROUND_ROBIN } from './blind.ts';
import { LEAST_OUTSTANDING } from './least-outstanding.ts';
import { LITELLM_LATENCY } from './litellm-latency.ts';
import { OPENROUTER_LIKE } from './openrouter-like.ts';
import { PEAK_EWMA, PEAK_EWMA_PENALTY } from './peak-ewma.ts';
import { PREQUAL } from './prequal.ts';
import { toPolicy } from './rival.ts';

/** The rivals as policies of the simulator. */
export const RIVALS: readonly Policy[] = [
  RANDOM,
  ROUND_ROBIN,
  CHEAPEST,
  OPENROUTER_LIKE,
  LITELLM_LATENCY,
  LEAST_OUTSTANDING,
  PEAK_EWMA,
  PEAK_EWMA_PENALTY,
  PREQUAL,
  AGENTGATEWAY_LIKE,
].map(toPolicy);
