import { describe, expect, it } from 'vitest';
import { DOCUMENT_BYTES_MAX, fetchDocument } from '#src/prices/fetch-document';
import { RUNTIME_TIMERS, type Timers } from '#schema/timers';

const URL_OF_LIST = 'https://api.acme.example/v1/models';
const asked: { url: string; init: RequestInit | undefined }[] = [];

function fetchFrom(answer: () => Response | Promise<Response>, timers: Timers = RUNTIME_TIMERS, key: string | null = null) {
  const fetch = (url: unknown, init?: RequestInit) => {
    asked.push({ url: String(url), init });
    return Promise.resolve(answer());
  };
  return fetchDocument(URL_OF_LIST, key, { fetch: fetch as typeof globalThis.fetch, timers });
}

describe('a published document', () => {
  it('is read as JSON', async () => {
    expect(await fetchFrom(() => Response.json({ data: [] }))).toEqual({ document: { data: [] } });
  });

  it.each([
    [
      'a page',
      () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html; charset=utf-8' } }),
      'HTML where a list was expected',
    ],
    [
      'a page that says that it is JSON',
      () => new Response(' <html>', { headers: { 'content-type': 'application/json' } }),
      'HTML where a list was expected',
    ],
    ['half a document', () => new Response('{"data": ['), 'no JSON'],
    ['nothing', () => new Response(''), 'no JSON'],
    ['a status', () => new Response('no', { status: 503 }), 'HTTP 503'],
    [
      'a redirect',
      () => new Response(null, { status: 302, headers: { location: 'http://169.254.169.254/' } }),
      'it redirects, and redirects are not followed',
    ],
  ])('%s is a failure in words', async (_, answer, failure) => {
    expect(await fetchFrom(answer)).toEqual({ failure });
  });

  it('S11: follows no redirect by itself', async () => {
    asked.length = 0;
    await fetchFrom(() => Response.json({}));
    expect(asked[0]?.init?.redirect).toBe('manual');
  });

  it('is cut off where it is too large, whatever length it states', async () => {
    const piece = new Uint8Array(1024 * 1024).fill(0x20);
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += piece.byteLength;
        controller.enqueue(piece);
      },
    });
    expect(await fetchFrom(() => new Response(body, { headers: { 'content-length': '2' } }))).toEqual({ failure: 'larger than 8 MiB' });
    expect(sent).toBeLessThan(DOCUMENT_BYTES_MAX + 4 * piece.byteLength);
  });

  it('is not waited for without end', async () => {
    const timers: Timers = { set: (fire) => queueMicrotask(fire), clear: () => undefined };
    expect(await fetchFrom(() => new Promise<Response>(() => undefined), timers)).toEqual({ failure: 'no answer in 12 s' });
    expect(asked.at(-1)?.init?.signal?.aborted).toBe(true);
  });

  it('that cannot be reached is a failure without an address in it', async () => {
    const failed = await fetchFrom(() => Promise.reject(new Error('getaddrinfo ENOTFOUND 10.0.0.1')));
    expect(failed).toEqual({ failure: 'no connection' });
  });
});
