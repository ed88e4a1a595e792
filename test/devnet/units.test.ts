import { inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Devnet } from '#devnet/devnet';
import { toWav, wavSeconds } from '#devnet/units/wav';
import { control, KEYS, send, startFleet, stateOf, type WireAnswer } from './support.ts';

/** Posts JSON to a path of an endpoint. */
function ask(devnet: Devnet, id: string, path: string, body: Record<string, unknown>): Promise<WireAnswer> {
  return send(`${devnet.url}/${id}/v1/${path}`, { headers: { authorization: `Bearer ${KEYS[id] ?? 'none'}` }, body });
}

async function fetchBytes(devnet: Devnet, id: string, path: string, body: object | FormData): Promise<{ type: string; bytes: Buffer }> {
  const isForm = body instanceof FormData;
  const response = await fetch(`${devnet.url}/${id}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEYS[id] ?? 'none'}` },
    body: isForm ? body : JSON.stringify(body),
  });
  return { type: response.headers.get('content-type') ?? '', bytes: Buffer.from(await response.arrayBuffer()) };
}

describe('embeddings', () => {
  const EMBEDDERS = [
    ['miner-vector', 'Qwen/Qwen3-Embedding-4B'],
    ['box-vectors', 'Qwen3-Embedding-4B'],
    ['api-orchard', 'orchard-embedding'],
  ] as const;
  const embed = async (devnet: Devnet, fields: Record<string, unknown>) =>
    JSON.parse((await ask(devnet, 'box-vectors', 'embeddings', { model: 'Qwen3-Embedding-4B', ...fields })).text);

  test('are the same at every endpoint, of length 1, and say that they are simulated', async () => {
    const devnet = await startFleet();
    const vectors: number[][] = [];
    for (const [id, model] of EMBEDDERS) {
      const { data, usage, devnet: mark } = JSON.parse((await ask(devnet, id, 'embeddings', { model, input: 'mountain rivers' })).text);
      expect(mark).toEqual({ simulated: true, endpoint: id });
      expect(usage).toEqual({ prompt_tokens: 4, total_tokens: 4 });
      expect(Math.hypot(...data[0].embedding)).toBeCloseTo(1);
      vectors.push(data[0].embedding);
    }
    expect(vectors[0]).toHaveLength(2560);
    expect(vectors[1]).toEqual(vectors[0]);
    expect(vectors[2]).toEqual(vectors[0]);
  });

  test('of texts that share words are closer than those of others', async () => {
    const devnet = await startFleet();
    const { data } = await embed(devnet, { input: ['rivers in the mountains', 'the rivers of mountains', 'tax law'], dimensions: 256 });
    const closeness = (left: number, right: number): number =>
      data[left].embedding.reduce((sum: number, value: number, at: number) => sum + value * data[right].embedding[at], 0);
    expect(closeness(0, 1)).toBeGreaterThan(closeness(0, 2) + 0.3);
    expect(data.map((entry: { index: number }) => entry.index)).toEqual([0, 1, 2]);
  });

  test('as base64 are the same numbers in 32 bits', async () => {
    const devnet = await startFleet();
    const floats = (await embed(devnet, { input: 'x', dimensions: 64 })).data[0].embedding;
    const bytes = Buffer.from((await embed(devnet, { input: 'x', dimensions: 64, encoding_format: 'base64' })).data[0].embedding, 'base64');
    expect(Array.from({ length: 64 }, (_, at) => bytes.readFloatLE(at * 4))).toEqual(floats);
  });

  test('take token ids, alone and in lists', async () => {
    const devnet = await startFleet();
    expect((await embed(devnet, { input: [1, 2, 3] })).usage.prompt_tokens).toBe(3);
    expect((await embed(devnet, { input: [[1, 2, 3], [4]] })).data).toHaveLength(2);
  });

  test.each([
    ['an empty input', { input: '' }],
    ['an empty list', { input: [] }],
    ['too many dimensions', { input: 'x', dimensions: 4096 }],
    ['an unknown encoding', { input: 'x', encoding_format: 'hex' }],
    ['a text beyond the context', { input: 'x'.repeat(132_000) }],
  ])('%s is a 400', async (_title, fields) => {
    const devnet = await startFleet();
    expect((await ask(devnet, 'box-vectors', 'embeddings', { model: 'Qwen3-Embedding-4B', ...fields })).status).toBe(400);
  });

  test('come from the models for them alone', async () => {
    const devnet = await startFleet();
    expect((await ask(devnet, 'api-orchard', 'embeddings', { model: 'qwen3-8b', input: 'x' })).status).toBe(404);
    expect((await ask(devnet, 'miner-vector', 'chat/completions', {})).status).toBe(404);
  });
});

describe('rerank', () => {
  const wish = { query: 'mountain rivers', documents: ['tax law', 'rivers of the mountain', { text: 'a mountain' }] };

  test('puts what shares most words first, at most top_n, with the documents where asked', async () => {
    const devnet = await startFleet();
    const body = { model: 'bge-reranker-v2-m3', ...wish, top_n: 2, return_documents: true };
    const { results, usage } = JSON.parse((await ask(devnet, 'box-vectors', 'rerank', body)).text);
    expect(results).toEqual([
      { index: 1, relevance_score: 1, document: { text: 'rivers of the mountain' } },
      { index: 2, relevance_score: 0.5, document: { text: 'a mountain' } },
    ]);
    expect(usage.total_tokens).toBeGreaterThan(0);
  });

  test('is billed in searches of a hundred documents at a centralized API', async () => {
    const devnet = await startFleet();
    const documents = Array.from({ length: 101 }, () => 'x');
    const { meta } = JSON.parse((await ask(devnet, 'api-orchard', 'rerank', { model: 'orchard-rerank', ...wish, documents })).text);
    expect(meta.billed_units).toEqual({ search_units: 2 });
  });
});

describe('images', () => {
  const paint = async (devnet: Devnet, fields: Record<string, unknown>) =>
    JSON.parse((await ask(devnet, 'miner-canvas', 'images/generations', { model: 'FLUX.1-schnell', prompt: 'a river', ...fields })).text);

  test('are PNG files in the size asked for, which say by whom', async () => {
    const devnet = await startFleet();
    const { data, usage } = await paint(devnet, { n: 2, size: '320x200' });
    expect(data).toHaveLength(2);
    const file = Buffer.from(data[0].b64_json, 'base64');
    expect(file.toString('latin1', 1, 4)).toBe('PNG');
    expect([file.readUInt32BE(16), file.readUInt32BE(20)]).toEqual([320, 200]);
    expect(file.toString('latin1')).toContain('simulated by miner-canvas');
    const at = file.indexOf('IDAT');
    expect(inflateSync(file.subarray(at + 4, at + 4 + file.readUInt32BE(at - 4)))).toHaveLength(200 * (1 + 320 / 8));
    expect(usage.output_tokens).toBeGreaterThan(0);
    expect(data[1].b64_json).not.toBe(data[0].b64_json);
  });

  test('come as links where asked', async () => {
    const devnet = await startFleet();
    expect((await paint(devnet, { response_format: 'url' })).data[0].url).toMatch(/^data:image\/png;base64,/);
  });

  test('have a size that is one, or a 400', async () => {
    const devnet = await startFleet();
    expect(await paint(devnet, { size: '1x1' })).toEqual({ detail: expect.stringContaining('size') });
  });
});

describe('speech', () => {
  const say = (devnet: Devnet, fields: Record<string, unknown> = {}) =>
    fetchBytes(devnet, 'box-audio', 'audio/speech', {
      model: 'kokoro',
      voice: 'alloy',
      input: 'Thirty characters make two sec',
      ...fields,
    });

  test('is as long as its text, in each format', async () => {
    const devnet = await startFleet();
    const wav = await say(devnet, { response_format: 'wav' });
    expect(wav.type).toBe('audio/wav');
    expect(wavSeconds(wav.bytes)).toBe(2);
    const pcm = await say(devnet, { response_format: 'pcm' });
    expect(pcm.bytes).toEqual(wav.bytes.subarray(44));
    const mp3 = await say(devnet);
    expect(mp3.type).toBe('audio/mpeg');
    // 84 frames of 24 ms, each with the sync word at its beginning.
    expect(mp3.bytes).toHaveLength(84 * 96);
    for (let at = 0; at < mp3.bytes.length; at += 96) expect(mp3.bytes.readUInt16BE(at)).toBe(0xfff3);
  });

  test('in another format is a 400', async () => {
    const devnet = await startFleet();
    expect(JSON.parse((await say(devnet, { response_format: 'opus' })).bytes.toString()).error).toMatchObject({ param: 'response_format' });
  });

  test('breaks off in the middle when the fault says so', async () => {
    const devnet = await startFleet();
    await control(devnet, 'box-audio', { faults: ['die-mid-stream'] });
    const body = { model: 'kokoro', voice: 'alloy', input: 'words', response_format: 'wav' };
    const answer = await ask(devnet, 'box-audio', 'audio/speech', body);
    expect(answer).toMatchObject({ status: 200, whole: false });
  });
});

describe('transcription', () => {
  const audio = toWav(new Uint8Array(48_000 * 3));
  const listen = async (devnet: Devnet, fields: Record<string, string> = {}, file: Uint8Array<ArrayBuffer> = new Uint8Array(audio)) => {
    const form = new FormData();
    form.set('model', 'whisper-large-v3');
    form.set('file', new Blob([file]), 'a.wav');
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    return fetchBytes(devnet, 'box-audio', 'audio/transcriptions', form);
  };

  test('says how long the audio was, and bills that', async () => {
    const devnet = await startFleet();
    const body = JSON.parse((await listen(devnet)).bytes.toString());
    expect(body.text).toBe('[simulated by box-audio] Simulated transcript of 3 seconds.');
    expect(body.usage).toEqual({ type: 'duration', seconds: 3 });
  });

  test.each([
    ['text', /^\[simulated by box-audio\].*\n$/],
    ['srt', /^1\n00:00:00,000 --> 00:00:03,000\n\[simulated/],
    ['vtt', /^WEBVTT\n\n00:00:00.000 --> 00:00:03.000\n\[simulated/],
  ])('as %s is plain text', async (format, shape) => {
    const devnet = await startFleet();
    const { type, bytes } = await listen(devnet, { response_format: format });
    expect(type).toMatch(/^text\/plain/);
    expect(bytes.toString()).toMatch(shape);
  });

  test('times words where asked', async () => {
    const devnet = await startFleet();
    const { bytes } = await listen(devnet, { response_format: 'verbose_json', 'timestamp_granularities[]': 'word' });
    expect(JSON.parse(bytes.toString())).toMatchObject({
      duration: 3,
      segments: [{ end: 3 }],
      words: expect.arrayContaining([{ word: 'Simulated', start: 1.13, end: 1.5 }]),
    });
  });

  test('takes what is no WAV for 128 kbit/s', async () => {
    const devnet = await startFleet();
    expect(JSON.parse((await listen(devnet, {}, new Uint8Array(32_000))).bytes.toString()).usage.seconds).toBe(2);
  });

  test('without a file, or not as a form, is a 400', async () => {
    const devnet = await startFleet();
    const form = new FormData();
    form.set('model', 'whisper-large-v3');
    expect(JSON.parse((await fetchBytes(devnet, 'box-audio', 'audio/transcriptions', form)).bytes.toString()).error.param).toBe('file');
    const json = await ask(devnet, 'box-audio', 'audio/transcriptions', { model: 'whisper-large-v3' });
    expect(JSON.parse(json.text).error.code).toBe('invalid_form');
  });
});

describe('faults strike unit operations too:', () => {
  const embed = async (fault: string): Promise<WireAnswer> => {
    const devnet = await startFleet();
    await control(devnet, 'box-vectors', { faults: [fault] });
    return ask(devnet, 'box-vectors', 'embeddings', { model: 'Qwen3-Embedding-4B', input: 'x' });
  };

  test.each([
    ['error-500', 500],
    ['error-503', 503],
    ['rate-limit', 429],
    ['redirect', 307],
    ['down', null],
  ])('%s', async (fault, status) => expect((await embed(fault)).status).toBe(status));

  test('error-in-200', async () => expect(JSON.parse((await embed('error-in-200')).text)).toHaveProperty('error'));
  test('truncated-json', async () => {
    const { text, whole } = await embed('truncated-json');
    expect(whole).toBe(true);
    expect(text).toMatch(/^\{"id":"embd-/);
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
  });
  test('no-usage', async () => expect(JSON.parse((await embed('no-usage')).text)).not.toHaveProperty('usage'));
  test('over-report-usage', async () => expect(JSON.parse((await embed('over-report-usage')).text).usage.prompt_tokens).toBe(10));
});

test('unit operations are counted with the others', async () => {
  const devnet = await startFleet();
  await ask(devnet, 'box-vectors', 'embeddings', { model: 'Qwen3-Embedding-4B', input: 'x'.repeat(400) });
  await ask(devnet, 'box-vectors', 'embeddings', { model: 'Qwen3-Embedding-4B' });
  expect((await stateOf(devnet, 'box-vectors')).counters).toMatchObject({ requests: 2, completed: 1, rejected: 1, promptTokens: 100 });
});
