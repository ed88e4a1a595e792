/** Requests with an `Idempotency-Key`, and what must be the same in their repeats. */
import { createPool } from './endpoint-pool.ts';
import type { House, HouseOptions } from './house.ts';
import { PATIENCE } from './patience.ts';
import { pause } from './pause.ts';
import { UNIT_ENDPOINTS } from './unit-endpoints.ts';

/** Another key of the first team. */
export const SIBLING_KEY = 'sk-hr-sibling-0000000000000';
/** A key of another team. */
export const STRANGER_KEY = 'sk-hr-stranger-000000000000';
/** A key of a team under zero retention. */
export const STRICT_KEY = 'sk-hr-strict-00000000000000';
export const MANAGEMENT_KEY = 'sk-hr-mgmt-admin-00000000000';

/** Endpoints for tests that count receipts: no other test uses what one has taken. */
export const pool = createPool(8, { price: { prompt: 2, completion: 3 } });

/** Endpoints by what tests let them do; each has a model of its own. */
export const KEYED_HOUSE: HouseOptions = {
  endpoints: [
    ...pool.specs,
    { id: 'plain' },
    { id: 'large', model: 'test/large' },
    { id: 'slow', model: 'test/slow' },
    { id: 'broken', model: 'test/broken' },
    { id: 'private', model: 'test/private', data_policy: { trains: false, retention_days: 0, source: 'contract' } },
    ...UNIT_ENDPOINTS,
  ],
  manifest: {
    management_keys: [{ name: 'admin', value: MANAGEMENT_KEY }],
    policies: { strict: { privacy: { min_tier: 'zero_retention' } } },
    teams: [
      { id: 'testers', keys: [{ name: 'sibling', value: SIBLING_KEY }] },
      { id: 'strangers', keys: [{ name: 'stranger', value: STRANGER_KEY }] },
      { id: 'strict', policy: 'strict', keys: [{ name: 'strict', value: STRICT_KEY }] },
    ],
  },
};

/** A chat request under a key. */
export interface KeyedWish {
  key: string;
  body?: Record<string, unknown>;
  token?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

let keys = 0;

/** Makes a key that no other test uses. */
export function newKey(): string {
  return `order-${++keys}`;
}

/** Sends the request. */
export function sendKeyed(house: House, { key, body = {}, token = house.key, headers = {}, signal }: KeyedWish): Promise<Response> {
  return house.chat(body, {
    headers: { authorization: `Bearer ${token}`, 'idempotency-key': key, ...headers },
    ...(signal && { signal }),
  });
}

/** Sends the request until it is no longer running; fails when that never comes. */
export async function sendUntilEnded(house: House, wish: KeyedWish): Promise<Response> {
  for (const givenUpAtMs = Date.now() + PATIENCE.timeout; Date.now() < givenUpAtMs; await pause(50)) {
    const response = await sendKeyed(house, wish);
    if (response.status !== 409 || response.headers.get('retry-after') === null) return response;
    await response.text();
  }
  throw new Error('still running');
}

/** Everything that a repeat must give back. */
export interface Told {
  status: number;
  /** Headers about the answer; limits are of the moment. */
  labels: [string, string][];
  /** Base64. */
  bytes: string;
}

/** Reads an answer to its end. */
export async function readTold(response: Response): Promise<Told> {
  const labels = [...response.headers].filter(([name]) => /^(content-type|request-id|x-(?!headrace-replayed|ratelimit).+)$/.test(name));
  return { status: response.status, labels, bytes: Buffer.from(await response.arrayBuffer()).toString('base64') };
}

/** Tells whether an answer was given before. */
export function isReplay(response: Response): boolean {
  return response.headers.get('x-headrace-replayed') === 'true';
}

/** The text of an answer that was read. */
export function textOfTold({ bytes }: Told): string {
  return Buffer.from(bytes, 'base64').toString();
}
