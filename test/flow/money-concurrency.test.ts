import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readAnswer, readError } from '#test/support/answers';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';

const CROWD_KEY = 'sk-hr-crowd-0000000000000000';
const TIGHT_KEY = 'sk-hr-tight-0000000000000000';
const BUDGET_NANO_USD = 1_000_000;
/** 7 prompt tokens at 1 and 50 of output at 2 USD per million tokens. */
const COST_NANO_USD = 107_000;
const PLAIN = { id: 'plain', price: { prompt: 1, completion: 2 }, max_concurrency: 500 };

let house: House;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [PLAIN],
    manifest: {
      teams: [
        { id: 'testers' },
        { id: 'crowd', keys: [{ name: 'crowd', value: CROWD_KEY }] },
        { id: 'tight', budget: { usd: 0.001, per: 'day' }, keys: [{ name: 'tight', value: TIGHT_KEY }] },
      ],
    },
  });
});

afterAll(() => house.stop());
beforeEach(() => house.upstream.reset());

const bearer = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });
const toNanoUsd = (usd: number | undefined): number => Math.round((usd ?? Number.NaN) * 1e9);

function number(sql: string, ...bindings: unknown[]): Promise<number> {
  return house.db().then(
    async (db) =>
      (await db
        .prepare(sql)
        .bind(...bindings)
        .first<number>('n')) ?? 0,
  );
}

/** Waits until D1 has this many receipts of a team. */
async function drained(team: string, receipts: number): Promise<void> {
  await expect.poll(() => number('SELECT count(*) AS n FROM receipts WHERE team_id = ?1', team)).toBe(receipts);
}

describe('many requests at once', () => {
  const REQUESTS = 200;

  it('every receipt of 200 reaches D1 exactly once, and what was charged is what the answers said', async () => {
    house.upstream.script('plain', (call, response) =>
      answer({ promptTokens: 7, completionTokens: Number(call.body['max_tokens']) })(call, response),
    );
    const answers = await Promise.all(
      Array.from({ length: REQUESTS }, async (_, index) =>
        readAnswer(await house.chat({ model: MODEL, max_tokens: index + 1, stream: index % 2 === 0 }, bearer(CROWD_KEY))),
      ),
    );
    const expected = answers.reduce((sum, { usage }) => sum + toNanoUsd(usage?.cost), 0);
    expect(expected).toBe(REQUESTS * 7000 + 2000 * ((REQUESTS * (REQUESTS + 1)) / 2));

    await drained('crowd', REQUESTS);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(REQUESTS);
    expect(await number("SELECT sum(charged_nano_usd) AS n FROM receipts WHERE team_id = 'crowd'")).toBe(expected);
    expect(await number("SELECT count(*) AS n FROM attempts JOIN receipts ON receipts.id = receipt_id WHERE team_id = 'crowd'")).toBe(
      REQUESTS,
    );
    // The journal is posted once a batch: a batch that counted twice would show here.
    expect(await number("SELECT sum(amount_nano_usd) AS n FROM journal WHERE account = 'team:crowd'")).toBe(-expected);
    expect(
      await number('SELECT count(*) AS n FROM (SELECT sum(amount_nano_usd) AS total FROM journal GROUP BY batch_id HAVING total <> 0)'),
    ).toBe(0);
  });

  it('R13: receipts that D1 refuses are kept and arrive when it is back; requests notice nothing', async () => {
    house.upstream.script('plain', answer({ promptTokens: 10, completionTokens: 10 }));
    const db = await house.db();
    const before = await number("SELECT count(*) AS n FROM receipts WHERE team_id = 'crowd'");
    await db.prepare('ALTER TABLE attempts RENAME TO attempts_away').run();
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => readAnswer(await house.chat({ model: MODEL }, bearer(CROWD_KEY)))),
    );
    // Longer than the first drain takes to come and fail.
    await pause(1500);
    expect(await number("SELECT count(*) AS n FROM receipts WHERE team_id = 'crowd'")).toBe(before);
    const kept = await house.get(`/v1/generation?id=${answers[0]?.id}`, bearer(CROWD_KEY));
    expect(kept.status).toBe(200);
    await kept.body?.cancel();

    await db.prepare('ALTER TABLE attempts_away RENAME TO attempts').run();
    await drained('crowd', before + answers.length);
    expect(
      await number('SELECT count(*) AS n FROM (SELECT sum(amount_nano_usd) AS total FROM journal GROUP BY batch_id HAVING total <> 0)'),
    ).toBe(0);
  });

  it('M1: a budget is never overspent, is spent nearly whole, and then says so', async () => {
    house.upstream.script('plain', async (call, response) => {
      await pause(30);
      await answer({ promptTokens: 7, completionTokens: 50 })(call, response);
    });
    const ask = () => house.chat({ model: MODEL, max_tokens: 50 }, bearer(TIGHT_KEY));
    const statuses: number[] = [];
    for (const wave of [30, 30]) {
      const responses = await Promise.all(Array.from({ length: wave }, ask));
      for (const response of responses) {
        statuses.push(response.status);
        await response.body?.cancel();
      }
    }
    const served = statuses.filter((status) => status === 200).length;
    expect(new Set(statuses)).toEqual(new Set([200, 402]));
    expect(house.upstream.calls).toHaveLength(served);
    expect(served * COST_NANO_USD).toBeLessThanOrEqual(BUDGET_NANO_USD);
    expect(served).toBeGreaterThanOrEqual(8);

    const refused = await ask();
    expect(refused.status).toBe(402);
    expect(await readError(refused)).toMatchObject({
      code: 402,
      type: 'insufficient_quota',
      metadata: { error_type: 'payment_required', headrace_code: 'insufficient_budget' },
    });
    await drained('tight', served);
    expect(await number("SELECT sum(charged_nano_usd) AS n FROM receipts WHERE team_id = 'tight'")).toBe(served * COST_NANO_USD);
  });
});

describe('a restart', () => {
  it('R14: keeps the key, the receipts and what is left of the budget', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'headrace-money-'));
    const open = async () => {
      const started = await openHouse({
        stateDir,
        endpoints: [PLAIN],
        manifest: { teams: [{ id: 'tight', budget: { usd: 0.001, per: 'total' } }] },
      });
      started.upstream.script('plain', answer({ promptTokens: 7, completionTokens: 50 }));
      return started;
    };
    try {
      const before = await open();
      // While D1 refuses them, only the account's outbox has the receipts.
      await (await before.db()).prepare('ALTER TABLE attempts RENAME TO attempts_away').run();
      const ids: string[] = [];
      for (let turn = 0; turn < 3; turn++) ids.push((await readAnswer(await before.chat({ max_tokens: 50 }))).id);
      await pause(1000);
      await before.stop();

      const after = await open();
      try {
        expect(after.key).toBe(before.key);
        const found = await Promise.all(ids.map((id) => after.get(`/v1/generation?id=${id}`)));
        expect(found.map(({ status }) => status)).toEqual([200, 200, 200]);
        await (await after.db()).prepare('ALTER TABLE attempts_away RENAME TO attempts').run();
        await Promise.all(ids.map((id) => after.receiptRow(id)));
        let served = ids.length;
        while ((await after.chat({ max_tokens: 50 })).status === 200) served++;
        expect(served * COST_NANO_USD).toBeLessThanOrEqual(BUDGET_NANO_USD);
        expect(served).toBeGreaterThanOrEqual(6);
      } finally {
        await after.stop();
      }
    } finally {
      await rm(stateDir, { recursive: true, force: true });
    }
  });
});
