import { describe, expect, it } from 'vitest';
import { pseudonym } from '#providers/wire/pseudonym';
import { unitCodecOf } from '#providers/wire/units/units';
import type { UnitOperation } from '#schema/skin';
import type { UnitBody } from '#schema/unit';
import { readFixture, targetWith } from '../../answers.ts';

const asked = (fields: Record<string, unknown>): UnitBody => ({ fields, file: null });
const decode = (operation: UnitOperation, answer: string | object, fields: Record<string, unknown>) =>
  unitCodecOf(operation).decodeReply(typeof answer === 'string' ? answer : JSON.stringify(answer), targetWith(), asked(fields));
const replay = (operation: UnitOperation, path: string, fields: Record<string, unknown>) =>
  decode(operation, new TextDecoder().decode(readFixture(path)), fields);
const failed = (kind: string) => ({ failure: { kind } });

describe('requests', () => {
  it('name the upstream model, take the key, and obey the quirks of fields', () => {
    const target = targetWith({
      quirks: { dropRequestFields: ['user'], renameRequestFields: { dimensions: 'dim' }, addRequestFields: { provider: { zdr: true } } },
    });
    const encoded = unitCodecOf('embeddings').encodeRequest(asked({ input: 'a', user: 'u', dimensions: 3 }), target);
    expect(encoded.url).toBe('https://upstream.example/v1/embeddings');
    expect(encoded.headers).toMatchObject({ authorization: 'Bearer test-key-0123456789', 'content-type': 'application/json' });
    expect(JSON.parse(encoded.body as string)).toEqual({ model: 'upstream-model', input: 'a', dim: 3, provider: { zdr: true } });
  });

  it.each<[UnitOperation, UnitBody['file']]>([
    ['embeddings', null],
    ['transcription', { field: 'file', name: 'a.wav', contentType: 'audio/wav', bytes: new Uint8Array([1]) }],
  ])('K2, P1: %s tell a vendor neither who asks nor what is for the router', (operation, file) => {
    const routers = {
      model: 'a/b',
      models: ['c/d'],
      provider: { zdr: true },
      session_id: 's',
      trace: {},
      metadata: { a: 'b' },
      service_tier: 'flex',
    };
    const target = targetWith();
    const { body } = unitCodecOf(operation).encodeRequest(
      { fields: { ...routers, user: 'ada@example.com', novel: 'field' }, file },
      target,
    );
    const sent = typeof body === 'string' ? JSON.parse(body) : Object.fromEntries([...body.entries()].filter(([name]) => name !== 'file'));
    expect(sent).toEqual({ model: 'upstream-model', novel: 'field', user: pseudonym('ada@example.com', target) });
  });

  it.each([
    ['rerank', '/rerank'],
    ['images', '/images/generations'],
    ['speech', '/audio/speech'],
    ['transcription', '/audio/transcriptions'],
  ] as const)('%s goes to %s', (operation, path) => {
    expect(unitCodecOf(operation).encodeRequest(asked({}), targetWith()).url).toBe(`https://upstream.example/v1${path}`);
  });

  it('a file goes as a form that writes its own content type, lists as name[], objects as JSON', () => {
    const file = { field: 'file', name: 'a.wav', contentType: 'audio/wav', bytes: new Uint8Array([1, 2]) };
    const fields = {
      language: 'de',
      temperature: 0.2,
      timestamp_granularities: ['word', 'segment'],
      chunking_strategy: { type: 'server_vad' },
    };
    const { body, headers } = unitCodecOf('transcription').encodeRequest({ fields, file }, targetWith());
    const form = body as FormData;
    expect(headers).not.toHaveProperty('content-type');
    expect(form.get('model')).toBe('upstream-model');
    expect(form.get('temperature')).toBe('0.2');
    expect(form.getAll('timestamp_granularities[]')).toEqual(['word', 'segment']);
    expect(form.get('chunking_strategy')).toBe('{"type":"server_vad"}');
    expect(form.get('file')).toMatchObject({ name: 'a.wav', type: 'audio/wav', size: 2 });
  });

  it('images say no response_format to a vendor that refuses it', () => {
    const encoded = unitCodecOf('images').encodeRequest(
      asked({ prompt: 'a fish', response_format: 'b64_json' }),
      targetWith({ quirks: { imagesAlwaysBase64: true } }),
    );
    expect(JSON.parse(encoded.body as string)).toEqual({ model: 'upstream-model', prompt: 'a fish' });
  });
});

describe('embeddings', () => {
  const two = { input: ['a', 'b'] };
  const vectors = [
    { object: 'embedding', index: 0, embedding: [0.5, -0.25, 0.125] },
    { object: 'embedding', index: 1, embedding: [1, 0, -1] },
  ];

  it.each(['openai/embeddings.json', 'openai/embeddings-base64.json', 'vllm/embeddings.json'])(
    '%s reads as the same vectors in order',
    (path) => {
      expect(replay('embeddings', path, two)).toMatchObject({
        reply: { json: { data: vectors }, usage: { source: 'reported', promptTokens: 8, completionTokens: 0 }, units: null },
      });
      expect(replay('embeddings', path, { ...two, encoding_format: 'base64' })).toMatchObject({
        reply: { json: { data: [{ embedding: 'AAAAPwAAgL4AAAA+' }, { embedding: 'AACAPwAAAAAAAIC/' }] } },
      });
    },
  );

  it('a list of numbers is one input', () => {
    expect(decode('embeddings', { data: [vectors[0]] }, { input: [1, 2, 3] })).toHaveProperty('reply');
  });

  it.each([
    ['fewer vectors than inputs', { data: [vectors[0]] }],
    ['more vectors than inputs', { data: [...vectors, vectors[1]] }],
    ['one index twice', { data: [vectors[0], vectors[0]] }],
    ['an index out of range', { data: [vectors[0], { ...vectors[1], index: 2 }] }],
    ['a negative index', { data: [vectors[0], { ...vectors[1], index: -1 }] }],
    ['vectors of unlike lengths', { data: [vectors[0], { index: 1, embedding: [1] }] }],
    ['a vector that is null', { data: [vectors[0], { index: 1, embedding: null }] }],
    ['a vector that is no object', { data: [vectors[0], 7] }],
    ['no data', { object: 'list' }],
    ['NaN, which is no JSON', '{"data":[{"index":0,"embedding":[NaN]}]}'],
    ['a list', []],
    ['nothing', ''],
  ])('are a protocol failure with %s', (_, answer) => {
    expect(decode('embeddings', answer, two)).toMatchObject(failed('protocol'));
  });

  it('never ignore the dimensions asked for', () => {
    expect(replay('embeddings', 'openai/embeddings.json', { ...two, dimensions: 3 })).toHaveProperty('reply');
    expect(replay('embeddings', 'openai/embeddings.json', { ...two, dimensions: 2 })).toMatchObject(failed('protocol'));
  });

  it.each([[-1], [1.5], ['8'], [1e12], [null]])('M14: a prompt count of %s is not believed', (prompt_tokens) => {
    expect(decode('embeddings', { data: vectors, usage: { prompt_tokens } }, two)).toMatchObject({ reply: { usage: null } });
  });
});

describe('rerank', () => {
  const three = { query: 'q', documents: ['a', 'b', 'c'] };

  it.each([
    ['cohere/rerank.json', [2, 0, 1], null, 1],
    ['jina/rerank.json', [2, 0, 1], 38, null],
    ['together/rerank.json', [0, 2, 1], 1837, null],
    ['vllm/rerank.json', [1, 2, 0], 56, null],
  ])('%s reads best first', (path, order, promptTokens, units) => {
    const decoded = replay('rerank', path, three);
    expect(decoded).toMatchObject({ reply: { json: { results: order.map((index) => ({ index })) }, units } });
    expect(decoded).toMatchObject({ reply: { usage: promptTokens === null ? null : { promptTokens } } });
    expect(JSON.stringify(decoded)).not.toContain('document');
  });

  it('keeps to top_n when the upstream does not', () => {
    expect(replay('rerank', 'vllm/rerank.json', { ...three, top_n: 1 })).toMatchObject({ reply: { json: { results: [{ index: 1 }] } } });
  });

  it.each([
    ['fewer results than asked for', { results: [{ index: 0, relevance_score: 1 }] }],
    ['an index out of range', { results: [0, 1, 3].map((index) => ({ index, relevance_score: 1 })) }],
    ['an index twice', { results: [0, 1, 1].map((index) => ({ index, relevance_score: 1 })) }],
    ['no score', { results: [0, 1, 2].map((index) => ({ index })) }],
    ['a score that is text', { results: [0, 1, 2].map((index) => ({ index, relevance_score: '0.9' })) }],
    ['no results', { id: 'x' }],
  ])('is a protocol failure with %s', (_, answer) => {
    expect(decode('rerank', answer, three)).toMatchObject(failed('protocol'));
  });
});

describe('images', () => {
  it('openai/images.json reads with what it cost', () => {
    expect(replay('images', 'openai/images.json', { prompt: 'p' })).toMatchObject({
      reply: {
        json: { background: 'opaque', output_format: 'png', quality: 'low', size: '1024x1024', data: [{ b64_json: 'iVBORw0KGgo=' }] },
        usage: { promptTokens: 12, completionTokens: 272 },
        units: 1,
      },
    });
  });

  it("together/images.json reads without the vendor's own fields", () => {
    const data = [{ url: 'https://images.example/a.png' }, { url: 'https://images.example/b.png' }];
    expect(replay('images', 'together/images.json', { prompt: 'p', n: 2 })).toMatchObject({
      reply: { json: { data }, units: 2, usage: null },
    });
  });

  it('no more than asked for are passed on or billed', () => {
    const decoded = replay('images', 'together/images.json', { prompt: 'p' });
    expect(decoded).toMatchObject({ reply: { units: 1, json: { data: [{ url: 'https://images.example/a.png' }] } } });
    expect('reply' in decoded && decoded.reply.json?.['data']).toHaveLength(1);
  });

  it.each([
    ['URLs where base64 was asked for', { data: [{ url: 'https://a.example/x' }] }, 'b64_json'],
    ['base64 where URLs were asked for', { data: [{ b64_json: 'AAAA' }] }, 'url'],
    ['no images', { data: [] }, undefined],
    ['an empty image', { data: [{ b64_json: '' }] }, undefined],
    ['an address that no client could open', { data: [{ url: 'file:///tmp/x.png' }] }, undefined],
  ])('are a protocol failure with %s', (_, answer, response_format) => {
    expect(decode('images', answer, { prompt: 'p', response_format })).toMatchObject(failed('protocol'));
  });
});

describe('speech', () => {
  const { binaryTypeOf } = unitCodecOf('speech');

  it('is called audio even where the upstream says bytes', () => {
    expect(binaryTypeOf?.('audio/wav', asked({}))).toBe('audio/wav');
    expect(binaryTypeOf?.('application/octet-stream', asked({ response_format: 'pcm' }))).toBe('audio/pcm');
    expect(binaryTypeOf?.('', asked({}))).toBe('audio/mpeg');
  });

  it.each(['application/json', 'text/plain; charset=utf-8', 'text/event-stream'])('is not %s', (contentType) => {
    expect(binaryTypeOf?.(contentType, asked({}))).toBeNull();
  });

  it('JSON instead of audio is a failure', () => {
    expect(decode('speech', { audio: 'AAAA' }, {})).toMatchObject(failed('protocol'));
    expect(decode('speech', { error: { message: 'overloaded', code: 503 } }, {})).toMatchObject(failed('capacity'));
  });
});

describe('transcriptions', () => {
  it.each([
    ['openai/transcription.json', 3, null],
    ['openai/transcription-tokens.json', null, { promptTokens: 30, completionTokens: 8 }],
    ['groq/transcription-verbose.json', 2.7, null],
  ])('%s reads its text and what it cost', (path, units, usage) => {
    expect(replay('transcription', path, {})).toMatchObject({ reply: { json: { text: 'Grüße, Welt.' }, units, usage } });
  });

  it("leaves nulls and the vendor's wrapper out", () => {
    const decoded = replay('transcription', 'groq/transcription-verbose.json', { response_format: 'verbose_json' });
    expect('reply' in decoded && Object.keys(decoded.reply.json ?? {})).toEqual(['text', 'task', 'language', 'duration', 'segments']);
  });

  it.each([
    ['text', 'Grüße, Welt.\n'],
    ['text', '42'],
    ['text', ''],
    ['srt', '1\n00:00:00,000 --> 00:00:01,000\nHi\n'],
    ['vtt', 'WEBVTT\n\n00:00.000 --> 00:01.000\nHi\n'],
  ])('%s passes as it is: %j', (response_format, answer) => {
    expect(decode('transcription', answer, { response_format })).toMatchObject({ reply: { text: answer, json: null } });
  });

  it('plain text is taken out of JSON, subtitles cannot be', () => {
    const answer = { text: 'hi', usage: { seconds: 2 } };
    expect(decode('transcription', answer, { response_format: 'text' })).toMatchObject({ reply: { text: 'hi', units: 2 } });
    expect(decode('transcription', answer, { response_format: 'srt' })).toMatchObject(failed('protocol'));
  });

  it.each([[-1], [Number.MAX_VALUE], ['3'], [null]])('M14: %s seconds are not believed', (seconds) => {
    expect(decode('transcription', { text: 'hi', usage: { seconds } }, {})).toMatchObject({ reply: { units: null } });
  });
});

describe.each(['embeddings', 'rerank', 'images', 'speech', 'transcription'] as const)('%s', (operation) => {
  const fields = { input: 'a', query: 'q', documents: ['a'], prompt: 'p' };

  it('R9: an error inside a 200 is a failure of its own kind', () => {
    expect(decode(operation, { error: { message: 'Rate limit reached', code: 429 } }, fields)).toMatchObject(failed('capacity'));
    expect(decode(operation, { detail: 'model not found' }, fields)).toHaveProperty('failure');
  });

  it('P1: a failure does not repeat what was asked', () => {
    const asking = { prompt: 'My account number is 4711 and my name is Ada.', query: 'q', input: 'a', documents: ['a'] };
    const codec = unitCodecOf(operation);
    const answer = JSON.stringify({ error: { message: `cannot do "${asking.prompt}"`, code: 400 } });
    const decoded = codec.decodeReply(answer, targetWith({ request: asked(asking) }), asked(asking));
    expect(JSON.stringify(decoded)).not.toContain('4711');
  });
});
