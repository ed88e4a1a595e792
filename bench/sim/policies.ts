/** Every policy that can be run, by name. */
import type { Policy } from '#bench/sim/contract';
import { HEADRACE_POLICIES } from './headrace/headrace.ts';
import { RIVALS } from './rivals/rivals.ts';

/** The policy whose cost is held against the bound, and the one that all bars of goodput and price are set over. */
export const OURS = 'headrace';
export const YARDSTICK = 'openrouter-like';

/** Ours first, then the rivals. */
export const POLICIES: readonly Policy[] = [...HEADRACE_POLICIES, ...RIVALS];
export const POLICY_NAMES: readonly string[] = POLICIES.map(({ name }) => name);

/** Run unless told otherwise: ours under the three presets that people choose between, and every rival. */
export const DEFAULT_POLICY_NAMES: readonly string[] = [OURS, 'headrace-price', 'headrace-latency', ...RIVALS.map(({ name }) => name)];
