import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readAnswer, readError, type ClientUsage } from '#test/support/answers';
import {
  bearer,
  GPT,
  HELD,
  HOUSE_KEY,
  KEYLESS,
  KEYS,
  LIST,
  only,
  openByokHouse,
  ownKey,
  SPARE,
  type ByokHouse,
} from '#test/support/byok-house';
import { ask, readSaid, type Api, type Json } from '#test/support/conversations';
import { engine } from '#test/support/engine';
import type { House } from '#test/support/house';
import { answer, sendJson } from '#test/support/openai-scripts';

let byok: ByokHouse;
let house: House;
let authorizations: ByokHouse['authorizations'];
let chatAs: ByokHouse['chatAs'];

beforeAll(async () => {
  byok = await openByokHouse();
  ({ house, authorizations, chatAs } = byok);
});
afterAll(() => house.stop());
beforeEach(() => byok.reset());

const nanoUsd = (usd: unknown) => Math.round(Number(usd) * 1e9);

async function generationOf(key: string, id: string): Promise<Json & { headrace: Json }> {
  const response = await house.get(`/v1/generation?id=${id}`, bearer(key));
  return ((await response.json()) as { data: Json & { headrace: Json } }).data;
}

describe('a team with its own key', () => {
  it('is served with it, pays nothing here, and is told what it pays there; others go on with the house’s', async () => {
    const key = await byok.bring({ provider: HELD.id, key: ownKey('first'), team: 'a', name: 'ours' });
    expect(key).toMatchObject({ label: 'vk-...rst', workspace_id: 'a', headrace: { origin: HELD.origin } });

    const own = await readAnswer(await chatAs(KEYS.a, only(HELD.id)));
    const others = await readAnswer(await chatAs(KEYS.b, only(HELD.id)));
    expect(authorizations(HELD.id)).toEqual([`Bearer ${ownKey('first')}`, `Bearer ${HOUSE_KEY}`]);
    const listNanoUsd = 100 * LIST.prompt + 10 * LIST.completion;
    const { cost, ...usage } = own.usage as ClientUsage & { is_byok: boolean; cost_details: Record<string, number> };
    expect(cost).toBe(0);
    expect(usage.is_byok).toBe(true);
    expect(Object.values(usage.cost_details).map(nanoUsd)).toEqual([listNanoUsd, 100 * LIST.prompt, 10 * LIST.completion]);
    expect(others.usage).toMatchObject({ is_byok: false, cost: listNanoUsd / 1e9 });

    const record = await generationOf(KEYS.a, own.id);
    expect(record).toMatchObject({ is_byok: true, total_cost: 0, upstream_inference_cost: listNanoUsd / 1e9 });
    expect(record.headrace).toMatchObject({
      charged_nano_usd: 0,
      absorbed_nano_usd: 0,
      held_nano_usd: 0,
      byok_nano_usd: listNanoUsd,
      attempts: [{ byok: true, cost: 0 }],
    });
    expect(await generationOf(KEYS.b, others.id)).toMatchObject({ is_byok: false, upstream_inference_cost: null });

    expect(await house.receiptRow(own.id)).toMatchObject({ charged_nano_usd: 0, byok_nano_usd: listNanoUsd });
    expect(await house.receiptRow(others.id)).toMatchObject({ charged_nano_usd: listNanoUsd, byok_nano_usd: null });
    const db = await house.db();
    expect(await db.prepare("SELECT count(*) AS n FROM journal WHERE account = 'team:a' AND amount_nano_usd <> 0").first('n')).toBe(0);
    const ownUsage = (await (await byok.manage('GET', '/key', undefined, KEYS.a)).json()) as { data: Json };
    expect(ownUsage.data).toMatchObject({ usage: 0, byok_usage: listNanoUsd / 1e9, byok_usage_daily: listNanoUsd / 1e9 });
  });

  it.each(['responses', 'messages', 'completions'] as const)('is told so by %s, whole and streamed', async (api: Api) => {
    for (const stream of [false, true]) {
      const said = await readSaid(api, await ask(house, api, { ...only(HELD.id), stream }, bearer(KEYS.a)));
      const usage = said.body['usage'] as Json & { cost_details: Json };
      expect([usage['is_byok'], usage['cost']]).toEqual([true, 0]);
      expect(nanoUsd(usage.cost_details['upstream_inference_cost'])).toBe(100 * LIST.prompt + 10 * LIST.completion);
    }
    expect(new Set(authorizations(HELD.id))).toEqual(new Set([`Bearer ${ownKey('first')}`]));
  });

  it('is told so in OpenRouter’s explanation of the route', async () => {
    const asked = async (key: string) => {
      const response = await house.chat(only(HELD.id), { headers: { authorization: `Bearer ${key}`, 'x-openrouter-metadata': 'enabled' } });
      return (await readAnswer(response)).events[0]?.openrouter_metadata?.['is_byok'];
    };
    expect([await asked(KEYS.a), await asked(KEYS.b)]).toEqual([true, false]);
  });

  it('K1: at the provider’s own address only: an endpoint under its name elsewhere has its own key', async () => {
    house.upstream.script('posing', answer());
    await readAnswer(await chatAs(KEYS.a, { model: 'test/posing' }));
    expect(authorizations('posing')).toEqual(['Bearer posing-key-0123456789']);
  });

  it('K4: that its upstream repeats in an error is scrubbed of it', async () => {
    house.upstream.script(HELD.id, (call, response) =>
      sendJson(response, 400, { error: { message: `bad request by ${call.headers.authorization} (${ownKey('first')})` } }),
    );
    const refused = await chatAs(KEYS.a, only(HELD.id));
    expect(refused.status).toBe(400);
    const { message } = await readError(refused);
    expect(message).toContain('bad request by');
    expect(message).not.toContain('zanzibar');
  });

  it('R9: that is refused upstream loses that key and nothing else; nobody else loses anything', async () => {
    const { id } = await byok.bring({ provider: KEYLESS.id, key: ownKey('revoked'), team: 'a' });
    await byok.bring({ provider: KEYLESS.id, key: ownKey('good'), team: 'b' });
    house.upstream.script(KEYLESS.id, (call, response) =>
      call.headers.authorization?.includes('revoked') === true
        ? sendJson(response, 401, { error: { message: `Incorrect API key provided: ${ownKey('revoked')}` } })
        : answer()(call, response),
    );
    const order = { model: GPT, provider: { order: [KEYLESS.id, 'spare'], only: [KEYLESS.id, 'spare'] } };
    const first = await readAnswer(await chatAs(KEYS.a, order));
    expect((await generationOf(KEYS.a, first.id)).headrace).toMatchObject({
      endpoint: 'spare',
      byok_nano_usd: null,
      attempts: [
        { byok: true, failure: { kind: 'credential' }, cost: 0 },
        { byok: false, outcome: 'completed' },
      ],
    });
    await readAnswer(await chatAs(KEYS.a, order));
    expect(house.upstream.callsTo(KEYLESS.id)).toHaveLength(1);
    const alone = await chatAs(KEYS.a, only(KEYLESS.id));
    expect([alone.status, alone.headers.get('retry-after')]).toEqual([503, '60']);
    expect((await chatAs(KEYS.b, only(KEYLESS.id))).status).toBe(200);

    await byok.change(id, { key: ownKey('renewed') });
    expect((await chatAs(KEYS.a, only(KEYLESS.id))).status).toBe(200);
    expect(authorizations(KEYLESS.id).at(-1)).toBe(`Bearer ${ownKey('renewed')}`);
  });

  it('can ask a provider that the house has no key for; others cannot', async () => {
    expect((await chatAs(KEYS.a, only(KEYLESS.id))).status).toBe(200);
    expect((await chatAs(KEYS.poor, only(KEYLESS.id))).status).toBe(404);
    const callable = async (key: string) => {
      const response = await house.get(`/v1/models/${GPT}/endpoints`, bearer(key));
      const { data } = (await response.json()) as { data: { endpoints: { tag: string; headrace: { callable: boolean } }[] } };
      return data.endpoints.find(({ tag }) => tag === KEYLESS.id)?.headrace.callable;
    };
    expect([await callable(KEYS.a), await callable(KEYS.poor)]).toEqual([true, false]);
  });

  it('M1: needs no budget for what it pays itself', async () => {
    expect((await chatAs(KEYS.poor, only(HELD.id))).status).toBe(402);
    await byok.bring({ provider: HELD.id, key: ownKey('thrifty'), team: 'poor' });
    const served = await readAnswer(await chatAs(KEYS.poor, { ...only(HELD.id), stream: true }));
    expect(served.text).toBe('Hello there.');
    expect((await generationOf(KEYS.poor, served.id)).headrace).toMatchObject({ held_nano_usd: 0, charged_nano_usd: 0 });
    // The dearest candidate that would be charged is held for.
    expect((await chatAs(KEYS.poor, only(HELD.id, 'spare'))).status).toBe(402);
  });
});

describe('an answer that changes hands', () => {
  const TEXT = 'It is so, we go up to it all.';
  const inOrder = (...ids: string[]) => ({ model: GPT, stream: true, provider: { order: ids, only: ids } });

  it('M6: that its own key began and the house went on with charges what the house’s part said', async () => {
    house.upstream.script(HELD.id, engine(TEXT, { diesAfter: 3 }));
    house.upstream.script('spare', engine(TEXT, { promptTokens: 15 }));
    const said = await readAnswer(await chatAs(KEYS.a, inOrder(HELD.id, 'spare')));
    expect(said.text).toBe(TEXT);
    const { headrace } = await generationOf(KEYS.a, said.id);
    expect(headrace).toMatchObject({
      charged_nano_usd: 6 * SPARE.completion,
      absorbed_nano_usd: 15 * SPARE.prompt,
      byok_nano_usd: 12 * LIST.prompt + 3 * LIST.completion,
      attempts: [{ byok: true }, { byok: false, role: 'resume' }],
    });
    expect(said.usage).toMatchObject({ is_byok: true, cost: (6 * SPARE.completion) / 1e9 });
  });

  it('M6: that its own key was to answer and the house did charges all of it', async () => {
    house.upstream.script(HELD.id, (_, response) => sendJson(response, 500, { error: { message: 'boom' } }));
    const said = await readAnswer(await chatAs(KEYS.a, inOrder(HELD.id, 'spare')));
    expect(said.usage).toMatchObject({ is_byok: false, cost: (100 * SPARE.prompt + 10 * SPARE.completion) / 1e9 });
    expect((await generationOf(KEYS.a, said.id)).headrace).toMatchObject({ byok_nano_usd: null, absorbed_nano_usd: 0 });
  });

  it('M6: that the house was to answer and its own key did charges nothing', async () => {
    house.upstream.script('spare', (_, response) => sendJson(response, 500, { error: { message: 'boom' } }));
    const said = await readAnswer(await chatAs(KEYS.a, inOrder('spare', HELD.id)));
    expect(said.usage).toMatchObject({ is_byok: true, cost: 0 });
    expect((await generationOf(KEYS.a, said.id)).headrace).toMatchObject({
      charged_nano_usd: 0,
      byok_nano_usd: 100 * LIST.prompt + 10 * LIST.completion,
    });
  });
});
