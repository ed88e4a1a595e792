import { describe, expect, it } from 'vitest';
import { challengeUrl, checkChallenge, createChallenge } from '#src/nodes/address/challenge';

const URL_OF_API = 'https://gpu.example.com:8443/deep/v1';
const NEVER = { set: () => 0 as never, clear: () => undefined };

async function ask(answer: (challenge: string) => Response | Promise<Response>) {
  const challenge = createChallenge();
  const asked: { url: string; init: RequestInit | undefined }[] = [];
  const fetch = (async (url: string, init?: RequestInit) => {
    asked.push({ url, init });
    return answer(challenge);
  }) as typeof globalThis.fetch;
  return { proof: await checkChallenge({ url: URL_OF_API, challenge }, { fetch, timers: NEVER }), asked, challenge };
}

describe('a challenge', () => {
  it('is another every time, and stands at the origin whatever the path of the API', () => {
    const made = new Set(Array.from({ length: 100 }, createChallenge));
    expect(made.size).toBe(100);
    for (const challenge of made) expect(challenge).toMatch(/^[\w-]{32}$/);
    expect(challengeUrl(URL_OF_API, 'abc')).toBe('https://gpu.example.com:8443/.well-known/headrace/abc');
  });

  it('is proof where it is served, white space around it or not', async () => {
    for (const around of ['', '\n', '  \r\n']) {
      const { proof, asked, challenge } = await ask((text) => new Response(around + text + around));
      expect(proof).toEqual({ ok: true });
      expect(asked).toEqual([{ url: challengeUrl(URL_OF_API, challenge), init: expect.objectContaining({ redirect: 'manual' }) }]);
      expect(JSON.stringify(asked[0]?.init?.headers)).not.toMatch(/authorization/i);
    }
  });

  it.each<[string, (text: string) => Response | Promise<Response>]>([
    ['S7: a redirect', (text) => new Response(text, { status: 302, headers: { location: 'https://else.example' } })],
    ['a 404 that says it', (text) => new Response(text, { status: 404 })],
    ['a 201 that says it', (text) => new Response(text, { status: 201 })],
    ['another text', () => new Response('x'.repeat(32))],
    ['the beginning of it', (text) => new Response(text.slice(0, -1))],
    ['more than it', (text) => new Response(`${text}x`)],
    ['a page with it', (text) => new Response(`<html>${text}</html>`)],
    ['nothing', () => new Response(null)],
    ['a body without end', (text) => new Response(text + ' '.repeat(2_000))],
    ['no answer', () => Promise.reject(new TypeError('connection refused to 10.0.0.1'))],
  ])('%s is none, and the reason holds no address', async (_, answer) => {
    const { proof } = await ask(answer);
    expect(proof).toMatchObject({ ok: false, reason: expect.not.stringMatching(/\d+\.\d+\.\d+\.\d+|example/) });
  });

  it('a body that never ends is not waited for', async () => {
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(600)),
      cancel: () => void (cancelled = true),
    });
    expect((await ask(() => new Response(endless))).proof.ok).toBe(false);
    expect(cancelled).toBe(true);
  });
});
