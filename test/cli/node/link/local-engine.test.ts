import { describe, expect, it } from 'vitest';
import { createLocalEngine } from '#cli/node/link/local-engine';

const stay = new AbortController().signal;
const REQUEST = {
  method: 'POST',
  path: '/v1/chat/completions',
  headers: { 'content-type': 'application/json', authorization: 'Bearer routers' },
  body: '{}',
} as const;

function engine(answer: typeof fetch, key: string | null = null) {
  let troubles = 0;
  const ask = createLocalEngine({ url: 'http://127.0.0.1:8000', key, fetch: answer, fullStatuses: [503], onTrouble: () => troubles++ });
  return { ask, troubles: () => troubles };
}

describe('the engine behind a node', () => {
  it('is asked at its own address, with its own key, and never sent elsewhere', async () => {
    const seen: unknown[] = [];
    const { ask } = engine(async (input, init) => {
      seen.push(input, new Headers(init?.headers as Record<string, string>).get('authorization'), init?.redirect);
      return Response.json({});
    }, 'engine-key');
    await ask(REQUEST, stay);
    expect(seen).toEqual(['http://127.0.0.1:8000/v1/chat/completions', 'Bearer engine-key', 'manual']);
  });

  it('S7: that redirects is answered for with 502, and nobody follows', async () => {
    const { ask } = engine(async () => new Response(null, { status: 307, headers: { location: 'http://169.254.169.254/' } }));
    const answer = await ask(REQUEST, stay);
    expect([answer.status, answer.headers.get('location')]).toEqual([502, null]);
  });

  it('that answers with a status that no router takes is answered for with 502', async () => {
    const { ask } = engine(async () => Object.defineProperty(new Response('x'), 'status', { value: 999 }));
    const answer = await ask(REQUEST, stay);
    expect([answer.status, await answer.json()]).toMatchObject([502, { error: { code: 'engine_unreadable' } }]);
  });

  it('that does not answer is answered for at once with 503 and a reason, and its load is looked at', async () => {
    const { ask, troubles } = engine(async () => {
      throw new TypeError('fetch failed: http://127.0.0.1:8000');
    });
    const answer = await ask(REQUEST, stay);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      error: { message: 'the engine behind the node does not answer', type: 'unavailable_error', code: 'engine_unreachable' },
    });
    expect(troubles()).toBe(1);
  });

  it('that is full says so itself, and its load is looked at', async () => {
    const { ask, troubles } = engine(async () => Response.json({ error: { code: 503 } }, { status: 503 }));
    expect((await ask(REQUEST, stay)).status).toBe(503);
    expect(troubles()).toBe(1);
  });

  it('is no trouble when the router has let go', async () => {
    const { ask, troubles } = engine(async (_input, init) => {
      init?.signal?.throwIfAborted();
      return Response.json({});
    });
    await expect(ask(REQUEST, AbortSignal.abort())).rejects.toThrow(/abort/i);
    expect(troubles()).toBe(0);
  });
});
