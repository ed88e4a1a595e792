import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRandom } from '#devnet/random';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer, chunk, openStream, sendJson } from '#test/support/openai-scripts';

const REQUESTS = 10_000;
const CLIENTS = 150;
const TEAM = 'crowd';
/** By turns; the first has a budget of its own. */
const KEYS = ['sk-hr-crowd-a-00000000000000', 'sk-hr-crowd-b-00000000000000'] as const;
const TEAM_BUDGET_USD = 0.1;
const KEY_BUDGET_USD = 0.03;
const NANO_PER_USD = 1e9;

const random = createRandom(20_261_122);
const lines: string[] = [];
let house: House;

beforeAll(async () => {
  house = await openHouse({
    entry: join(import.meta.dirname, 'crowd-worker.ts'),
    log: (line) => void lines.push(line),
    endpoints: [
      { id: 'first', price: { prompt: 1, completion: 2 }, max_concurrency: 1000 },
      { id: 'second', price: { prompt: 1, completion: 2 }, max_concurrency: 1000 },
    ],
    manifest: {
      teams: [
        { id: 'testers' },
        {
          id: TEAM,
          budget: { usd: TEAM_BUDGET_USD, per: 'month' },
          keys: [
            { name: 'a', value: KEYS[0], budget: { usd: KEY_BUDGET_USD, per: 'total' } },
            { name: 'b', value: KEYS[1] },
          ],
        },
      ],
    },
  });
  for (const endpoint of ['first', 'second']) {
    house.upstream.script(endpoint, async (call, response) => {
      const seed = Number(call.body['seed']);
      const completionTokens = Number(call.body['max_tokens']);
      if (seed % 40 === 0) return sendJson(response, 500, { error: { message: 'down' } });
      if (seed % 41 === 0) {
        // Breaks after its first word.
        openStream(response);
        response.write(chunk({ role: 'assistant', content: 'one ' }));
        await pause(2);
        return void response.destroy();
      }
      await answer({ promptTokens: 7, completionTokens })(call, response);
    });
  }
});

afterAll(() => house.stop());

/** What a client got; null when it left. */
type Outcome = { request: number; status: number; generationId: string | null; costNanoUsd: number } | null;

async function ask(request: number): Promise<Outcome> {
  const leaves = random() < 0.05;
  const client = new AbortController();
  if (leaves) setTimeout(() => client.abort(), random() * 20);
  const body = { model: MODEL, seed: request, session_id: `request-${request}`, max_tokens: 5 + (request % 40), stream: request % 3 === 0 };
  try {
    const response = await house.chat(body, { signal: client.signal, headers: { authorization: `Bearer ${KEYS[request % 2]}` } });
    const text = await response.text();
    const cost = /"cost":([0-9.e-]+)/.exec(text)?.[1];
    return {
      request,
      status: response.status,
      generationId: response.headers.get('x-generation-id'),
      costNanoUsd: Math.round(Number(cost ?? 0) * NANO_PER_USD),
    };
  } catch (error) {
    if (client.signal.aborted) return null;
    throw error;
  }
}

/** Sends all requests, 150 at a time, and lets things happen on the way. */
async function sendAll(happenings: ReadonlyMap<number, () => Promise<unknown>>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (next < REQUESTS) {
        const request = (next += 1);
        await happenings.get(request)?.();
        outcomes.push(await ask(request));
      }
    }),
  );
  return outcomes;
}

async function number(sql: string, ...bindings: unknown[]): Promise<number> {
  const statement = (await house.db()).prepare(sql).bind(...bindings);
  return (await statement.first<number>('n')) ?? 0;
}

const execute = async (sql: string) => (await house.db()).prepare(sql).run();
const evict = async () => (await fetch(`${house.url}/evict?team=${TEAM}`)).text();

it('M1, M6, M10, M12, R13, R14: 10,000 requests at the edge of two budgets, while everything fails, overspend nothing and lose nothing', async () => {
  const outcomes = await sendAll(
    new Map<number, () => Promise<unknown>>([
      [300, () => execute('ALTER TABLE attempts RENAME TO attempts_away')],
      [600, evict],
      [900, evict],
      [1200, () => execute('ALTER TABLE attempts_away RENAME TO attempts')],
      [1800, evict],
    ]),
  );
  expect(outcomes).toHaveLength(REQUESTS);
  const heard = outcomes.filter((outcome) => outcome !== null);
  const statuses = Map.groupBy(heard, ({ status }) => status);

  // Everybody who was let in has a receipt, also those who left without hearing of it.
  const letIn = heard.filter(({ generationId }) => generationId !== null);
  const sessions = new Set([...house.upstream.calls.map(({ body }) => Number(body['seed'])), ...letIn.map(({ request }) => request)]);
  const names = JSON.stringify([...sessions].map((request) => `request-${request}`));
  const withReceipt = () => number('SELECT count(*) AS n FROM receipts WHERE session_id IN (SELECT value FROM json_each(?1))', names);
  await expect.poll(withReceipt).toBe(sessions.size);
  // Those of requests that ended before they were sent on are still under way.
  await pause(1500);

  const charged = await number('SELECT sum(charged_nano_usd) AS n FROM receipts WHERE team_id = ?1', TEAM);
  expect(charged).toBeLessThanOrEqual(TEAM_BUDGET_USD * NANO_PER_USD);
  const chargedToKey = await number(
    "SELECT sum(charged_nano_usd) AS n FROM receipts JOIN keys ON keys.id = key_id WHERE receipts.team_id = ?1 AND keys.name = 'a'",
    TEAM,
  );
  expect(chargedToKey).toBeLessThanOrEqual(KEY_BUDGET_USD * NANO_PER_USD);
  // Both are spent nearly whole, and only then are requests refused.
  expect(charged).toBeGreaterThan(0.9 * TEAM_BUDGET_USD * NANO_PER_USD);
  expect(chargedToKey).toBeGreaterThan(0.9 * KEY_BUDGET_USD * NANO_PER_USD);
  expect(statuses.get(402)?.length).toBeGreaterThan(REQUESTS / 10);

  // One receipt a request, and the charge that its answer told.
  expect(await number('SELECT count(*) - count(DISTINCT session_id) AS n FROM receipts WHERE team_id = ?1', TEAM)).toBe(0);
  const told = letIn.filter(({ costNanoUsd }) => costNanoUsd > 0);
  const stored = await number(
    'SELECT sum(charged_nano_usd) AS n FROM receipts WHERE id IN (SELECT value FROM json_each(?1))',
    JSON.stringify(told.map(({ generationId }) => generationId)),
  );
  expect(stored).toBe(told.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0));

  expect(await number("SELECT -sum(amount_nano_usd) AS n FROM journal WHERE account = 'team:' || ?1", TEAM)).toBe(charged);
  const unbalanced = 'SELECT count(*) AS n FROM (SELECT sum(amount_nano_usd) AS total FROM journal GROUP BY batch_id HAVING total <> 0)';
  expect(await number(unbalanced)).toBe(0);
  await house.runJobs();
  const events = lines.filter((line) => /usage_lost|ledger_drift|journal_unbalanced|reconcile_failed/.test(line));
  expect(events).toEqual([]);
});
