/** A hall without rooms behind it, and requests to the app over it. */
import type { CatalogSnapshot } from '#schema/catalog';
import { GatewayError } from '#schema/error';
import type { Receipt } from '#schema/receipt';
import type { Caller } from '#src/admission/admission';
import { createApp } from '#src/api/app';
import { buildSnapshot } from '#src/catalog/build-snapshot';
import type { Hall } from '#src/serve';
import { catalogRows, endpointRow, NOW_MS, offerRow } from '../catalog/rows.ts';

export const TOKEN = 'sk-hr-abcdefghijklmnop';
export const MANAGER = 'sk-hr-mgmt-abcdefghij';

export const caller: Caller = {
  keyId: 'k1',
  kind: 'inference',
  label: 'sk-hr-abc...nop',
  name: 'ci',
  team: { id: 'research', policy: 'private', budget: null, limits: null },
  keyPolicy: null,
  models: null,
  budget: { nanoUsd: 5e9, period: 'day' },
  limits: null,
  quotas: [],
  createdAtMs: 0,
  expiresAtMs: null,
};

const model = (id: string, createdAtS: number) => ({
  id,
  name: id,
  createdAtS,
  context: 1000,
  inputModalities: ['text'],
  outputModalities: ['text'],
  source: 'catalogue',
});

export const snapshot: CatalogSnapshot = buildSnapshot(
  catalogRows({
    models: [model('qwen/qwen3-8b', 5), model('openai/gpt-oss-120b', 9), model('own/tune', 1), model('nobody/serves', 2)],
    endpoints: [
      endpointRow(),
      endpointRow({ id: 'keyless', keySecret: 'MISSING' }),
      endpointRow({ id: 'oss', modelId: 'openai/gpt-oss-120b', context: 131_072, capabilities: ['json_schema'] }),
      endpointRow({ id: 'rig', modelId: 'own/tune', ownerTeamId: 'research', supply: 'selfhosted', kvCache: 'turboquant_4bit_nc' }),
    ],
    offers: [
      offerRow(),
      offerRow({ endpointId: 'rig', promptPicoUsdPerToken: 1_000_000, cacheReadPicoUsdPerToken: 4000, requestNanoUsd: 1500 }),
    ],
  }),
  { nowMs: NOW_MS, version: 'v', allowedHosts: [] },
).snapshot;

export const receipt: Receipt = {
  id: 'gen-1',
  teamId: 'research',
  keyId: 'k1',
  policy: 'private',
  policyVersion: 3,
  createdAtMs: NOW_MS,
  api: 'chat',
  stream: true,
  state: 'completed',
  errorCode: null,
  requestedModel: 'gpt-4o-mini',
  model: 'qwen/qwen3-8b',
  endpointId: 'e2',
  providerId: 'alpha',
  providerName: 'Alpha',
  supply: 'centralized',
  tier: 'no_training',
  finishReason: 'stop',
  nativeFinishReason: 'eos',
  upstreamId: 'up-1',
  sessionId: null,
  usage: { source: 'reported', promptTokens: 10, completionTokens: 20, reasoningTokens: 5, cacheReadTokens: 4, cacheWriteTokens: 0 },
  timing: { overheadMs: 1, ttftMs: 120, tpotMs: 9.5, totalMs: 300 },
  chargedNanoUsd: 1_234_567,
  absorbedNanoUsd: 89,
  heldNanoUsd: 2_000_000,
  attempts: [
    {
      index: 0,
      role: 'first',
      endpointId: 'e1',
      providerId: 'beta',
      supply: 'subnet',
      startedAtMs: NOW_MS,
      headersMs: 5,
      ttftMs: null,
      durationMs: 6,
      outcome: 'failed',
      failure: { kind: 'capacity', origin: 'external', status: 429, retryAfterMs: 2000, detail: 'too many requests' },
      status: 429,
      promptTokens: 0,
      completionTokens: 0,
      costNanoUsd: 89,
    },
    {
      index: 1,
      role: 'fallback',
      endpointId: 'e2',
      providerId: 'alpha',
      supply: 'centralized',
      startedAtMs: NOW_MS,
      headersMs: 50,
      ttftMs: 110,
      durationMs: 290,
      outcome: 'completed',
      failure: null,
      status: 200,
      promptTokens: 10,
      completionTokens: 20,
      costNanoUsd: 1_234_567,
    },
  ],
  plan: {
    snapshotVersion: 'v',
    plannedAtMs: NOW_MS,
    model: 'qwen/qwen3-8b',
    optimize: 'balanced',
    method: 'index',
    relaxed: [],
    facts: { promptTokens: 10, maxTokens: null, expectedCompletionTokens: 250, stream: true, needs: [] },
    candidates: [],
    rejections: [],
    inputs: null,
  },
};

/** Builds an app over a hall that knows two keys; `logged` collects what it logs. */
export function fakeApp(changes: Partial<Hall> = {}) {
  const logged: Record<string, unknown>[] = [];
  const hall = {
    async authenticate(token) {
      if (token === TOKEN) return caller;
      if (token === MANAGER) return { ...caller, kind: 'management', team: null, budget: null };
      throw new GatewayError('invalid_api_key', 'Invalid API key.');
    },
    snapshot: () => snapshot,
    findReceipt: async (_team, id) => (id === 'gen-1' ? receipt : id === 'gen-foreign' ? { ...receipt, teamId: 'other' } : null),
    endpointStats: async () => new Map(),
    books: {
      ofKeys: async () => new Map([['k1', { totalNanoUsd: 4e9, dailyNanoUsd: 1e9, weeklyNanoUsd: 2e9, monthlyNanoUsd: 3e9 }]]),
      credits: async () => ({ creditsNanoUsd: 0, chargedNanoUsd: 0 }),
      forgetCredits: () => undefined,
      usage: async () => [],
      teamOfReceipt: async () => null,
      activity: async () => [],
      traffic: async () => new Map(),
    },
    teams: {
      list: async () => [],
      find: async () => {
        throw new GatewayError('not_found', 'No team of that id was found.');
      },
      addCredit: async () => {
        throw new GatewayError('not_found', 'No team of that id was found.');
      },
      spentByKeys: async () => new Map(),
    },
    isCallable: ({ keySecret }) => keySecret !== 'MISSING',
    callableBy:
      async () =>
      ({ keySecret }) =>
        keySecret !== 'MISSING',
    stand: () => undefined,
    now: () => NOW_MS,
    log: (event) => void logged.push(event),
    ...changes,
  } as Hall;
  const app = createApp(hall);
  const execution = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };
  const send = async (path: string, init: RequestInit = {}) =>
    app.fetch(new Request(`https://router.example${path}`, init), {}, execution as unknown as ExecutionContext);
  return {
    send,
    logged,
    get: (path: string, token?: string) => send(path, { headers: token ? { authorization: `Bearer ${token}` } : {} }),
  };
}
