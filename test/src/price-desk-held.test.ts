/** Prices that a person looks at before anybody is charged them. */
import { describe, expect, it } from 'vitest';
import { BEFORE, HOUR_MS, listOf, NOW_MS, openDesk, TOGETHER } from '#test/support/price-desk';

describe('a price that waits for a decision', () => {
  const ENDPOINT = 'together:openai/gpt-oss-120b';
  const asker = { actor: 'key-1', acceptsShorter: false };

  /** A desk where the list asks ten times what is charged, and a person is asked. */
  async function openWaiting() {
    const opened = openDesk({ [TOGETHER]: listOf(1.5) });
    expect((await opened.desk.read('together', asker)).held).toHaveLength(1);
    const [held] = await opened.desk.held();
    const accept = () => opened.desk.decide({ endpointId: ENDPOINT, seenAtMs: held?.seenAtMs ?? 0, decision: 'accepted', actor: 'key-1' });
    const charged = (): unknown[] =>
      opened.sqlite.rows(`SELECT prompt_pico_usd_per_token AS prompt, valid_from_ms FROM offers WHERE source <> 'price page'`);
    return { ...opened, accept, charged };
  }

  it.each([
    ['the manifest has taken its endpoint over', "UPDATE endpoints SET source = 'manifest'"],
    ['its endpoint is gone', 'DELETE FROM endpoints'],
    ['its feed is gone', 'DELETE FROM price_feeds'],
  ])('waits no more once %s', async (_title, sql) => {
    const { desk, sqlite, accept, charged } = await openWaiting();
    sqlite.exec(sql);
    expect(await desk.held()).toEqual([]);
    await expect(accept()).rejects.toThrow('No price of that endpoint waits');
    expect(charged()).toEqual([]);
  });

  it('is charged at once when it is accepted, though another price has been announced', async () => {
    const { sqlite, clock, accept, charged } = await openWaiting();
    const announced = { endpoint_id: ENDPOINT, valid_from_ms: NOW_MS + 24 * HOUR_MS, ...BEFORE, source: 'price page' };
    sqlite.insert('offers', announced);
    clock.nowMs += HOUR_MS;
    await accept();
    expect(charged()).toEqual([{ prompt: 1_500_000, valid_from_ms: NOW_MS + HOUR_MS }]);
  });

  const SERIES = '(WITH RECURSIVE series (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM series LIMIT 1200) SELECT value FROM series)';

  it('is found behind any number of others', async () => {
    const { desk, sqlite, accept, charged } = await openWaiting();
    sqlite.exec(`INSERT INTO endpoints SELECT 'o' || value, provider_id, operator_id, tag, supply, owner_team_id, model_id, upstream_model, url,
      dialect, key_secret, engine, hardware, quantization, kv_cache, context, max_output, max_concurrency, capabilities, jurisdiction,
      data_policy, verification, disabled, source FROM endpoints, ${SERIES}`);
    sqlite.exec(`INSERT INTO held_prices (endpoint_id, feed_id, seen_at_ms, terms, reason)
      SELECT 'o' || value, 'together', 1, '{}', 'old' FROM ${SERIES}`);
    expect(await desk.held()).toHaveLength(1000);
    await accept();
    expect(charged()).toHaveLength(1);
  });
});

describe('a list that raises its price a little at every reading', () => {
  const asker = { actor: 'key-1', acceptsShorter: false };

  it('gets no further than threefold in a week, until somebody accepts it or the week is over', async () => {
    const answers: Record<string, unknown> = {};
    const { desk, sqlite, clock } = openDesk(answers);
    const readAt = async (price: number) => {
      clock.nowMs += 6 * HOUR_MS;
      answers[TOGETHER] = listOf(price);
      const { changed, held } = await desk.read('together', asker);
      return changed.length > 0 ? 'changed' : held.length > 0 ? 'held' : 'same';
    };
    // What the price page says is as settled as what people say.
    expect([await readAt(0.3), await readAt(0.44), await readAt(0.5)]).toEqual(['changed', 'changed', 'held']);
    const [held] = await desk.held();
    await desk.decide({ endpointId: held?.endpointId ?? '', seenAtMs: held?.seenAtMs ?? 0, decision: 'accepted', actor: 'key-1' });
    expect([await readAt(1.2), await readAt(1.4), await readAt(1.6)]).toEqual(['changed', 'changed', 'held']);
    clock.nowMs += 7 * 24 * HOUR_MS;
    expect(await readAt(1.7)).toBe('changed');
    expect(sqlite.rows('SELECT * FROM held_prices WHERE decision IS NULL')).toEqual([]);
  });

  it('that goes back and forth between two near prices is followed, and one that jumps back and forth leaves one question', async () => {
    const answers: Record<string, unknown> = {};
    const { desk, sqlite, clock } = openDesk(answers);
    for (let reading = 0; reading < 20; reading++) {
      clock.nowMs += 6 * HOUR_MS;
      answers[TOGETHER] = listOf(reading % 2 === 0 ? 0.2 : 0.15);
      expect((await desk.read('together', asker)).changed).toHaveLength(1);
    }
    for (let reading = 0; reading < 20; reading++) {
      clock.nowMs += 6 * HOUR_MS;
      answers[TOGETHER] = listOf(reading % 2 === 0 ? 2 : 0.15);
      expect((await desk.read('together', asker)).changed).toEqual([]);
      expect(await desk.held()).toHaveLength(reading % 2 === 0 ? 1 : 0);
    }
    expect(sqlite.rows('SELECT * FROM held_prices')).toEqual([]);
  });

  it('asks again for another feed what a feed that is gone had asked', async () => {
    const { desk, sqlite } = openDesk({ [TOGETHER]: listOf(1.5) });
    await desk.read('together', asker);
    sqlite.exec("UPDATE held_prices SET feed_id = 'gone'");
    expect((await desk.read('together', asker)).held).toHaveLength(1);
    expect(await desk.held()).toMatchObject([{ feedId: 'together' }]);
  });
});

it('held prices that are settled are forgotten: old decisions but the last, and questions that nobody can decide any more', async () => {
  const { desk, sqlite, clock } = openDesk({});
  const DAY_MS = 24 * HOUR_MS;
  sqlite.exec("INSERT INTO price_feeds (id, source) VALUES ('together', 'card')");
  const hold = (endpoint: string, seenAtMs: number, decision: 'accepted' | 'rejected' | null, daysAgo = 0) =>
    sqlite.insert('held_prices', {
      endpoint_id: endpoint,
      feed_id: 'together',
      seen_at_ms: seenAtMs,
      terms: '{}',
      reason: 'x',
      decision,
      decided_at_ms: decision && NOW_MS - daysAgo * DAY_MS,
    });
  const ENDPOINT = 'together:openai/gpt-oss-120b';
  hold(ENDPOINT, 1, 'accepted', 200);
  hold(ENDPOINT, 2, 'rejected', 100);
  hold(ENDPOINT, 3, 'rejected', 95);
  hold('gone', 4, 'rejected', 95);
  hold('gone', 5, null);
  hold('gone', 6, 'rejected', 80);
  const kept = () => sqlite.rows('SELECT seen_at_ms AS at FROM held_prices ORDER BY at').map(({ at }) => at);
  clock.nowMs += 5 * 60_000;
  await desk.readDue();
  expect(kept()).toHaveLength(6);
  clock.nowMs += 55 * 60_000;
  hold(ENDPOINT, 7, null);
  await desk.readDue();
  expect(kept()).toEqual([3, 6, 7]);
});
