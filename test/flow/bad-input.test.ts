import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readAnswer, readRefusal, type ClientError } from '#test/support/answers';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';

const USER = { role: 'user', content: 'hi' };

let house: House;

beforeAll(async () => {
  house = await openHouse({ endpoints: [{ id: 'plain' }] });
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('plain', answer());
});

/** Sends a body as it stands. */
function send(body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  return house.chat({}, { body, headers });
}

/** Checks that an answer is a client error in OpenAI's shape and that no upstream was asked. */
async function refused(response: Response, status: number): Promise<ClientError> {
  const error = await readRefusal(response, status);
  expect(house.upstream.calls).toHaveLength(0);
  return error;
}

describe('bodies', () => {
  const MALFORMED = [
    '',
    ' ',
    '{',
    '[',
    'hello',
    '{"model":}',
    '{"a":1,}',
    "{'model':'x'}",
    'NaN',
    '{"max_tokens":NaN}',
    '{"max_tokens":Infinity}',
    '{}}',
    '\u0000',
  ];
  it.each(MALFORMED)('that are not JSON are a 400 without a 5xx: %j', async (body) => {
    const error = await refused(await send(body), 400);
    expect(error.metadata['headrace_code']).toBe('invalid_json');
  });

  it.each(['null', '[]', '7', '"text"', 'true', '{}'])('that are JSON but no request are a 400: %s', async (body) => {
    await refused(await send(body), 400);
  });

  it('I4: absurd numbers, duplicate keys and lone surrogates are refused or read as JSON.parse reads them', async () => {
    const base = `"model":"${MODEL}","messages":[{"role":"user","content":"hi"}]`;
    expect((await refused(await send(`{${base},"max_tokens":1e999}`), 400)).param).toBe('max_tokens');
    expect((await refused(await send(`{${base},"max_tokens":9223372036854775808}`), 400)).param).toBe('max_tokens');
    expect((await refused(await send(`{${base},"temperature":-1e999}`), 400)).param).toBe('temperature');
    expect((await refused(await send(`{${base},"max_tokens":5,"max_tokens":-5}`), 400)).param).toBe('max_tokens');

    const surrogate = await send(`{"model":"${MODEL}","messages":[{"role":"user","content":"half \\ud83d of it"}]}`);
    expect(surrogate.status).toBe(200);
    await readAnswer(surrogate);
  });

  it('I3: __proto__ and constructor.prototype are refused wherever they stand', async () => {
    const inside = (text: string) => `{"model":"${MODEL}","messages":[{"role":"user","content":"hi"}],"metadata":${text}}`;
    expect((await refused(await send(inside('{"__proto__":{"admin":true}}')), 400)).param).toBe('__proto__');
    expect((await refused(await send(inside('{"a":[{"\\u005f_proto__":{}}]}')), 400)).param).toBe('__proto__');
    await refused(await send(inside('{"constructor":{"prototype":{"admin":true}}}')), 400);
    await refused(await send(`{"__proto__":{"stream":true},"model":"${MODEL}","messages":[]}`), 400);
  });

  it('I4: nesting beyond 64 levels is refused, whatever its depth', async () => {
    for (const depth of [65, 1000, 100_000, 1_500_000]) {
      const nested = `${'['.repeat(depth)}${']'.repeat(depth)}`;
      await refused(await send(`{"model":"${MODEL}","messages":[{"role":"user","content":"hi"}],"metadata":{"a":${nested}}}`), 400);
      await refused(await send(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`), 400);
    }
  });

  it('I4: a byte order mark is accepted, invalid UTF-8 is not', async () => {
    const text = JSON.stringify({ model: MODEL, messages: [USER] });
    const marked = await send(`\ufeff${text}`);
    expect(marked.status).toBe(200);
    await readAnswer(marked);
    house.upstream.reset();
    for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98]]) {
      const head = Buffer.from(text.slice(0, -4));
      await refused(await send(Buffer.concat([head, Buffer.from(bytes), Buffer.from(text.slice(-4))])), 400);
    }
  });

  it('I6: 20 MB are a 413, declared or not', async () => {
    const big = Buffer.alloc(20 * 1024 * 1024, 0x20);
    expect((await refused(await send(big), 413)).metadata['error_type']).toBe('payload_too_large');

    const status = await new Promise<number>((resolve, reject) => {
      const { hostname, port } = new URL(house.url);
      const upload = request(
        {
          host: hostname,
          port,
          path: '/v1/chat/completions',
          method: 'POST',
          headers: { authorization: `Bearer ${house.key}`, 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      // The router may stop reading before all has been sent.
      upload.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EPIPE' || error.code === 'ECONNRESET' ? undefined : reject(error),
      );
      upload.end(big);
    });
    expect(status).toBe(413);
  });

  it('I7: compressed bodies and other media types are a 415', async () => {
    const text = JSON.stringify({ model: MODEL, messages: [USER] });
    for (const encoding of ['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip']) {
      await refused(await send(gzipSync(text), { 'content-encoding': encoding }), 415);
    }
    for (const type of ['application/xml', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'image/png']) {
      await refused(await send(text, { 'content-type': type }), 415);
    }
  });

  it('I6: thousands of messages are served, more than ten thousand or a thousand tools are refused', async () => {
    const messages = Array.from({ length: 10_001 }, () => ({ role: 'user', content: 'a' }));
    expect((await refused(await house.chat({ messages }), 400)).param).toBe('messages');
    const tools = Array.from({ length: 1025 }, (_, index) => ({ type: 'function', function: { name: `f${index}` } }));
    expect((await refused(await house.chat({ tools }), 400)).param).toBe('tools');
    house.upstream.script('plain', answer());
    const response = await house.chat({ messages: messages.slice(0, 5000) });
    expect(response.status).toBe(200);
    await response.text();
    expect(house.upstream.calls[0]?.body['messages']).toHaveLength(5000);
  });
});

describe('paths and methods', () => {
  /** Sends a request line as it stands: `fetch` would tidy the path up. */
  function raw(method: string, path: string): Promise<{ status: number; allow: string | undefined; body: string }> {
    const { hostname, port } = new URL(house.url);
    return new Promise((resolve, reject) => {
      const call = request({ host: hostname, port, path, method, headers: { authorization: `Bearer ${house.key}` } }, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, allow: response.headers.allow, body: Buffer.concat(pieces).toString() }),
        );
      });
      call.on('error', reject);
      call.end();
    });
  }

  it('a wrong method is a 405 that says which is right', async () => {
    for (const [method, path, allow] of [
      ['GET', '/v1/chat/completions', 'POST, OPTIONS'],
      ['DELETE', '/v1/chat/completions', 'POST, OPTIONS'],
      ['GET', '/v1/explain', 'POST, OPTIONS'],
      ['POST', '/v1/models', 'GET, HEAD, OPTIONS'],
      ['PUT', '/api/v1/key', 'GET, HEAD, OPTIONS'],
    ] as const) {
      const response = await house.get(path, { method });
      expect([path, response.headers.get('allow')]).toEqual([path, allow]);
      await refused(response, 405);
    }
  });

  it('HEAD is GET without a body, OPTIONS needs no key', async () => {
    const head = await house.get('/v1/models', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const preflight = await fetch(`${house.url}/v1/chat/completions`, {
      method: 'OPTIONS',
      headers: { 'access-control-request-headers': 'authorization, x-stainless-os' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('x-stainless-os');
  });

  it('an unknown path is a 404 in the same shape', async () => {
    for (const path of ['/v1', '/v1/', '/v2/chat/completions', '/v1/chat', '/v1/nothing', '/.env', '/v1/generations']) {
      await refused(await house.get(path), 404);
    }
  });

  it('I14: no spelling of a path reaches what its plain spelling does not', async () => {
    const spellings = [
      '//v1/key',
      '/v1//key',
      '/V1/key',
      '/v1/KEY',
      '/v1/key/',
      '/v1/./key',
      '/x/../v1/key',
      '/v1/%6bey',
      '/v1/%2e/key',
      '/v1%2fkey',
      '/v1/key;x',
      '/v1\\key',
    ];
    for (const path of spellings) {
      const { status, body } = await raw('GET', path);
      // Either the plain path, after the normal form of RFC 3986, or nothing.
      expect([path, status === 200 || status === 404]).toEqual([path, true]);
      if (status === 404) expect((JSON.parse(body) as { error: ClientError }).error.code).toBe(404);
    }
    const stranger = await fetch(`${house.url}/v1/%6bey`);
    expect([401, 404]).toContain(stranger.status);
  });

  it('I14: a model name in a path is a name, whatever it looks like', async () => {
    for (const name of ['..%2f..%2fkey', '%2e%2e/key', '__proto__', 'constructor/endpoints', '%00', '%ff', "'; DROP TABLE keys;--"]) {
      const { status } = await raw('GET', `/v1/models/${name.replaceAll(' ', '%20')}`);
      expect([name, status >= 400 && status < 500]).toEqual([name, true]);
    }
    expect((await house.get('/v1/key')).status).toBe(200);
  });

  it('query parameters that are no numbers are named', async () => {
    for (const [param, query] of [
      ['limit', 'limit=many'],
      ['offset', 'offset=-1'],
      ['limit', 'limit=99999'],
    ]) {
      expect((await refused(await house.get(`/v1/models?${query}`), 400)).param).toBe(param);
    }
    expect((await refused(await house.get('/v1/generation'), 400)).param).toBe('id');
  });
});

describe('after all that', () => {
  it('the router still answers', async () => {
    const response = await house.chat();
    expect(response.status).toBe(200);
    expect((await readAnswer(response)).text).toBe('Hello there.');
  });
});
