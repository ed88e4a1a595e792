import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clientName } from '#test/support/client-name';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer, event, openStream, sendJson } from '#test/support/openai-scripts';
import { generationIdOf, readReceiptRows } from '#test/support/receipts';
import { AUDIO, PICTURE, scriptUnits, UNIT_ENDPOINTS, unitModel, vectorOf } from '#test/support/unit-endpoints';
import type { Script } from '#test/support/scripted-upstream';

const RAW = 'test/raw-1';

let house: House;
let client: OpenAI;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [{ id: 'plain' }, { id: 'raw', model: RAW, capabilities: ['completion'] }, ...UNIT_ENDPOINTS],
  });
  client = new OpenAI({ apiKey: house.key, baseURL: `${house.url}/v1`, maxRetries: 0 });
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('plain', answer());
  house.upstream.script('raw', continueText);
  scriptUnits(house.upstream);
});

/** Completes `Once` with ` upon a time`. */
const continueText: Script = ({ body }, response) => {
  const choice = (text: string, finish: string | null) => ({ index: 0, text, logprobs: null, finish_reason: finish });
  const usage = { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 };
  const head = { id: 'cmpl-upstream', object: 'text_completion', created: 1, model: 'upstream-model' };
  if (body['stream'] !== true) return sendJson(response, 200, { ...head, choices: [choice(' upon a time', 'stop')], usage });
  openStream(response);
  for (const word of [' upon', ' a', ' time']) response.write(event({ ...head, choices: [choice(word, null)] }));
  response.end(event({ ...head, choices: [choice('', 'stop')] }) + event({ ...head, choices: [], usage }) + event('[DONE]'));
  return undefined;
};

const sent = (): Record<string, unknown> => house.upstream.calls.at(-1)?.body ?? {};
const receiptOf = (response: Response) => readReceiptRows(house, generationIdOf(response));

describe(clientName('openai'), () => {
  describe('completions.create', () => {
    it('a raw prompt at an endpoint that completes text', async () => {
      const completion = await client.completions.create({ model: RAW, prompt: 'Once', suffix: '.', echo: false, max_tokens: 9 });
      expect(completion).toMatchObject({ object: 'text_completion', choices: [{ index: 0, text: ' upon a time', finish_reason: 'stop' }] });
      expect(completion.usage).toMatchObject({ total_tokens: 17, cost: 0.000022 });
      expect(house.upstream.calls.at(-1)?.path).toBe('/v1/completions');
      expect(sent()).toMatchObject({ prompt: 'Once', suffix: '.', max_tokens: 9 });
    });

    it('a prompt at an endpoint that only chats', async () => {
      const { choices } = await client.completions.create({ model: MODEL, prompt: 'Say hello.' });
      expect(choices[0]?.text).toBe('Hello there.');
      expect(sent()['messages']).toEqual([{ role: 'user', content: 'Say hello.' }]);
    });

    for (const [model, text] of [
      [RAW, ' upon a time'],
      [MODEL, 'Hello there.'],
    ] as const)
      it(`a stream: ${model === RAW ? 'completed' : 'chatted'}`, async () => {
        const stream = await client.completions.create({ model, prompt: 'Once', stream: true, stream_options: { include_usage: true } });
        const chunks: OpenAI.Completion[] = [];
        for await (const one of stream) chunks.push(one);
        expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe(text);
        expect(chunks.filter(({ usage }) => usage)).toEqual([chunks.at(-1)]);
        expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 17, cost: 0.000022 } });
      });
  });

  describe('embeddings.create', () => {
    const model = unitModel('embedder');

    it('one text; the client asks for base64 and decodes it', async () => {
      const { data, usage } = await client.embeddings.create({ model, input: 'Hello' });
      expect(data).toEqual([{ object: 'embedding', index: 0, embedding: vectorOf('Hello') }]);
      expect(usage).toMatchObject({ prompt_tokens: 8, total_tokens: 8, cost: 0.000008 });
    });

    it('several texts as floats, with dimensions', async () => {
      const { data } = await client.embeddings.create({ model, input: ['a', 'bcd'], encoding_format: 'float', dimensions: 3 });
      expect(data.map(({ embedding }) => embedding)).toEqual([vectorOf('a'), vectorOf('bcd')]);
      expect(sent()).toMatchObject({ model: 'echo-1-upstream', input: ['a', 'bcd'], dimensions: 3 });
    });

    it('token arrays', async () => {
      const { data } = await client.embeddings.create({ model, input: [[1, 2, 3], [4]] });
      expect(data.map(({ embedding }) => embedding)).toEqual([vectorOf([1, 2, 3]), vectorOf([4])]);
    });
  });

  describe('images.generate', () => {
    it('two pictures, charged by the piece', async () => {
      const { data, response } = await client.images
        .generate({ model: unitModel('painter'), prompt: 'A red fox.', n: 2, size: '256x256', response_format: 'b64_json' })
        .withResponse();
      expect(data.data?.map(({ b64_json: picture }) => picture)).toEqual([PICTURE, PICTURE]);
      expect(sent()).toMatchObject({ prompt: 'A red fox.', n: 2, size: '256x256' });
      expect(await receiptOf(response)).toMatchObject({ state: 'completed', chargedNanoUsd: 80_000_000 });
    });
  });

  describe('audio.speech.create', () => {
    it('bytes as they come, charged by the character', async () => {
      const response = await client.audio.speech.create({ model: unitModel('speaker'), input: 'Hello there.', voice: 'alloy' });
      expect(response.headers.get('content-type')).toBe('audio/mpeg');
      expect(Buffer.from(await response.arrayBuffer())).toEqual(AUDIO);
      expect(sent()).toMatchObject({ input: 'Hello there.', voice: 'alloy' });
      expect(await receiptOf(response)).toMatchObject({ state: 'completed', chargedNanoUsd: 180_000 });
    });
  });

  describe('audio.transcriptions.create', () => {
    it('a file, charged by the second', async () => {
      const file = await toFile(AUDIO, 'hello.mp3', { type: 'audio/mpeg' });
      const { data, response } = await client.audio.transcriptions
        .create({ model: unitModel('listener'), file, language: 'en' })
        .withResponse();
      expect(data.text).toBe('Hello there.');
      const call = house.upstream.calls.at(-1);
      expect(call?.headers['content-type']).toMatch(/^multipart\/form-data/);
      expect(call?.bytes.includes(AUDIO)).toBe(true);
      expect(call?.bytes.toString('latin1')).toMatch(/name="model"\r\n\r\necho-1-upstream\r\n/);
      expect(await receiptOf(response)).toMatchObject({ state: 'completed', chargedNanoUsd: 400_000 });
    });
  });

  describe('models.list', () => {
    it('has the models that generate text', async () => {
      const ids: string[] = [];
      for await (const model of client.models.list()) ids.push(model.id);
      expect(ids).toEqual(expect.arrayContaining([MODEL, RAW]));
    });
  });

  describe('models.retrieve', () => {
    it('one model by its name, whatever it makes', async () => {
      expect(await client.models.retrieve(MODEL)).toMatchObject({ id: MODEL, object: 'model', owned_by: 'test' });
      expect(await client.models.retrieve(unitModel('embedder'))).toMatchObject({ id: unitModel('embedder') });
    });
  });
});
