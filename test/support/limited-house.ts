/** The whole Worker with teams that are limited in every way, under a clock that tests move. */
import { join } from 'node:path';
import { MODEL, openHouse, type House } from './house.ts';
import { answer } from './openai-scripts.ts';
import { scriptUnits, unitModel, UNIT_ENDPOINTS } from './unit-endpoints.ts';

const ENTRY = join(import.meta.dirname, '../flow/limits-worker.ts');
/** Endpoints that fail, each of a model of its own. */
const TROUBLED = ['broken', 'refusing'];
const TEAMS = {
  free: {},
  paced: { limits: { requests_per_minute: 5 } },
  wordy: { limits: { tokens_per_minute: 1000 } },
  narrow: { limits: { concurrent: 2 } },
  lone: { limits: { concurrent: 1 } },
  nested: { limits: { requests_per_minute: 6 } },
  told: { limits: { requests_per_minute: 600, tokens_per_minute: 2_000_000, concurrent: 64 } },
  patient: { limits: { requests_per_minute: 1 } },
  poor: { budget: { usd: 0.000_001, per: 'month' }, limits: { requests_per_minute: 600 } },
  still: { limits: { requests_per_minute: 1 } },
} as const;
/** Keys of `nested`, within its limits. */
const NESTED = { tight: { limits: { requests_per_minute: 4 } }, loose: { models: ['test/echo-*'] } };
export type LimitedTeam = keyof typeof TEAMS;

export const MANAGER = 'sk-hr-mgmt-limits-000000000';

export interface LimitedHouse extends House {
  /** Asks for 50 tokens with the key of a team. */
  ask(team: LimitedTeam, body?: Record<string, unknown>): Promise<Response>;
  /** POSTs a body to a surface. */
  post(team: LimitedTeam, path: string, body: Record<string, unknown>): Promise<Response>;
  embed(team: LimitedTeam): Promise<Response>;
  /** Begins a new minute of the router, so far in, and returns its epoch milliseconds. */
  enterMinute(intoMs?: number): Promise<number>;
  /** Puts everything back for the next test. */
  refresh(): Promise<void>;
}

/** Names the key of a team. */
export function keyOf(team: LimitedTeam, name = 'key'): string {
  return `sk-hr-limits-${team}-${name}-000000`;
}

/** Opens the house; stop it when done. */
export async function openLimitedHouse(): Promise<LimitedHouse> {
  const teams = Object.entries(TEAMS).map(([id, bounds]) => {
    const keys = id === 'nested' ? Object.entries(NESTED) : [['key', {}] as const];
    return { id, ...bounds, keys: keys.map(([name, own]) => ({ name, value: keyOf(id as LimitedTeam, name), ...own })) };
  });
  const house = await openHouse({
    entry: ENTRY,
    endpoints: [{ id: 'plain', max_concurrency: 500 }, ...UNIT_ENDPOINTS, ...TROUBLED.map((id) => ({ id, model: `test/${id}` }))],
    manifest: { management_keys: [{ name: 'admin', value: MANAGER }], teams: [{ id: 'testers' }, ...teams] },
  });
  const enterMinute = async (intoMs = 1000): Promise<number> => {
    const response = await fetch(`${house.url}/clock?into=${intoMs}`);
    return ((await response.json()) as { nowMs: number }).nowMs;
  };
  const post = (team: LimitedTeam, path: string, body: Record<string, unknown>): Promise<Response> =>
    fetch(`${house.url}/v1/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keyOf(team)}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const messages = [{ role: 'user', content: 'Say hello.' }];
  return {
    ...house,
    ask: (team, body = {}) => post(team, 'chat/completions', { model: MODEL, messages, max_tokens: 50, ...body }),
    post,
    embed: (team) => post(team, 'embeddings', { model: unitModel('embedder'), input: 'hi' }),
    enterMinute,
    async refresh() {
      house.upstream.reset();
      house.upstream.script('plain', answer({ promptTokens: 10, completionTokens: 5 }));
      scriptUnits(house.upstream);
      await enterMinute();
    },
  };
}

/** Reads an answer to its end and says how it went. */
export async function statusOf(asked: Promise<Response>): Promise<number> {
  const response = await asked;
  await response.text();
  return response.status;
}
