import { OpenRouter } from '@openrouter/sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clientName } from '#test/support/client-name';
import { openHouse, type House } from '#test/support/house';
import { receiptsOf } from '#test/support/receipts';
import { AUDIO, PICTURE, scriptUnits, UNIT_ENDPOINTS, unitModel, vectorOf } from '#test/support/unit-endpoints';

let house: House;
let client: OpenRouter;

beforeAll(async () => {
  house = await openHouse({ endpoints: UNIT_ENDPOINTS });
  client = new OpenRouter({ apiKey: house.key, serverURL: `${house.url}/api/v1`, retryConfig: { strategy: 'none' } });
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  scriptUnits(house.upstream);
});

const sent = (): Record<string, unknown> => house.upstream.calls.at(-1)?.body ?? {};

describe(clientName('@openrouter/sdk'), () => {
  describe('embeddings.generate', () => {
    const model = unitModel('embedder');

    it('floats with usage and cost', async () => {
      const result = await client.embeddings.generate({ requestBody: { model, input: ['a', 'bcd'], dimensions: 3 } });
      expect(result).toMatchObject({
        object: 'list',
        model,
        data: [
          { index: 0, embedding: vectorOf('a') },
          { index: 1, embedding: vectorOf('bcd') },
        ],
        usage: { promptTokens: 8, totalTokens: 8, cost: 0.000008 },
      });
      expect(sent()).toMatchObject({ input: ['a', 'bcd'], dimensions: 3 });
    });

    it('base64', async () => {
      const result = await client.embeddings.generate({ requestBody: { model, input: 'a', encodingFormat: 'base64' } });
      const encoded = Buffer.from(Float32Array.from(vectorOf('a')).buffer).toString('base64');
      expect(result).toMatchObject({ data: [{ embedding: encoded }] });
    });
  });

  describe('embeddings.listModels', () => {
    it('the models that embed, and no others', async () => {
      const ids: string[] = [];
      for await (const page of await client.embeddings.listModels()) ids.push(...page.result.data.map(({ id }) => id));
      expect(ids).toEqual([unitModel('embedder')]);
    });
  });

  describe('rerank.rerank', () => {
    it('the best first with their documents, charged by the search', async () => {
      const documents = ['short', 'the longest of them all', { text: 'not so short' }];
      const result = await client.rerank.rerank({ requestBody: { model: unitModel('reranker'), query: 'length', documents, topN: 2 } });
      expect(result).toMatchObject({
        model: unitModel('reranker'),
        results: [
          { index: 1, document: { text: 'the longest of them all' } },
          { index: 2, document: { text: 'not so short' } },
        ],
        usage: { searchUnits: 1, cost: 0.002 },
      });
      expect(sent()).toMatchObject({ query: 'length', top_n: 2 });
    });
  });

  describe('images.generate', () => {
    it('two pictures with their cost', async () => {
      const imageGenerationRequest = { model: unitModel('painter'), prompt: 'A red fox.', n: 2 };
      const result = await client.images.generate({ imageGenerationRequest });
      expect(result).toMatchObject({ data: [{ b64Json: PICTURE }, { b64Json: PICTURE }], usage: { cost: 0.08 } });
      expect(sent()).toMatchObject({ prompt: 'A red fox.', n: 2 });
    });
  });

  describe('tts.createSpeech', () => {
    it('bytes as they come, charged by the character', async () => {
      const speechRequest = { model: unitModel('speaker'), input: 'Hello there.', voice: 'alloy', responseFormat: 'mp3' as const };
      const stream = await client.tts.createSpeech({ speechRequest });
      expect(Buffer.from(await new Response(stream).arrayBuffer())).toEqual(AUDIO);
      expect(sent()).toMatchObject({ input: 'Hello there.', voice: 'alloy', response_format: 'mp3' });
      expect(await receiptsOf(house, 'speaker')).toMatchObject([{ state: 'completed', chargedNanoUsd: 180_000 }]);
    });
  });

  describe('stt.createTranscription', () => {
    it('base64 audio, charged by the second', async () => {
      const inputAudio = { data: AUDIO.toString('base64'), format: 'mp3' };
      const result = await client.stt.createTranscription({ sttRequest: { model: unitModel('listener'), inputAudio, language: 'en' } });
      expect(result).toMatchObject({ text: 'Hello there.', usage: { seconds: 4, cost: 0.0004 } });
      expect(house.upstream.calls.at(-1)?.bytes.includes(AUDIO)).toBe(true);
    });
  });

  describe('stt.createTranscriptionMultipart', () => {
    it('a file, charged by the second', async () => {
      const file = new File([AUDIO], 'hello.mp3', { type: 'audio/mpeg' });
      const result = await client.stt.createTranscriptionMultipart({ requestBody: { model: unitModel('listener'), file } });
      expect(result).toMatchObject({ text: 'Hello there.', usage: { seconds: 4, cost: 0.0004 } });
      expect(house.upstream.calls.at(-1)?.bytes.includes(AUDIO)).toBe(true);
    });
  });
});
