import { describe, expect, it } from 'vitest';
import type { GatewayError } from '#schema/error';
import { BODY_BYTES_MAX, readBody } from '#src/api/read-body';
import { DRAIN_BYTES_MAX } from '#src/api/read-bytes';

const post = (body: BodyInit, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
  readBody(new Request('https://router.example/', { method: 'POST', body, headers, duplex: 'half' } as RequestInit));

const refusal = async (body: BodyInit, headers?: Record<string, string>): Promise<GatewayError> => {
  const error = await post(body, headers).then(
    () => undefined,
    (thrown: GatewayError) => thrown,
  );
  if (!error) throw new Error('expected a refusal');
  return error;
};

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

function endless(): { stream: ReadableStream<Uint8Array>; sent: () => number } {
  let bytes = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      bytes += 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(0x20));
    },
  });
  return { stream, sent: () => bytes };
}

describe('request bodies', () => {
  it('accepts JSON under any JSON-ish type, without a type, and with a byte order mark', async () => {
    for (const type of [
      'application/json',
      'Application/JSON; charset=utf-8',
      'application/vnd.api+json',
      'text/json',
      'text/plain;charset=UTF-8',
    ]) {
      expect(await post('{"a":1}', { 'content-type': type })).toEqual({ a: 1 });
    }
    expect(await post(new TextEncoder().encode('{"a":1}'), {})).toEqual({ a: 1 });
    expect(await post(new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]))).toEqual({});
  });

  it.each([
    ['malformed', '{"a":', 'invalid_json', 400],
    ['empty', '', 'invalid_json', 400],
    ['blank', ' \n', 'invalid_json', 400],
    ['NaN', '{"a":NaN}', 'invalid_json', 400],
    ['HTML', '<html>', 'invalid_json', 400],
    ['I4: nested deeper than 64', nested(65), 'invalid_request', 400],
    ['I4: nested a hundred thousand deep', nested(100_000), 'invalid_request', 400],
    ['I3: __proto__', '{"a":{"__proto__":{"x":1}}}', 'invalid_request', 400],
    ['I3: __proto__ in disguise', '{"\\u005f_proto__":1}', 'invalid_request', 400],
    ['I3: the way through constructor', '{"constructor":{"prototype":{"x":1}}}', 'invalid_request', 400],
  ])('refuses %s', async (_, body, code, status) => {
    expect(await refusal(body)).toMatchObject({ code, status });
  });

  it('I3: a schema may name a property constructor', async () => {
    expect(await post('{"properties":{"constructor":{"type":"string"},"prototype":{}}}')).toBeDefined();
  });

  it('I4: takes 64 levels, lets the last of duplicate keys win, keeps lone surrogates', async () => {
    await expect(post(nested(64))).resolves.toBeDefined();
    expect(await post('{"a":1,"a":2}')).toEqual({ a: 2 });
    expect(await post('{"a":"\\ud800"}')).toEqual({ a: '\ud800' });
  });

  it('refuses invalid UTF-8', async () => {
    expect(await refusal(new Uint8Array([0x22, 0xff, 0x22]))).toMatchObject({
      code: 'invalid_json',
      message: 'The request body is not valid UTF-8.',
    });
  });

  it('never quotes the body', async () => {
    expect((await refusal('{"prompt": my secret prompt}')).message).not.toContain('secret');
  });

  it('I7: refuses compressed bodies and other media types', async () => {
    for (const encoding of ['gzip', 'br', 'zstd', 'deflate', 'identity, gzip']) {
      expect(await refusal('{}', { 'content-type': 'application/json', 'content-encoding': encoding })).toMatchObject({ status: 415 });
    }
    for (const type of ['text/html', 'multipart/form-data; boundary=x', 'application/octet-stream', 'application/xml']) {
      expect(await refusal('{}', { 'content-type': type })).toMatchObject({ code: 'unsupported_media_type', status: 415 });
    }
  });

  it('I6: refuses a body over 10 MiB, by its declared length before reading', async () => {
    expect(
      await refusal('x'.repeat(BODY_BYTES_MAX + 1), { 'content-type': 'application/json', 'content-length': String(BODY_BYTES_MAX + 1) }),
    ).toMatchObject({
      code: 'payload_too_large',
      status: 413,
    });
  });

  it('I6: refuses an endless body after 10 MiB, and reads on for no more than 64 MiB so that its sender hears of it', async () => {
    const { stream, sent } = endless();
    expect((await refusal(stream)).code).toBe('payload_too_large');
    expect(sent()).toBeLessThan(BODY_BYTES_MAX + DRAIN_BYTES_MAX + 1_000_000);
  });

  it('I8: a body that breaks off is a 400', async () => {
    const broken = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"a":'));
        controller.error(new Error('reset'));
      },
    });
    expect(await refusal(broken)).toMatchObject({ code: 'invalid_request', status: 400 });
  });
});
