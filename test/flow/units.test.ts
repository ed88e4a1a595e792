/** Operations that are answered whole, end to end: routed, metered, charged, and failing as they should. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { along, createPool } from '#test/support/endpoint-pool';
import { refuse, send, socketOf } from '#test/support/faults';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer, sendJson } from '#test/support/openai-scripts';
import { generationIdOf, readReceiptRows } from '#test/support/receipts';
import type { Script } from '#test/support/scripted-upstream';
import { AUDIO, PICTURE, scriptUnits, UNIT_ENDPOINTS, unitModel, vectorOf } from '#test/support/unit-endpoints';

const VECTORS = 'test/vectors';
const VOICE = 'test/voice';
const vectors = createPool(8, { model: VECTORS, capabilities: ['embeddings'], price: { prompt: 1 } });
const voices = createPool(6, { model: VOICE, capabilities: ['speech'], price: { character: 15 } }, 'voice');

let house: House;

beforeAll(async () => {
  house = await openHouse({ endpoints: [{ id: 'plain' }, ...UNIT_ENDPOINTS, ...vectors.specs, ...voices.specs] });
});
afterAll(() => house.stop());
beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('plain', answer());
  scriptUnits(house.upstream);
});

function post(path: string, body: object | FormData, headers: Record<string, string> = {}): Promise<Response> {
  const authorization = `Bearer ${house.key}`;
  return body instanceof FormData
    ? fetch(`${house.url}/v1${path}`, { method: 'POST', headers: { authorization }, body })
    : fetch(`${house.url}/v1${path}`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
}

function recording(fields: Record<string, string>, audio: Uint8Array = AUDIO): FormData {
  const form = new FormData();
  form.append('file', new File([new Uint8Array(audio)], 'hello.mp3', { type: 'audio/mpeg' }));
  for (const [name, value] of Object.entries({ model: unitModel('listener'), ...fields })) form.append(name, value);
  return form;
}

const embed = (fields: object) => post('/embeddings', { model: VECTORS, input: 'Hello', ...fields });
const speak = (fields: object) => post('/audio/speech', { model: VOICE, input: 'Hello there.', voice: 'alloy', ...fields });
const rowOf = (response: Response) => house.receiptRow(generationIdOf(response));

describe('is answered, recorded and charged', () => {
  const SERVED: [what: string, path: string, body: object | (() => FormData), said: object, row: object][] = [
    [
      'embeddings, by the token',
      '/embeddings',
      { model: unitModel('embedder'), input: 'Hello' },
      {
        object: 'list',
        provider: 'embedder',
        data: [{ index: 0, embedding: vectorOf('Hello') }],
        usage: { prompt_tokens: 8, cost: 0.000008 },
      },
      { api: 'embeddings', prompt_tokens: 8, units: null, charged_nano_usd: 8000, usage_source: 'reported' },
    ],
    [
      'rerank, by the search',
      '/rerank',
      { model: unitModel('reranker'), query: 'q', documents: ['short', { text: 'a longer document' }] },
      {
        results: [
          { index: 1, document: { text: 'a longer document' } },
          { index: 0, document: { text: 'short' } },
        ],
        usage: { search_units: 1, cost: 0.002 },
      },
      { api: 'rerank', units: 1, charged_nano_usd: 2_000_000 },
    ],
    [
      'images, one by one',
      '/images/generations',
      { model: unitModel('painter'), prompt: 'A red fox.', n: 2 },
      { data: [{ b64_json: PICTURE }, { b64_json: PICTURE }], usage: { cost: 0.08 } },
      { api: 'images', units: 2, charged_nano_usd: 80_000_000 },
    ],
    [
      "images at OpenRouter's path",
      '/images',
      { model: unitModel('painter'), prompt: 'A red fox.' },
      { data: [{ b64_json: PICTURE }] },
      { api: 'images', units: 1, charged_nano_usd: 40_000_000 },
    ],
    [
      'a transcription of a form, by the second',
      '/audio/transcriptions',
      () => recording({}),
      { text: 'Hello there.', usage: { type: 'duration', seconds: 4, cost: 0.0004 } },
      { api: 'transcriptions', units: 4, charged_nano_usd: 400_000 },
    ],
    [
      'a transcription of JSON',
      '/audio/transcriptions',
      { model: unitModel('listener'), input_audio: { data: AUDIO.toString('base64'), format: 'mp3' } },
      { text: 'Hello there.' },
      { api: 'transcriptions', units: 4, charged_nano_usd: 400_000 },
    ],
  ];

  it.each(SERVED)('%s', async (_, path, body, said, row) => {
    const response = await post(path, typeof body === 'function' ? body() : body);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject(said);
    expect(await rowOf(response)).toMatchObject({ state: 'completed', stream: 0, ...row });
  });

  it('speech, by the character, as the bytes come', async () => {
    const response = await speak({ model: unitModel('speaker') });
    expect(response.headers.get('content-type')).toBe('audio/mpeg');
    expect(response.headers.get('x-headrace-endpoint')).toBe('speaker');
    expect(Buffer.from(await response.arrayBuffer())).toEqual(AUDIO);
    expect(await rowOf(response)).toMatchObject({ state: 'completed', api: 'speech', units: 12, charged_nano_usd: 180_000 });
  });

  it('subtitles as text, billed by what is usual where the upstream does not say', async () => {
    house.upstream.script('listener', send(200, 'text/plain', '1\n00:00:00,000 --> 00:00:04,000\nHello there.\n'));
    const response = await post('/audio/transcriptions', recording({ response_format: 'srt' }));
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toContain('-->');
    expect(await rowOf(response)).toMatchObject({ units: AUDIO.length / 8000, usage_source: 'counted', charged_nano_usd: 37_500 });
  });

  it.each([
    ['in a header', {}, { 'x-session-id': 'talk-1' }],
    ['in the body, which wins', { session_id: 'talk-1' }, { 'x-session-id': 'talk-2' }],
  ])('its session is named %s', async (_, fields, headers) => {
    const response = await post('/embeddings', { model: unitModel('embedder'), input: 'Hello', ...fields }, headers);
    expect(await rowOf(response)).toMatchObject({ session_id: 'talk-1' });
  });

  it('wishes of a form reach routing, not the upstream', async () => {
    const response = await post('/audio/transcriptions', recording({ provider: '{"ignore":["listener"]}' }));
    expect(response.status).toBe(404);
    expect(house.upstream.calls).toEqual([]);
  });
});

describe('falls back', () => {
  const broken: [why: string, script: Script, kind: string][] = [
    ['from a 500', refuse(500), 'upstream_error'],
    ['from an error inside a 200', (_, response) => sendJson(response, 200, { error: { message: 'slow down', code: 429 } }), 'capacity'],
    ['from missing vectors', (_, response) => sendJson(response, 200, { data: [] }), 'protocol'],
    ['from what is no JSON', send(200, 'application/json', '{"data":[{"embedding":[NaN]}]}'), 'protocol'],
  ];

  it.each(broken)('%s, and charges the one that answered', async (_, script, kind) => {
    const [bad, good] = vectors.take(2) as [string, string];
    house.upstream.script(bad, script);
    house.upstream.script(good, (_call, response) =>
      sendJson(response, 200, { data: [{ index: 0, embedding: [0.5] }], usage: { prompt_tokens: 8, total_tokens: 8 } }),
    );
    const response = await embed(along([bad, good]));
    expect(await response.json()).toMatchObject({ data: [{ embedding: [0.5] }], usage: { cost: 0.000008 } });
    expect(await readReceiptRows(house, generationIdOf(response))).toMatchObject({
      endpoint: good,
      chargedNanoUsd: 8000,
      attempts: [
        { endpoint: bad, kind },
        { endpoint: good, kind: null },
      ],
    });
  });

  it.each([
    ['JSON where audio was expected', refuse(200)],
    ['audio without a byte', send(200, 'audio/mpeg', '')],
  ])('from %s', async (_, script) => {
    const [bad, good] = voices.take(2) as [string, string];
    house.upstream.script(bad, script);
    house.upstream.script(good, send(200, 'application/octet-stream', AUDIO));
    const response = await speak(along([bad, good]));
    expect(response.headers.get('content-type')).toBe('audio/mpeg');
    expect(Buffer.from(await response.arrayBuffer())).toEqual(AUDIO);
  });

  it('never after the first byte: the answer breaks, and nobody pays', async () => {
    const [bad, good] = voices.take(2) as [string, string];
    house.upstream.script(bad, (_call, response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      response.write(AUDIO, () => setTimeout(() => socketOf(response).destroy(), 50));
    });
    const response = await speak(along([bad, good]));
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow();
    expect(house.upstream.callsTo(good)).toHaveLength(0);
    expect(await rowOf(response)).toMatchObject({ state: 'interrupted', charged_nano_usd: 0 });
  });
});

describe('is refused', () => {
  it.each([
    ['embeddings of a model that chats', '/embeddings', { model: MODEL, input: 'a' }, 'embeddings'],
    ['images of a model that speaks', '/images/generations', { model: unitModel('speaker'), prompt: 'p' }, 'images'],
    [
      'a chat with a model that ranks',
      '/chat/completions',
      { model: unitModel('reranker'), messages: [{ role: 'user', content: 'a' }] },
      'chat',
    ],
  ])('%s, saying what is missing', async (_, path, body, capability) => {
    const response = await post(path, body);
    expect(response.status).toBe(404);
    const { error } = (await response.json()) as { error: { code: number; message: string } };
    expect(error.code).toBe(404);
    expect(error.message).toContain(capability);
    expect(house.upstream.calls).toEqual([]);
  });

  it.each<[what: string, path: string, body: object | (() => FormData), status: number, param: string | null]>([
    ['no input', '/embeddings', { model: unitModel('embedder') }, 400, 'input'],
    ['a stream of images', '/images/generations', { model: unitModel('painter'), prompt: 'p', stream: true }, 400, 'stream'],
    ['events of speech', '/audio/speech', { model: unitModel('speaker'), input: 'a', stream_format: 'sse' }, 400, 'stream_format'],
    ['a stream of words', '/audio/transcriptions', () => recording({ stream: 'true' }), 400, 'stream'],
    ['no documents', '/rerank', { model: unitModel('reranker'), query: 'q', documents: [] }, 400, 'documents'],
    ['no file', '/audio/transcriptions', { model: unitModel('listener') }, 400, 'file'],
    ['an empty file', '/audio/transcriptions', () => recording({}, new Uint8Array()), 400, 'file'],
    ['a file that is too large', '/audio/transcriptions', () => recording({}, new Uint8Array(25 * 1024 * 1024 + 1)), 413, 'file'],
    ['a form where JSON is expected', '/embeddings', () => recording({}), 415, null],
    ['an unknown model', '/embeddings', { model: 'no/such', input: 'a' }, 404, null],
  ])("%s, in OpenAI's shape", async (_, path, body, status, param) => {
    const response = await post(path, typeof body === 'function' ? body() : body);
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: object };
    expect(error).toMatchObject({ code: status, type: 'invalid_request_error', metadata: { error_type: expect.any(String) } });
    if (param !== null) expect(error).toMatchObject({ param });
    expect(house.upstream.calls).toEqual([]);
  });

  it('P1: an upstream that quotes the input is not passed on', async () => {
    const input = 'My account number is 4711 and my name is Ada.';
    house.upstream.script('embedder', refuse(400, { message: `cannot embed "${input}"` }));
    const response = await post('/embeddings', { model: unitModel('embedder'), input });
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain('4711');
  });
});
