/** Whose requests they are, and the manifest that knows them. */
import { parse } from 'yaml';
import type { ManifestEndpoint } from '#schema/manifest';
import { NANO_PER_USD } from '#schema/money';

/** A team of the run with its share of the load. */
export interface ChaosTeam {
  id: string;
  share: number;
  policy: string;
  keys: readonly string[];
  /** The limit that its requests name where they name no lower one; null names none. */
  maxTokens: number | null;
}

/** The team whose budget runs out on the way. */
export const BUDGETED_TEAM = 'thrift';

/** Three teams: one that is served as usual, one that hedges, and one whose budget ends. */
export const TEAMS: readonly ChaosTeam[] = [
  { id: 'steady', share: 0.6, policy: 'balanced', keys: ['sk-hr-chaos-steady-one-000', 'sk-hr-chaos-steady-two-000'], maxTokens: null },
  { id: 'hasty', share: 0.25, policy: 'hasty', keys: ['sk-hr-chaos-hasty-00000000'], maxTokens: null },
  // Without a limit, one request could cost more than the whole budget, and none would be let in.
  { id: BUDGETED_TEAM, share: 0.15, policy: 'balanced', keys: ['sk-hr-chaos-thrift-0000000'], maxTokens: 1000 },
];

/** Every request ends within a minute, so that a client knows when it has been forgotten. */
export const DEADLINE_MS = 60_000;
const attempts = { deadline_ms: DEADLINE_MS };
const POLICIES = { balanced: { attempts }, hasty: { attempts, optimize: 'latency', hedge: true } };

/** What the budgeted team would spend on one request, about; its budget is good for half of what it asks. */
const NANO_USD_PER_REQUEST = 30_000;
const BUDGET_SHARE = 0.5;
/** Room for two worst cases. */
const BUDGET_NANO_USD_MIN = 1_200_000;

/** Computes the budget of the team that has one, in nano-USD, for a load of so many requests. */
export function budgetNanoUsd(requests: number): number {
  const share = TEAMS.find(({ id }) => id === BUDGETED_TEAM)?.share ?? 0;
  return Math.max(BUDGET_NANO_USD_MIN, Math.round(requests * share * BUDGET_SHARE * NANO_USD_PER_REQUEST));
}

/** Writes the manifest of a run: the endpoints of `localManifest` that serve `models`, with the teams of the run. */
export function manifestText(localManifest: string, models: readonly string[], budgetNanoUsd: number): string {
  const { endpoints } = parse(localManifest) as { endpoints: ManifestEndpoint[] };
  const teams = TEAMS.map(({ id, policy, keys }) => ({
    id,
    policy,
    keys: keys.map((value, index) => ({ name: `key-${index}`, value })),
    ...(id === BUDGETED_TEAM && { budget: { usd: budgetNanoUsd / NANO_PER_USD, per: 'total' } }),
  }));
  // JSON is YAML.
  return JSON.stringify({
    version: 1,
    defaults: { policy: 'balanced' },
    endpoints: endpoints.filter(({ model }) => models.includes(model)),
    policies: POLICIES,
    teams,
  });
}
