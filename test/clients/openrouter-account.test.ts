import { OpenRouter } from '@openrouter/sdk';
import * as errors from '@openrouter/sdk/models/errors';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { caught } from '#test/support/caught';
import { clientName } from '#test/support/client-name';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';
import { UNIT_ENDPOINTS, unitModel } from '#test/support/unit-endpoints';

const MANAGEMENT_KEY = 'sk-hr-mgmt-0000000000000000';
const RETAINING = 'test/retaining';

let house: House;
let client: OpenRouter;
let manager: OpenRouter;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [
      { id: 'plain', supply: 'selfhosted', data_policy: { trains: false, retention_days: 0, source: 'contract' } },
      { id: 'retaining', model: RETAINING, price: { prompt: 5, completion: 9 }, context: 1000, max_output: 500 },
      ...UNIT_ENDPOINTS,
    ],
    manifest: { aliases: { 'gpt-echo': MODEL }, management_keys: [{ name: 'manager', value: MANAGEMENT_KEY }] },
  });
  client = clientOf(house.key);
  manager = clientOf(MANAGEMENT_KEY);
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('plain', answer());
});

function clientOf(apiKey: string): OpenRouter {
  return new OpenRouter({ apiKey, serverURL: `${house.url}/api/v1`, retryConfig: { strategy: 'none' } });
}

const [author, slug] = MODEL.split('/') as [string, string];
const say = (from: OpenRouter) => from.chat.send({ chatRequest: { model: MODEL, messages: [{ role: 'user', content: 'Say hello.' }] } });

/** Ids of all pages. */
async function idsOf(pages: AsyncIterable<{ result: { data: { id: string }[] } }>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { result } of pages) ids.push(...result.data.map(({ id }) => id));
  return ids.toSorted();
}

describe(clientName('@openrouter/sdk'), () => {
  describe('models.list', () => {
    it('the models that generate text, with their prices', async () => {
      expect(await idsOf(await client.models.list())).toEqual([MODEL, RETAINING].toSorted());
      for await (const { result } of await client.models.list({ q: 'echo' }))
        expect(result.data).toMatchObject([{ id: MODEL, pricing: { prompt: '0.000001', completion: '0.000002' }, contextLength: 32_768 }]);
    });

    it('everything, page by page', async () => {
      const all = await idsOf(await client.models.list({ outputModalities: 'all', limit: 2 }));
      expect(all).toEqual([MODEL, RETAINING, ...UNIT_ENDPOINTS.map(({ id }) => `test/${id}`)].toSorted());
    });

    it('filtered by parameters, price, context and privacy', async () => {
      expect(await idsOf(await client.models.list({ supportedParameters: 'tools', maxPrice: 2 }))).toEqual([MODEL]);
      expect(await idsOf(await client.models.list({ context: 8000 }))).toEqual([MODEL]);
      expect(await idsOf(await client.models.list({ zdr: 'true' }))).toEqual([MODEL]);
      expect(await idsOf(await client.models.list({ outputModalities: 'rerank' }))).toEqual([unitModel('reranker')]);
    });

    it('sorted by price', async () => {
      const ids: string[] = [];
      for await (const { result } of await client.models.list({ sort: 'pricing-high-to-low' }))
        ids.push(...result.data.map(({ id }) => id));
      expect(ids).toEqual([RETAINING, MODEL]);
    });
  });

  describe('models.count', () => {
    it('as many as are listed', async () => {
      expect(await client.models.count()).toMatchObject({ data: { count: 2 } });
      expect(await client.models.count({ outputModalities: 'all' })).toMatchObject({ data: { count: 2 + UNIT_ENDPOINTS.length } });
    });
  });

  describe('models.get', () => {
    it('one model', async () => {
      expect(await client.models.get({ author, slug })).toMatchObject({
        data: { id: MODEL, architecture: { outputModalities: ['text'] } },
      });
    });

    it('NotFoundResponseError for an unknown one', async () => {
      expect(await caught(client.models.get({ author, slug: 'none' }))).toBeInstanceOf(errors.NotFoundResponseError);
    });
  });

  describe('models.listForUser', () => {
    it('the models that the key may call', async () => {
      expect(await idsOf(await client.models.listForUser({ bearer: house.key }))).toEqual([MODEL, RETAINING].toSorted());
    });
  });

  describe('endpoints.list', () => {
    it('the endpoints of a model with their terms', async () => {
      expect(await client.endpoints.list({ author, slug })).toMatchObject({
        data: {
          id: MODEL,
          endpoints: [
            { modelId: MODEL, tag: 'selfhosted', contextLength: 32_768, pricing: { prompt: '0.000001', completion: '0.000002' } },
          ],
        },
      });
    });
  });

  describe('endpoints.listZdrEndpoints', () => {
    it('those that keep nothing, and no others', async () => {
      const { data } = await client.endpoints.listZdrEndpoints();
      expect(data.map(({ modelId }) => modelId)).toEqual([MODEL]);
    });
  });

  describe('providers.list', () => {
    it('the suppliers of the catalogue', async () => {
      const { data } = await client.providers.list();
      expect(data.map(({ slug: provider }) => provider)).toContain('selfhosted');
    });
  });

  describe('generations.getGeneration', () => {
    it('a generation as soon as its answer has ended', async () => {
      const result = await say(client);
      if (!('id' in result)) throw new Error('expected a whole answer');
      expect(await client.generations.getGeneration({ id: result.id })).toMatchObject({
        data: { id: result.id, model: MODEL, nativeTokensPrompt: 12, nativeTokensCompletion: 5, totalCost: 0.000022, streamed: false },
      });
    });

    it('NotFoundResponseError for an unknown one', async () => {
      expect(await caught(client.generations.getGeneration({ id: 'gen-none' }))).toBeInstanceOf(errors.NotFoundResponseError);
    });
  });

  describe('apiKeys', () => {
    it('getCurrentKeyMetadata: what the key may and has used', async () => {
      expect(await client.apiKeys.getCurrentKeyMetadata()).toMatchObject({ data: { isManagementKey: false, limit: null } });
      expect(await manager.apiKeys.getCurrentKeyMetadata()).toMatchObject({ data: { isManagementKey: true } });
    });

    it('create, get, list, use, update, delete', async () => {
      const { data, key } = await manager.apiKeys.create({ requestBody: { name: 'app', limit: 2, limitReset: 'daily' } });
      expect(data).toMatchObject({ name: 'app', limit: 2, limitReset: 'daily', disabled: false });
      expect(JSON.stringify(data)).not.toContain(key);
      const { hash } = data;
      expect(await manager.apiKeys.get({ hash })).toMatchObject({ data: { hash, name: 'app' } });
      expect((await manager.apiKeys.list()).data.map(({ name }) => name)).toContain('app');
      expect(await say(clientOf(key))).toMatchObject({ choices: [{ message: { content: 'Hello there.' } }] });
      expect(await manager.apiKeys.update({ hash, requestBody: { disabled: true, limit: null } })).toMatchObject({
        data: { disabled: true, limit: null },
      });
      expect(await caught(say(clientOf(key)))).toBeInstanceOf(errors.UnauthorizedResponseError);
      expect(await manager.apiKeys.delete({ hash })).toEqual({ deleted: true });
      expect(await caught(manager.apiKeys.get({ hash }))).toBeInstanceOf(errors.NotFoundResponseError);
    });

    it('ForbiddenResponseError for a key that does not manage, and for one that only manages', async () => {
      expect(await caught(client.apiKeys.create({ requestBody: { name: 'app' } }))).toMatchObject({ statusCode: 403 });
      expect(await caught(say(manager))).toBeInstanceOf(errors.ForbiddenResponseError);
    });
  });

  describe('credits.getCredits', () => {
    it('what was given and what is used, for a management key', async () => {
      expect(await manager.credits.getCredits()).toMatchObject({
        data: { totalCredits: expect.any(Number), totalUsage: expect.any(Number) },
      });
    });
  });

  describe('analytics.getUserActivity', () => {
    it('the last 30 completed days, for a management key', async () => {
      expect(await manager.analytics.getUserActivity()).toEqual({ data: [] });
    });
  });
});
