/** The whole Worker with two real providers led to a scripted upstream, and three teams that may bring keys for them. */
import path from 'node:path';
import { expect } from 'vitest';
import { providerKeyData } from '#schema/answers/byok';
import { openHouse, type House } from './house.ts';
import { createManager, type Manage } from './manage.ts';
import { answer } from './openai-scripts.ts';

export const GPT = 'openai/gpt-oss-120b';
/** The house has a key for this provider. */
export const HELD = { id: 'groq', origin: 'https://api.groq.com' };
/** And none for this one. */
export const KEYLESS = { id: 'together', origin: 'https://api.together.ai' };
/** What both ask, and what the endpoint `spare` does: nano-USD per token. */
export const LIST = { prompt: 150, completion: 600 };
export const SPARE = { prompt: 1000, completion: 2000 };
export const HOUSE_KEY = 'house-key-0123456789abcdef';

const ADMIN = 'sk-hr-mgmt-admin-00000000000';
/** Management keys: of the deployment, and of team a. */
export const MANAGERS = { admin: ADMIN, lead: 'sk-hr-mgmt-lead-000000000000' };
/** Inference keys of three teams; `poor` has next to no budget. */
export const KEYS = {
  a: 'sk-hr-team-a-00000000000000',
  b: 'sk-hr-team-b-00000000000000',
  poor: 'sk-hr-team-poor-00000000000',
};

/** What must stand nowhere, as a whole or in part. */
export const CANARY = 'zanzibar-canary-7731';
/** A provider's key as a team brings it. */
export const ownKey = (name: string) => `vk-${name}-${CANARY}-${name}`;

export interface ByokHouse {
  house: House;
  manage: Manage;
  /** Everything that the Worker has logged, and all that `chatAs` and `bring` were answered. */
  logged: string[];
  seen: string[];
  chatAs(key: string, body: Record<string, unknown>): Promise<Response>;
  /** Brings a key and describes it. */
  bring(wish: Record<string, unknown>, by?: string): Promise<ProviderKey>;
  change(id: string, wish: object): Promise<ProviderKey>;
  /** The `Authorization` headers that an endpoint has got. */
  authorizations(endpoint: string): (string | undefined)[];
  /** Forgets the calls; every endpoint answers 100 tokens with 10. */
  reset(): void;
}

type ProviderKey = ReturnType<typeof providerKeyData.parse>['data'];

/** A request to these providers and no others. */
export const only = (...providers: string[]) => ({ model: GPT, provider: { only: providers } });
export const bearer = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });

/** Opens the house. */
export async function openByokHouse(stateDir?: string): Promise<ByokHouse> {
  const logged: string[] = [];
  const seen: string[] = [];
  const house = await openHouse({
    entry: path.join(import.meta.dirname, '../flow/detour-worker.ts'),
    bindings: (upstream) => ({
      DETOURS: JSON.stringify(
        Object.fromEntries([HELD, KEYLESS].map(({ id, origin }) => [origin, `${new URL(upstream.url(id)).origin}/${id}`])),
      ),
    }),
    endpoints: [
      { id: 'spare', model: GPT, engine: 'vllm', price: { prompt: 1, completion: 2 }, capabilities: ['continuation', 'completion'] },
      { id: 'posing', provider: HELD.id, model: 'test/posing', key: { secret: 'POSING_KEY' } },
    ],
    environment: { GROQ_API_KEY: HOUSE_KEY, POSING_KEY: 'posing-key-0123456789' },
    ...(stateDir !== undefined && { stateDir }),
    log: (line) => logged.push(line),
    manifest: {
      management_keys: [
        { name: 'admin', value: MANAGERS.admin },
        { name: 'lead', value: MANAGERS.lead, team: 'a' },
      ],
      teams: [
        { id: 'a', keys: [{ name: 'a', value: KEYS.a }] },
        { id: 'b', keys: [{ name: 'b', value: KEYS.b }] },
        { id: 'poor', budget: { usd: 0.000_001, per: 'total' }, keys: [{ name: 'poor', value: KEYS.poor }] },
      ],
    },
  });
  const manage = createManager(house.url, MANAGERS.admin);

  async function read(response: Response): Promise<string> {
    const text = await response.text();
    seen.push(JSON.stringify([...response.headers]), text);
    return text;
  }

  return {
    house,
    manage,
    logged,
    seen,
    async chatAs(key, body) {
      const response = await house.chat(body, bearer(key));
      await read(response.clone());
      return response;
    },
    async bring(wish, by) {
      const response = await manage('POST', '/byok', wish, by);
      const text = await read(response);
      expect([response.status, text]).toEqual([201, expect.any(String)]);
      return providerKeyData.parse(JSON.parse(text)).data;
    },
    async change(id, wish) {
      const response = await manage('PATCH', `/byok/${id}`, wish);
      const text = await read(response);
      expect(response.status).toBe(200);
      return providerKeyData.parse(JSON.parse(text)).data;
    },
    authorizations: (endpoint) => house.upstream.callsTo(endpoint).map(({ headers }) => headers.authorization),
    reset() {
      house.upstream.reset();
      for (const endpoint of [HELD.id, KEYLESS.id, 'spare'])
        house.upstream.script(endpoint, answer({ promptTokens: 100, completionTokens: 10 }));
    },
  };
}
