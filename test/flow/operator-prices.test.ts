/** What an operator may ask for its endpoints, and what customers are charged while somebody decides. */
import { afterAll, describe, expect, it } from 'vitest';
import { createKeyPair } from '#cli/node/identity/key-pair';
import { heldPriceList } from '#schema/answers/prices';
import { joinedNode, mintedJoinToken } from '#schema/answers/operators';
import { toNanoUsd } from '#schema/money';
import { readAnswer, readError } from '#test/support/answers';
import { MODEL } from '#test/support/house';
import { joinBody } from '#test/support/join-body';
import { answer } from '#test/support/openai-scripts';
import { changed, KEYS, MANAGERS, refusal } from '#test/support/operators-house';
import { openTwoOperators } from './two-operators.ts';

const { house, alice, bob, patch, find } = await openTwoOperators();
afterAll(() => house.stop());

const priced = (prompt: number, completion = prompt) => ({ price: { prompt, completion } });
const waiting = async () => heldPriceList.parse(await (await house.manage('GET', '/prices/held')).json()).data;
const decide = async (endpoint: string, decision: 'accept' | 'reject') => {
  const held = (await waiting()).find((one) => one.endpoint === endpoint);
  return house.manage('POST', `/prices/held/${endpoint}`, { decision, seen_at: held?.seen_at });
};

describe('a price that its operator raises', () => {
  it('moves a little at once and no further: the rest waits for a manager, and the old price is charged', async () => {
    await house.register(house.wish('rises', priced(1, 2)), alice);
    expect(await changed(await patch('rises', priced(2, 4)))).toMatchObject({ price: { prompt: 2, completion: 4 }, held_price: null });
    const asked = await changed(await patch('rises', priced(3.5, 4)));
    expect(asked).toMatchObject({
      price: { prompt: 2, completion: 4 },
      held_price: { price: { prompt: 3.5, completion: 4 }, state: 'held', reason: expect.stringContaining('within a week') },
    });
    expect(await find('rises')).toMatchObject({ price: asked.price, held_price: asked.held_price });
    expect(await waiting()).toMatchObject([
      { endpoint: 'rises', feed: null, operator: 'alice', current: { prompt: 2 }, stated: { prompt: 3.5 } },
    ]);
    const audit = await (await house.manage('GET', '/audit')).text();
    expect(audit).toContain('"held_price":{"from":null,"to":{"prompt_pico_usd":3500000');
    await patch('rises', priced(3.5, 4));
    expect(await waiting()).toMatchObject([{ seen_at: asked.held_price?.asked_at }]);
  });

  it('is charged from when a manager accepts it, and no operator may', async () => {
    expect((await house.manage('GET', '/prices/held', undefined, alice)).status).toBe(403);
    expect((await decide('rises', 'accept')).status).toBe(200);
    expect(await find('rises')).toMatchObject({ price: { prompt: 3.5, completion: 4 }, held_price: null });
    // What a manager has said is settled.
    expect(await changed(await patch('rises', priced(9, 12)))).toMatchObject({ price: { prompt: 9 }, held_price: null });
  });

  it('falls at once, which withdraws what waits; and what a manager has rejected is told, and not asked again', async () => {
    await patch('rises', priced(40));
    expect(await waiting()).toHaveLength(1);
    expect(await changed(await patch('rises', priced(0.5)))).toMatchObject({ price: { prompt: 0.5, completion: 0.5 }, held_price: null });
    expect(await waiting()).toEqual([]);
    await patch('rises', priced(2));
    expect((await decide('rises', 'reject')).status).toBe(200);
    expect(await changed(await patch('rises', priced(2)))).toMatchObject({ price: { prompt: 0.5 }, held_price: { state: 'rejected' } });
    expect(await waiting()).toEqual([]);
    // Nor is anything else that a manager would have to answer, today.
    const another = await patch('rises', priced(3));
    expect([another.status, (await another.json()) as unknown]).toMatchObject([
      429,
      { error: { metadata: { until: expect.any(String) } } },
    ]);
    expect(await changed(await patch('rises', priced(0.4)))).toMatchObject({ price: { prompt: 0.4 }, held_price: null });
  });

  it('is no matter of judgement for a manager', async () => {
    expect(await changed(await patch('rises', priced(500), MANAGERS.admin))).toMatchObject({ price: { prompt: 500 }, held_price: null });
    expect(await changed(await patch('rises', priced(1, 2), MANAGERS.admin))).toMatchObject({ price: { prompt: 1 } });
  });

  it('escapes by no other way: not by registering again, not under another id, not as another model', async () => {
    const retire = (id: string) => house.manage('DELETE', `/endpoints/${id}`, undefined, bob);
    const heldBack = { price: { prompt: 1, completion: 2 }, held_price: { price: { prompt: 10 } } };
    await house.register(house.wish('flees', priced(1, 2)), bob);
    await retire('flees');
    expect(await house.register(house.wish('flees', priced(10)), bob)).toMatchObject(heldBack);
    await retire('flees');
    expect(await house.register(house.wish('flees-2', priced(10)), bob)).toMatchObject(heldBack);
    await retire('flees-2');
    await house.register(house.wish('flees-3', { ...priced(10), model: 'nobody/knows' }), bob);
    expect(await changed(await patch('flees-3', { model: MODEL }, bob))).toMatchObject(heldBack);
    // What retires asks nothing any more.
    expect((await waiting()).map(({ endpoint }) => endpoint)).toEqual(['flees-3']);
  });

  it('escapes by no leaving and joining again, whatever the node is called', async () => {
    const carol = await house.operator('carol');
    const keys = createKeyPair();
    const join = async (node: string, prompt: number) => {
      const { token } = mintedJoinToken.parse(await (await house.manage('POST', '/nodes/tokens', {}, carol)).json());
      const body = joinBody(node, { public_key: keys.publicKey });
      const models = body.models.map((model) => ({ ...model, ...priced(prompt) }));
      return house.manage('POST', '/nodes/join', { ...body, models }, token);
    };
    const joined = async (node: string, prompt: number) => joinedNode.parse(await (await join(node, prompt)).json()).data.endpoints[0];
    expect(await joined('home', 0.5)).toMatchObject({ price: { prompt: 0.5 }, held_price: null });
    expect(await joined('home', 5)).toMatchObject({ price: { prompt: 0.5 }, held_price: { price: { prompt: 5 } } });
    await house.manage('DELETE', '/nodes/home', undefined, carol);
    expect(await joined('home', 5)).toMatchObject({ price: { prompt: 0.5 }, held_price: { price: { prompt: 5 } } });
    expect(await joined('hut', 5)).toMatchObject({ price: { prompt: 0.5 }, held_price: { price: { prompt: 5 } } });
    expect(await refusal(await join('home', 0))).toMatchObject({ status: 400 });
  });
});

describe('a first price', () => {
  it.each([
    [priced(21, 2), 'price.prompt', 'at most 20 USD per million tokens, 20 times the dearest that the model is known to cost here'],
    [{ price: { prompt: 1, completion: 2, cache_read: 1.5 } }, 'price.cache_read', 'at most 1'],
    [{ price: { prompt: 1, completion: 2, request: 0.05 } }, 'price.request', 'at most 0.01 USD'],
    [{ ...priced(2000), model: 'nobody/knows-2' }, 'price.prompt', 'at most 22.5 USD per million tokens, as the dearest model here'],
  ])('(%j) that is absurd is refused with the bound, and registers nothing', async (wish, param, bound) => {
    const dora = await house.operator(`dora-${crypto.randomUUID().slice(0, 8)}`);
    const response = await house.manage('POST', '/endpoints', house.wish('absurd', wish), dora);
    expect([response.status, await readError(response)]).toEqual([
      400,
      expect.objectContaining({ param, message: expect.stringContaining(bound) }),
    ]);
    expect((await house.manage('GET', '/endpoints/absurd', undefined, dora)).status).toBe(404);
  });
});

describe('a request in flight', () => {
  it('M3: pays the price that it was planned and held at, though its endpoint is made ten times dearer meanwhile', async () => {
    house.house.upstream.script('steady', answer());
    const wish = house.wish('steady', { operator: 'alice', ...priced(1, 1), model: 'in/flight' });
    await house.register(wish, MANAGERS.admin);
    const db = await house.house.db();
    await expect.poll(async () => (await find('steady')).probed_at).not.toBeNull();
    await db.batch([
      db.prepare(
        "UPDATE registrations SET state = 'active', updated_at_ms = updated_at_ms + 1, next_probe_at_ms = 9e15 WHERE endpoint_id = 'steady'",
      ),
      db.prepare("UPDATE meta SET value = value || '+' || hex(randomblob(4)) WHERE name = 'catalogue_version'"),
    ]);
    const released = Promise.withResolvers<void>();
    house.house.upstream.script('steady', async (call, response) => {
      if (call.body['seed'] === 1) await released.promise;
      await answer({ text: 'It is so. '.repeat(20), promptTokens: 100, completionTokens: 100 })(call, response);
    });
    const chat = (seed: number) =>
      house.manage(
        'POST',
        '/chat/completions',
        { model: 'in/flight', seed, max_tokens: 200, messages: [{ role: 'user', content: 'x' }] },
        KEYS.a,
      );
    const cost = async (response: Response) => toNanoUsd((await readAnswer(response)).usage?.cost ?? NaN);
    await expect.poll(async () => (await chat(0)).status).toBe(200);
    const slow = chat(1);
    await expect.poll(() => house.house.upstream.calls.some(({ body }) => body['seed'] === 1)).toBe(true);
    await changed(await patch('steady', priced(10), MANAGERS.admin));
    await expect.poll(async () => cost(await chat(2)), { interval: 250 }).toBe(2_000_000);
    released.resolve();
    expect(await cost(await slow)).toBe(200_000);
  });
});
