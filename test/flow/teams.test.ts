import { OpenRouter } from '@openrouter/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addedCredit, teamData, teamList } from '#schema/answers/teams';
import { credits } from '#schema/answers/usage-sums';
import { readAnswer, readError } from '#test/support/answers';
import { openHouse, type House } from '#test/support/house';
import { createManager, type Manage } from '#test/support/manage';
import { answer } from '#test/support/openai-scripts';

const ADMIN = 'sk-hr-mgmt-admin-00000000000';
const LEAD = 'sk-hr-mgmt-lead-000000000000';
const KEYS = { research: 'sk-hr-research-0000000000000', prepaid: 'sk-hr-prepaid-00000000000000' };

let house: House;
let manage: Manage;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [{ id: 'rig', price: { prompt: 1, completion: 1 } }],
    manifest: {
      management_keys: [
        { name: 'admin', value: ADMIN },
        { name: 'lead', value: LEAD, team: 'research' },
      ],
      policies: { quick: { optimize: 'latency' } },
      teams: [
        { id: 'testers' },
        {
          id: 'research',
          policy: 'quick',
          budget: { usd: 20, per: 'month' },
          limits: { concurrent: 9 },
          keys: [{ name: 'ci', value: KEYS.research }],
        },
        { id: 'prepaid', keys: [{ name: 'ci', value: KEYS.prepaid }] },
        { id: 'allowance', budget: { usd: 30, per: 'total' } },
      ],
    },
  });
  house.upstream.script('rig', answer());
  manage = createManager(house.url, ADMIN);
});

afterAll(() => house.stop());

const bearer = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });

async function spend(key: string): Promise<number> {
  const { id, usage } = await readAnswer(await house.chat({}, bearer(key)));
  await house.receiptRow(id);
  return usage?.cost ?? Number.NaN;
}

const teamOf = async (id: string, by = ADMIN) => teamData.parse(await (await manage('GET', `/teams/${id}`, undefined, by)).json()).data;

describe('a team', () => {
  it('is told with its budget, what is spent and held now, its limits and keys', async () => {
    const before = await teamOf('research');
    expect(before).toMatchObject({ id: 'research', policy: 'quick', limits: { concurrent: 9 }, credits: null, keys: 1, source: 'account' });
    expect(before.budget).toMatchObject({ usd: 20, per: 'month', spent_usd: 0 });
    const costUsd = await spend(KEYS.research);
    const { budget } = await teamOf('research');
    expect(budget?.spent_usd).toBeCloseTo(costUsd, 12);
    expect(budget?.remaining_usd).toBeCloseTo(20 - costUsd - (budget?.held_usd ?? Number.NaN), 9);
    expect(Date.parse(budget?.resets_at ?? '')).toBeGreaterThan(Date.now());
    expect((await teamOf('allowance')).budget).toMatchObject({ per: 'total', resets_at: null, remaining_usd: 30 });
  });

  it('is listed with the others, by id', async () => {
    const { data } = teamList.parse(await (await manage('GET', '/teams')).json());
    expect(data.map(({ id }) => id)).toEqual(['allowance', 'prepaid', 'research', 'testers']);
    expect(await (await manage('GET', '/teams?offset=4')).json()).toEqual({ data: [] });
  });

  it('K8, K9: is all that its own manager sees', async () => {
    expect(teamList.parse(await (await manage('GET', '/teams', undefined, LEAD)).json()).data.map(({ id }) => id)).toEqual(['research']);
    expect((await teamOf('research', LEAD)).id).toBe('research');
    const [foreign, absent] = await Promise.all(['prepaid', 'nobody'].map((id) => manage('GET', `/teams/${id}`, undefined, LEAD)));
    expect([foreign?.status, absent?.status]).toEqual([404, 404]);
    expect(await foreign?.json()).toEqual(await absent?.json());
  });

  it.each(["' OR '1'='1", '%', '_', 'research%', "research'--", 'RESEARCH', 'x'.repeat(5000)])(
    'I2: is not found by hostile id number %#',
    async (id) => {
      expect((await manage('GET', `/teams/${encodeURIComponent(id)}`)).status).toBe(404);
    },
  );

  it.each(['offset=-1', 'offset=x', 'offset=9999999999999', 'limit=5', "team=' OR 1=1"])('teams?%s is a 400', async (query) => {
    const response = await manage('GET', `/teams?${query}`);
    expect([response.status, (await readError(response)).param]).toEqual([400, query.split('=')[0]]);
  });

  it('K11: is managed, and by managers only', async () => {
    for (const [path, method] of [
      ['/teams', 'GET'],
      ['/teams/research', 'GET'],
      ['/credits', 'POST'],
    ] as const) {
      const body = method === 'POST' ? { team: 'research', amount_usd: 1, id: 'x' } : undefined;
      expect([path, (await manage(method, path, body, house.key)).status]).toEqual([path, 403]);
      expect([path, (await manage(method, path, body, 'sk-hr-nobody-0000000000')).status]).toEqual([path, 401]);
    }
    expect((await manage('DELETE', '/teams/research')).status).toBe(405);
    expect((await manage('PUT', '/credits', {})).headers.get('allow')).toBe('GET, HEAD, POST, OPTIONS');
  });
});

describe('credits', () => {
  const add = (body: object, by = ADMIN) => manage('POST', '/credits', body, by);

  it('M17: are added once for each id, however often they are sent and whoever sends them at once', async () => {
    const payment = { team: 'prepaid', amount_usd: 2.5, id: 'inv-1', note: 'first' };
    const answers = await Promise.all([1, 2, 3].map(() => add(payment)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    const told = await Promise.all(answers.map(async (response) => addedCredit.parse(await response.json()).data));
    expect(told.filter(({ added }) => added)).toHaveLength(1);
    expect((await teamOf('prepaid')).credits).toEqual({ total_usd: 2.5, used_usd: 0, remaining_usd: 2.5 });
    const db = await house.db();
    const { results } = await db.prepare("SELECT object, changes FROM audit WHERE action = 'credits.add'").all();
    expect(results).toEqual([{ object: 'team:prepaid', changes: expect.stringContaining('"to":2.5') }]);
  });

  it('M17: with another amount under the same id are refused', async () => {
    const response = await add({ team: 'prepaid', amount_usd: 3, id: 'inv-1' });
    expect(response.status).toBe(409);
    expect(await readError(response)).toMatchObject({ param: 'id', metadata: { headrace_code: 'conflict' } });
    expect((await teamOf('prepaid')).credits?.total_usd).toBe(2.5);
  });

  it('bound what a prepaid team may spend, and are told in OpenRouter’s record', async () => {
    const costUsd = await spend(KEYS.prepaid);
    expect((await teamOf('prepaid')).credits).toMatchObject({ total_usd: 2.5, used_usd: costUsd });
    const manager = new OpenRouter({ apiKey: ADMIN, serverURL: `${house.url}/api/v1`, retryConfig: { strategy: 'none' } });
    await add({ team: 'prepaid', amount_usd: 0.5, id: 'inv-2' });
    const db = await house.db();
    // The journal entry comes with the next drain.
    await expect.poll(() => db.prepare("SELECT count(*) AS n FROM journal WHERE account = 'bank'").first('n')).toBe(2);
    expect(credits.parse(await (await manage('GET', '/credits')).json()).data.total_credits).toBeCloseTo(33, 9);
    expect((await manager.credits.getCredits()).data.totalCredits).toBeCloseTo(33, 9);
    expect(credits.parse(await (await manage('GET', '/credits', undefined, LEAD)).json()).data.total_credits).toBe(0);
    const sum = await db.prepare('SELECT sum(amount_nano_usd) AS n FROM journal').first('n');
    expect(sum).toBe(0);
  });

  it('stop a team that has used them up', async () => {
    const response = await add({ team: 'testers', amount_usd: 0.000_000_001, id: 'a-nano' });
    expect(response.status).toBe(201);
    const refused = await house.chat();
    expect(refused.status).toBe(402);
  });

  it.each([
    [{ amount_usd: 0 }, 'amount_usd'],
    [{ amount_usd: -1 }, 'amount_usd'],
    [{ amount_usd: 1e308 }, 'amount_usd'],
    [{ amount_usd: 9_000_001 }, 'amount_usd'],
    [{ amount_usd: 0.000_000_000_4 }, 'amount_usd'],
    [{ amount_usd: 1.000_000_000_1 }, 'amount_usd'],
    [{ amount_usd: '5' }, 'amount_usd'],
    [{ amount_usd: null }, 'amount_usd'],
    [{ amount_usd: undefined }, 'amount_usd'],
    [{ id: '' }, 'id'],
    [{ id: 'a b' }, 'id'],
    [{ id: 'x'.repeat(101) }, 'id'],
    [{ id: 'naïve' }, 'id'],
    [{ id: 5 }, 'id'],
    [{ note: 'x'.repeat(201) }, 'note'],
    [{ note: 'a\u0000b' }, 'note'],
    [{ team: '' }, 'team'],
    [{ currency: 'USD' }, 'currency'],
  ])('of %j are a 400 about %s', async (change, param) => {
    const response = await add({ team: 'prepaid', amount_usd: 1, id: 'bad', ...change });
    expect([response.status, (await readError(response)).param]).toEqual([400, param]);
  });

  it('of numbers that JSON or doubles cannot hold are a 400', async () => {
    for (const amount of ['1e999', 'NaN', 'Infinity', '-0'])
      expect([amount, (await manage('POST', '/credits', `{"team":"prepaid","id":"x","amount_usd":${amount}}`)).status]).toEqual([
        amount,
        400,
      ]);
  });

  it('of one team beyond what can be counted exactly are a 400, not an outage', async () => {
    expect((await add({ team: 'allowance', amount_usd: 9e6, id: 'big-1' })).status).toBe(201);
    const response = await add({ team: 'allowance', amount_usd: 9e6, id: 'big-2' });
    expect([response.status, (await readError(response)).param]).toEqual([400, 'amount_usd']);
  });

  it('are not for teams that do not exist, nor for managers of one team to give', async () => {
    for (const team of ['nobody', '%', "' OR '1'='1"]) expect((await add({ team, amount_usd: 1, id: 'x' })).status).toBe(404);
    expect((await add({ team: 'research', amount_usd: 1, id: 'x' }, LEAD)).status).toBe(403);
  });
});
