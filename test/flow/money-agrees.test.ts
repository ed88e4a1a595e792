import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { teamData } from '#schema/answers/teams';
import { credits as creditSums } from '#schema/answers/usage-sums';
import { refuse } from '#test/support/faults';
import { MODEL, openHouse, type House } from '#test/support/house';
import { createManager, type Manage } from '#test/support/manage';
import { answer, talkUntilLeft } from '#test/support/openai-scripts';
import { scriptUnits, unitModel, UNIT_ENDPOINTS } from '#test/support/unit-endpoints';
import { PATIENCE } from '#test/support/patience';

const ADMIN = 'sk-hr-mgmt-admin-00000000000';
const KEYS = { first: 'sk-hr-mixed-first-000000000', second: 'sk-hr-mixed-second-00000000' };
const BUDGET_USD = 10;
const KEY_BUDGET_USD = 4;
const PAID_USD = 3;
/** Of one `spendWith` that leave a receipt. */
const REQUESTS = 12;

let house: House;
let manage: Manage;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [
      { id: 'rig', price: { prompt: 10, completion: 20, request: 0.001 } },
      { id: 'broken', model: 'test/pair', price: { prompt: 1, completion: 1 } },
      { id: 'whole', model: 'test/pair', price: { prompt: 30, completion: 40 } },
      { id: 'endless', model: 'test/endless', price: { prompt: 50, completion: 900 } },
      ...UNIT_ENDPOINTS,
    ],
    manifest: {
      management_keys: [{ name: 'admin', value: ADMIN }],
      teams: [
        { id: 'testers' },
        {
          id: 'mixed',
          budget: { usd: BUDGET_USD, per: 'month' },
          limits: { requests_per_minute: 10_000, concurrent: 100 },
          keys: [
            { name: 'first', value: KEYS.first, budget: { usd: KEY_BUDGET_USD, per: 'week' } },
            { name: 'second', value: KEYS.second },
          ],
        },
      ],
    },
  });
  manage = createManager(house.url, ADMIN);
  house.upstream.script('rig', answer({ promptTokens: 40, completionTokens: 9 }));
  house.upstream.script('broken', refuse(500));
  house.upstream.script('whole', answer({ promptTokens: 40, completionTokens: 9 }));
  house.upstream.script('endless', talkUntilLeft);
  scriptUnits(house.upstream);
});

afterAll(() => house.stop());

const nano = (usd: number | undefined): number => Math.round((usd ?? Number.NaN) * 1e9);

function post(key: string, path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${house.url}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

async function statusOf(asked: Promise<Response>): Promise<number> {
  const response = await asked;
  await response.arrayBuffer();
  return response.status;
}

/** Every way in which a request can cost something, or nothing. */
async function spendWith(key: string): Promise<void> {
  const messages = [{ role: 'user', content: 'Say hello.' }];
  const chat = (body: object = {}, headers?: Record<string, string>) =>
    statusOf(post(key, 'chat/completions', { model: MODEL, messages, max_tokens: 50, ...body }, headers));
  const repeated = { 'idempotency-key': `same-${key}` };
  expect(
    await Promise.all([
      chat(),
      chat({ stream: true }),
      chat({ n: 2 }),
      chat({ model: 'test/pair' }),
      chat({ provider: { max_price: { prompt: 0, completion: 0 } } }),
      chat({}, repeated),
      statusOf(post(key, 'messages', { model: MODEL, messages, max_tokens: 50 })),
      statusOf(post(key, 'embeddings', { model: unitModel('embedder'), input: 'hi' })),
      statusOf(post(key, 'rerank', { model: unitModel('reranker'), query: 'a', documents: ['b', 'c'] })),
      statusOf(post(key, 'images/generations', { model: unitModel('painter'), prompt: 'a rig', n: 2 })),
      statusOf(post(key, 'audio/speech', { model: unitModel('speaker'), input: 'hello', voice: 'alloy' })),
    ]),
  ).toEqual([200, 200, 200, 200, 404, 200, 200, 200, 200, 200, 200]);
  expect(await chat({}, repeated)).toBe(200);
  const left = await post(key, 'chat/completions', { model: 'test/endless', messages, max_tokens: 50, stream: true });
  const reader = left.body?.getReader();
  for (let read = 0; read < 3; read += 1) await reader?.read();
  await reader?.cancel();
}

const sumOf = async (query: string): Promise<number> => (await (await house.db()).prepare(query).first<number>('n')) ?? 0;
const receiptsOf = (where: string) => sumOf(`SELECT sum(charged_nano_usd) AS n FROM receipts WHERE team_id = 'mixed' AND ${where}`);
const teamNow = async () => teamData.parse(await (await manage('GET', '/teams/mixed')).json()).data;

async function keyNow(key: string): Promise<{ usage: number; limit_remaining: number | null }> {
  return ((await (await house.get('/v1/key', { headers: { authorization: `Bearer ${key}` } })).json()) as { data: never }).data;
}

async function usageBy(group: string): Promise<number> {
  const { data } = (await (await manage('GET', `/usage?by=${group}&team=mixed`)).json()) as { data: { cost_usd: number }[] };
  return data.reduce((sum, { cost_usd: costUsd }) => sum + nano(costUsd), 0);
}

describe('what a team has spent', () => {
  it('M6, M8, M17: is the same wherever it is asked for: team, credits, keys, usage, receipts and journal', async () => {
    expect((await manage('POST', '/credits', { team: 'mixed', amount_usd: PAID_USD, id: 'once' })).status).toBe(201);
    await Promise.all([spendWith(KEYS.first), spendWith(KEYS.second)]);
    const count = "SELECT count(*) AS n FROM receipts WHERE team_id = 'mixed'";
    await vi.waitUntil(async () => (await sumOf(count)) === 2 * REQUESTS, PATIENCE);

    const charged = await receiptsOf('1');
    expect(await sumOf("SELECT -sum(amount_nano_usd) AS n FROM journal WHERE account = 'team:mixed' AND amount_nano_usd < 0")).toBe(
      charged,
    );
    expect(await sumOf('SELECT sum(amount_nano_usd) AS n FROM journal')).toBe(0);
    const { budget, credits } = await teamNow();
    expect(nano(budget?.spent_usd)).toBe(charged);
    expect([nano(credits?.total_usd), nano(credits?.used_usd)]).toEqual([nano(PAID_USD), charged]);
    const all = creditSums.parse(await (await manage('GET', '/credits')).json()).data;
    expect([nano(all.total_credits), nano(all.total_usage)]).toEqual([nano(PAID_USD), charged]);
    for (const group of ['team', 'key', 'model', 'endpoint', 'provider', 'day'])
      expect([group, await usageBy(group)]).toEqual([group, charged]);
    const first = await keyNow(KEYS.first);
    const ofFirst = await receiptsOf("key_id = (SELECT id FROM keys WHERE name = 'first')");
    expect([nano(first.usage), nano(first.limit_remaining ?? undefined)]).toEqual([ofFirst, nano(KEY_BUDGET_USD) - ofFirst]);
    expect(nano((await keyNow(KEYS.second)).usage)).toBe(charged - ofFirst);
  });
});
