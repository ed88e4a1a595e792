import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generation } from '#schema/answers/generation';
import { usageSums } from '#schema/answers/usage-sums';
import { readAnswer, readError } from '#test/support/answers';
import { MODEL, openHouse, type House } from '#test/support/house';
import { createManager, type Manage } from '#test/support/manage';
import { answer, sendJson } from '#test/support/openai-scripts';

const ADMIN = 'sk-hr-mgmt-admin-00000000000';
const LEAD = 'sk-hr-mgmt-lead-000000000000';
const RESEARCH_KEY = 'sk-hr-research-0000000000000';
const DAY_MS = 86_400_000;

let house: House;
let manage: Manage;
/** One request of each team, and one that failed. */
let ids: { testers: string; research: string; failed: string };
let costUsd: number;

const bearer = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });

beforeAll(async () => {
  house = await openHouse({
    endpoints: [
      { id: 'rig', price: { prompt: 1, completion: 1 } },
      { id: 'broken', model: 'test/broken' },
    ],
    manifest: {
      management_keys: [
        { name: 'admin', value: ADMIN },
        { name: 'lead', value: LEAD, team: 'research' },
      ],
      teams: [{ id: 'testers' }, { id: 'research', keys: [{ name: 'ci', value: RESEARCH_KEY }] }],
    },
  });
  house.upstream.script('rig', answer());
  house.upstream.script('broken', (_call, response) => sendJson(response, 500, { error: { message: 'no' } }));
  manage = createManager(house.url, ADMIN);
  const testers = await readAnswer(await house.chat());
  const research = await readAnswer(await house.chat({}, bearer(RESEARCH_KEY)));
  const broken = await house.chat({ model: 'test/broken' }, bearer(RESEARCH_KEY));
  await broken.body?.cancel();
  ids = { testers: testers.id, research: research.id, failed: broken.headers.get('x-generation-id') ?? '' };
  costUsd = research.usage?.cost ?? Number.NaN;
  await Promise.all(Object.values(ids).map((id) => house.receiptRow(id)));
});

afterAll(() => house.stop());

async function usage(query: string, key = ADMIN) {
  const response = await manage('GET', `/usage?${query}`, undefined, key);
  expect([query, response.status]).toEqual([query, 200]);
  return usageSums.parse(await response.json());
}

describe('usage', () => {
  it('is summed by whatever is asked for: tokens, cost and errors', async () => {
    const served = { requests: 1, prompt_tokens: 12, completion_tokens: 5, cost_usd: costUsd, byok_usd: 0, errors: 0 };
    expect((await usage('')).data).toMatchObject([
      { model: MODEL, ...served, requests: 2, prompt_tokens: 24, completion_tokens: 10, cost_usd: 2 * costUsd },
      { model: 'test/broken', requests: 1, cost_usd: 0, errors: 1 },
    ]);
    expect((await usage('by=team')).data).toMatchObject([
      { team: 'research', requests: 2, errors: 1 },
      { team: 'testers', requests: 1 },
    ]);
    expect((await usage('by=endpoint')).data).toMatchObject([{ endpoint: 'rig', requests: 2 }, { requests: 1 }]);
    expect((await usage('by=provider')).data).toMatchObject([{ provider: 'selfhosted', requests: 2 }, { requests: 1 }]);
    expect((await usage('by=day')).data).toMatchObject([{ day: new Date().toISOString().slice(0, 10), requests: 3 }]);
    const { data } = await usage('by=key&team=research');
    expect(data).toMatchObject([{ name: 'ci', team: 'research', requests: 2 }]);
    expect(JSON.stringify(data)).not.toContain(RESEARCH_KEY);
  });

  it('begins and ends where it is told, in ISO 8601, days or epoch milliseconds', async () => {
    const now = Date.now();
    const hourAgo = new Date(now - 3_600_000).toISOString();
    for (const since of [hourAgo, String(now - 3_600_000), new Date(now - DAY_MS).toISOString().slice(0, 10)])
      expect((await usage(`since=${since}`)).data).toHaveLength(2);
    expect((await usage(`since=${hourAgo.replace('Z', '%2B00:00')}`)).since).toBe(hourAgo);
    expect((await usage(`until=${hourAgo}`)).data).toEqual([]);
    expect(await usage(`since=0&until=${DAY_MS}`)).toEqual({
      data: [],
      since: '1970-01-01T00:00:00.000Z',
      until: '1970-01-02T00:00:00.000Z',
    });
    expect(await usage('since=253402300799998&until=253402300799999')).toMatchObject({ data: [], until: '9999-12-31T23:59:59.999Z' });
  });

  it.each([
    ['by=mood', 'by'],
    ['by=constructor', 'by'],
    ['since=soon', 'since'],
    ['since=-1', 'since'],
    ['since=1e12', 'since'],
    ['since=99999999999999999999', 'since'],
    ['since=9007199254740993', 'since'],
    ['until=253402300800000', 'until'],
    ['since=2026-02-31', 'since'],
    ['until=+275760-09-14T00:00:00Z', 'until'],
    ['since=2026-01-01&until=2026-12-31', 'since'],
    ['since=2026-02-01&until=2026-01-01', 'since'],
    ['since=2026-01-01&until=2026-01-01', 'since'],
    [`team=${'x'.repeat(65)}`, 'team'],
    ['key=abc', 'key'],
  ])('usage?%s is a 400 about %s', async (query, param) => {
    const response = await manage('GET', `/usage?${query}`);
    expect([response.status, (await readError(response)).param]).toEqual([400, param]);
  });

  it.each(["' OR '1'='1", '%', '_', "research' --", 'headrace:canaries'])('I2: of a team called %s is nothing', async (team) => {
    expect((await usage(`team=${encodeURIComponent(team)}`)).data).toEqual([]);
  });

  it('K9: of one team is all that its manager sees', async () => {
    expect((await usage('by=team', LEAD)).data).toMatchObject([{ team: 'research', requests: 2 }]);
    expect((await usage('by=team&team=testers', LEAD)).data).toEqual([]);
    expect((await manage('GET', '/usage', undefined, house.key)).status).toBe(403);
    expect((await manage('GET', '/usage', undefined, 'sk-hr-nobody-0000000000')).status).toBe(401);
    expect((await manage('POST', '/usage', {})).status).toBe(405);
  });
});

describe('a receipt', () => {
  const read = (id: string, key = ADMIN) => manage('GET', `/receipts/${encodeURIComponent(id)}`, undefined, key);

  it('is told to its team and its managers as `GET /generation` tells it', async () => {
    const own = await (await manage('GET', `/generation?id=${ids.research}`, undefined, RESEARCH_KEY)).json();
    for (const key of [RESEARCH_KEY, LEAD, ADMIN]) {
      const response = await read(ids.research, key);
      expect([key, response.status]).toEqual([key, 200]);
      const body = await response.json();
      expect(body).toEqual(own);
      expect(generation.parse(body).data.headrace.plan).toBeDefined();
    }
  });

  it('is there for a manager of all teams right after the answer', async () => {
    const { id } = await readAnswer(await house.chat());
    expect((await read(id)).status).toBe(200);
  });

  it('K8: of another team and one that does not exist are the same 404', async () => {
    const [foreign, managed, absent] = await Promise.all([
      read(ids.testers, RESEARCH_KEY),
      read(ids.testers, LEAD),
      read('gen-000000000-0000000000000000', RESEARCH_KEY),
    ]);
    expect([foreign.status, managed.status]).toEqual([404, 404]);
    expect(await foreign.json()).toEqual(await absent.json());
  });

  it.each(["' OR '1'='1", '%', 'gen-%', 'x'.repeat(5000), 'canary-1', 'gen-000000000-0000000000000000', '鍵'])(
    'I2: is not found by hostile id number %#',
    async (id) => {
      expect((await read(id)).status).toBe(404);
      expect((await read(id, house.key)).status).toBe(404);
    },
  );
});
