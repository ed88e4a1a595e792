import { afterAll, beforeAll, expect, test } from 'vitest';
import { along } from '#test/support/endpoint-pool';
import { refuse } from '#test/support/faults';
import { openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';
import { pause } from '#test/support/pause';

const OTHERS_KEY = 'sk-hr-others-00000000000000000';
const PAIR = 'test/pair';
/** The first opening of a breaker, with a quarter of jitter. */
const FIRST_OPENING_MS = 2600;
/** Isolates exchange with boards every two seconds. */
const EXCHANGE_EVERY_MS = 2100;
const POLLS = 600;

let house: House;
const lines: string[] = [];

beforeAll(async () => {
  house = await openHouse({
    endpoints: [
      { id: 'breaks' },
      { id: 'beside' },
      { id: 'busy', model: PAIR },
      { id: 'idle', model: PAIR },
      { id: 'private', model: PAIR, owner: 'testers' },
    ],
    manifest: { teams: [{ id: 'testers' }, { id: 'others', keys: [{ name: 'ci', value: OTHERS_KEY }] }] },
    log: (line) => void lines.push(line),
  });
});
afterAll(() => house.stop());

async function ask(body: Record<string, unknown>, key = house.key): Promise<number> {
  const response = await house.chat(body, { headers: { authorization: `Bearer ${key}` } });
  await response.text();
  return response.status;
}

async function rows(query: string, ...values: unknown[]): Promise<Record<string, unknown>[]> {
  const { results } = await (
    await house.db()
  )
    .prepare(query)
    .bind(...values)
    .all<Record<string, unknown>>();
  return results;
}

/** Waits until something is there. */
async function until<Found>(find: () => Promise<Found | null>): Promise<Found> {
  for (let poll = 0; poll < POLLS; poll++) {
    const found = await find();
    if (found !== null) return found;
    await pause(100);
  }
  throw new Error('it did not come about');
}

const canaryOf = (endpoint: string) =>
  until(async () => (await rows("SELECT * FROM receipts WHERE id LIKE 'canary-%' AND endpoint_id = ?1", endpoint)).at(-1) ?? null);

/** Whether routing would keep away from an endpoint now. */
async function isShut(endpoint: string): Promise<boolean> {
  const response = await fetch(`${house.url}/v1/explain`, {
    method: 'POST',
    headers: { authorization: `Bearer ${house.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'test/echo-1', messages: [{ role: 'user', content: 'hi' }] }),
  });
  const plan = (await response.json()) as { candidates: { endpoint: string; gates: string[] }[] };
  return plan.candidates.find((candidate) => candidate.endpoint === endpoint)?.gates.includes('breaker') ?? false;
}

test('R4: an endpoint that broke and came back is closed again by one canary, which the house pays', async () => {
  house.upstream.script('breaks', refuse(500));
  for (let turn = 0; turn < 2; turn++) for (const key of [house.key, OTHERS_KEY]) await ask({ stream: true, ...along(['breaks']) }, key);
  expect(await isShut('breaks')).toBe(true);
  const before = house.upstream.callsTo('breaks').length;

  // While it is open nobody asks, and what the breaker waits for is asked when the opening is over.
  await house.runJobs();
  expect(house.upstream.callsTo('breaks')).toHaveLength(before);
  house.upstream.script('breaks', answer({ promptTokens: 20, completionTokens: 1, text: 'It' }));
  await pause(FIRST_OPENING_MS);
  await house.runJobs();
  expect(house.upstream.callsTo('breaks')).toHaveLength(before + 1);
  expect(house.upstream.callsTo('breaks').at(-1)?.body).toMatchObject({ stream: true, max_tokens: 1, messages: [{ role: 'user' }] });

  const receipt = await canaryOf('breaks');
  expect(receipt).toMatchObject({ team_id: 'headrace:canaries', state: 'completed', charged_nano_usd: 0, absorbed_nano_usd: 22_000 });
  expect(await rows('SELECT role, outcome, cost_nano_usd FROM attempts WHERE receipt_id = ?1', receipt['id'])).toEqual([
    { role: 'canary', outcome: 'completed', cost_nano_usd: 22_000 },
  ]);
  expect(await rows('SELECT account, amount_nano_usd FROM journal WHERE batch_id = ?1 ORDER BY account', receipt['batch_id'])).toEqual([
    { account: 'house', amount_nano_usd: -22_000 },
    { account: 'supply:selfhosted', amount_nano_usd: 22_000 },
  ]);

  // The isolate hears of it with its next exchange; a breaker that is still half open would let one request through at a time.
  house.upstream.script('beside', answer());
  await ask({ stream: true, ...along(['beside']) });
  await pause(EXCHANGE_EVERY_MS);
  await ask({ stream: true, ...along(['beside']) });
  await pause(500);
  house.upstream.script('breaks', async (call, response) => {
    await pause(300);
    await answer()(call, response);
  });
  const crowd = Array.from({ length: 4 }, () => ask({ stream: true, ...along(['breaks']) }));
  expect(await Promise.all(crowd)).toEqual([200, 200, 200, 200]);
});

test('R8: an idle endpoint of a model with traffic gets a canary; one that belongs to a team, or has just been asked, gets none', async () => {
  for (const endpoint of ['busy', 'idle', 'private']) house.upstream.script(endpoint, answer());
  for (let turn = 0; turn < 3; turn++) expect(await ask({ model: PAIR, stream: true, ...along(['busy']) })).toBe(200);
  await until(async () => {
    await house.runJobs();
    return house.upstream.callsTo('idle').length > 0 ? true : null;
  });
  await canaryOf('idle');
  for (let turn = 0; turn < 2; turn++) {
    expect(await ask({ model: PAIR, stream: true, ...along(['busy']) })).toBe(200);
    await house.runJobs();
  }
  expect(house.upstream.callsTo('idle')).toHaveLength(1);
  expect(house.upstream.callsTo('private')).toHaveLength(0);
});

test('no team is shown or charged a canary, and roll-ups leave them out', async () => {
  await canaryOf('idle');
  expect(await rows("SELECT sum(charged_nano_usd) AS n FROM receipts WHERE key_id = 'headrace:canary'")).toEqual([{ n: 0 }]);
  expect(await rows("SELECT account FROM journal WHERE account LIKE 'team:headrace%'")).toEqual([]);
  expect(await rows('SELECT sum(amount_nano_usd) AS n FROM journal')).toEqual([{ n: 0 }]);
  await house.runJobs();
  expect(await rows("SELECT * FROM rollups WHERE endpoint_id = 'idle'")).toEqual([]);
  const [busy] = await until(async () => {
    const found = await rows(
      "SELECT sum(attempts) AS attempts, max(ttft_ms_histogram) AS histogram FROM rollups WHERE endpoint_id = 'busy'",
    );
    if (Number(found[0]?.['attempts']) === 5) return found;
    await house.runJobs();
    return null;
  });
  expect(Object.values(JSON.parse(String(busy?.['histogram'])) as Record<string, number>).length).toBeGreaterThan(0);

  const endpoints = await house.get(`/api/v1/models/${PAIR}/endpoints`);
  const { data } = (await endpoints.json()) as { data: { endpoints: { uptime_last_5m: number | null; headrace: { endpoint: string } }[] } };
  expect(Object.fromEntries(data.endpoints.map((one) => [one.headrace.endpoint, one.uptime_last_5m]))).toMatchObject({
    busy: 100,
    idle: null,
  });
  expect((await house.get(`/v1/generation?id=${String((await canaryOf('idle'))['id'])}`)).status).toBe(404);
  expect(lines.filter((line) => line.includes('job_failed'))).toEqual([]);
});
