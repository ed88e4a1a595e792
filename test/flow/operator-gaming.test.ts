/** An operator that wants money or traffic without serving, with nothing but its key. */
import { afterAll, describe, expect, it } from 'vitest';
import { answer } from '#test/support/openai-scripts';
import { readAnswer } from '#test/support/answers';
import { changed, KEYS, MANAGERS, refusal } from '#test/support/operators-house';
import { openTwoOperators } from './two-operators.ts';

const { house, alice, bob, patch, retire } = await openTwoOperators();
afterAll(() => house.stop());

describe('one machine', () => {
  it('R6: is one endpoint, though ten register it at once under ten names', async () => {
    const one = house.wish('crowded');
    const tries = Array.from({ length: 10 }, (_, n) => house.manage('POST', '/endpoints', { ...one, id: `crowded-${n}` }, alice));
    const told = (await Promise.all(tries)).map(({ status }) => status);
    expect(told.toSorted((a, b) => a - b)).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
  });

  it('R6: is one endpoint, though two that are elsewhere move to it at once', async () => {
    await house.register(house.wish('mover-1'), alice);
    await house.register(house.wish('mover-2'), alice);
    const url = house.house.upstream.url('moved-to');
    const told = await Promise.all(['mover-1', 'mover-2'].map(async (id) => (await patch(id, { url })).status));
    expect(told.toSorted((a, b) => a - b)).toEqual([200, 409]);
  });
});

describe('a price', () => {
  it('of an endpoint that has retired is not charged for another model under its name', async () => {
    await house.register(house.wish('reborn', { model: 'nobody/dear', price: { prompt: 15, completion: 20 } }), alice);
    await retire('reborn');
    expect(await house.register(house.wish('reborn', { price: undefined }), alice)).toMatchObject({ price: null });
    const db = await house.house.db();
    const last = db.prepare(
      "SELECT prompt_pico_usd_per_token AS prompt FROM offers WHERE endpoint_id = 'reborn' ORDER BY valid_from_ms DESC",
    );
    expect(await last.first('prompt')).toBeNull();
  });

  it('of one unit is not charged for another', async () => {
    const ranks = { capabilities: ['rerank'], price: { search: 0.05 } };
    await house.register(house.wish('unit', { ...ranks, model: 'nobody/ranks' }), alice);
    const heard = await refusal(await patch('unit', { capabilities: ['rerank', 'transcription'] }));
    expect(heard).toMatchObject({ status: 400, param: 'price', message: expect.stringContaining('is required') });
    const pictures = await refusal(await patch('unit', { capabilities: ['rerank', 'images'], price: { image: 1, prompt: 0.01 } }));
    expect(pictures).toMatchObject({ status: 400, message: expect.stringContaining('make two endpoints of it') });
  });

  it('is asked for answers that come to cost nothing, by way of an operation that has none', async () => {
    const embeds = { capabilities: ['embeddings'], price: { prompt: 1 } };
    await house.register(house.wish('embeds', { ...embeds, model: 'nobody/embeds' }), alice);
    expect(await refusal(await patch('embeds', { capabilities: [] }))).toMatchObject({ status: 400, param: 'price.completion' });
  });
});

describe('a manager’s word', () => {
  it('is for one address: on another path of its host the endpoint proves itself and has nobody’s word', async () => {
    await house.register(house.wish('trusted', { operator: 'bob' }), MANAGERS.admin);
    await expect
      .poll(async () => (await house.manage('GET', '/endpoints/trusted')).json(), { timeout: 20_000 })
      .toMatchObject({ data: { probed_at: expect.any(String) } });
    const url = house.house.upstream.url('somebody-else');
    const moved = await changed(await patch('trusted', { url }, bob));
    expect(moved).toMatchObject({ state: 'pending', vouched: null, challenge: { url: expect.stringContaining('/.well-known/headrace/') } });
  });
});

describe('what an operator reports', () => {
  it('M14: is charged as far as its answer shows it, and it earns no more', async () => {
    const { house: router } = house;
    router.upstream.script('greedy', answer({ text: 'Yes.', promptTokens: 90_000_000, completionTokens: 90_000_000 }));
    await house.register(house.wish('greedy', { model: 'nobody/greedy' }), alice);
    const db = await router.db();
    await db.batch([
      db.prepare(
        "UPDATE registrations SET state = 'active', updated_at_ms = updated_at_ms + 1, next_probe_at_ms = 9e15 WHERE endpoint_id = 'greedy'",
      ),
      db.prepare("UPDATE meta SET value = value || '+' || hex(randomblob(4)) WHERE name = 'catalogue_version'"),
    ]);
    const body = { model: 'nobody/greedy', max_tokens: 500, messages: [{ role: 'user', content: 'Is it?' }] };
    const chat = () => house.manage('POST', '/chat/completions', body, KEYS.a);
    await expect.poll(async () => (await chat()).status).toBe(200);
    const { id, usage } = await readAnswer(await chat());
    expect(usage).toMatchObject({ completion_tokens: 1, headrace: { source: 'counted' } });
    await router.receiptRow(id);
    const cost = db.prepare('SELECT cost_nano_usd AS cost FROM attempts WHERE receipt_id = ?1').bind(id).first<number>('cost');
    expect(await cost).toBeLessThan(100_000);
  });
});
