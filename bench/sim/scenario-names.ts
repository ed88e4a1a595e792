/** Which scenarios a run can ask for. */
import type { Scenario } from '#bench/sim/contract';
import { SCENARIOS } from './scenarios.ts';

/** What measured endpoints did by themselves; only with `--uptime`. */
export const REPLAY_SCENARIO: Scenario = {
  name: 'replay',
  description: 'real endpoints with their measured failures and price changes',
  isFault: false,
  isHardOutage: false,
  trouble: () => null,
  stage: (fleet) => fleet,
};

export const SCENARIO_NAMES: readonly string[] = SCENARIOS.map(({ name }) => name);

/** Finds a scenario by name; throws for a name that no flag let through. */
export function scenarioNamed(name: string): Scenario {
  const found = [...SCENARIOS, REPLAY_SCENARIO].find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`no scenario ${name}`);
  return found;
}
