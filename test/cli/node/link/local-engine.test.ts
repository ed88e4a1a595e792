import { describe, expect, it } from 'vitest';
import type { CallEngine, CalledAnswer } from '#cli/node/link/call-engine';
import type { EngineAnswer } from '#cli/node/link/engine-port';
import { createLocalEngine } from '#cli/node/link/local-engine';

const stay = new AbortController().signal;
const REQUEST = {
  method: 'POST',
  path: '/v1/chat/completions',
  headers: { 'content-type': 'application/json', authorization: 'Bearer routers' },
  body: '{}',
} as const;

function engine(call: CallEngine, key: string | null = null) {
  let troubles = 0;
  let missing = 0;
  const ask = createLocalEngine({
    url: 'http://127.0.0.1:8000',
    key,
    call,
    fullStatuses: () => [503],
    onTrouble: () => troubles++,
    onMissing: () => missing++,
  });
  return { ask, troubles: () => troubles, missing: () => missing };
}

const called = (answer: Response): CalledAnswer => Object.assign(answer, { drop: () => {} });
async function jsonOf({ body }: EngineAnswer): Promise<unknown> {
  const parts: Uint8Array[] = [];
  for await (const part of body ?? []) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

describe('the engine behind a node', () => {
  it('is asked at its own address, with its own key, and for plain bytes', async () => {
    const seen: unknown[] = [];
    const { ask } = engine(async (url, { headers }) => {
      seen.push(url, headers);
      return called(Response.json({}));
    }, 'engine-key');
    await ask(REQUEST, stay);
    const headers = { 'content-type': 'application/json', authorization: 'Bearer engine-key', 'accept-encoding': 'identity' };
    expect(seen).toEqual(['http://127.0.0.1:8000/v1/chat/completions', headers]);
  });

  it('that packs its answer all the same is answered for with 502: nobody would unpack it', async () => {
    const { ask } = engine(async () => called(new Response('x', { headers: { 'content-encoding': 'gzip' } })));
    expect((await ask(REQUEST, stay)).status).toBe(502);
  });

  it('S7: that redirects is answered for with 502, and nobody follows', async () => {
    const { ask } = engine(async () => called(new Response(null, { status: 307, headers: { location: 'http://169.254.169.254/' } })));
    const answer = await ask(REQUEST, stay);
    expect([answer.status, answer.headers.get('location')]).toEqual([502, null]);
  });

  it('that answers with a status that no router takes is answered for with 502', async () => {
    const { ask } = engine(async () => called(Object.defineProperty(new Response('x'), 'status', { value: 999 })));
    const answer = await ask(REQUEST, stay);
    expect([answer.status, await jsonOf(answer)]).toMatchObject([502, { error: { code: 'engine_unreadable' } }]);
  });

  it('that does not answer is answered for at once with 503 and a reason, and its load is looked at', async () => {
    const { ask, troubles } = engine(async () => {
      throw new Error('connect ECONNREFUSED 127.0.0.1:8000');
    });
    const answer = await ask(REQUEST, stay);
    expect(answer.status).toBe(503);
    expect(await jsonOf(answer)).toEqual({
      error: { message: 'the engine behind the node does not answer', type: 'unavailable_error', code: 'engine_unreachable' },
    });
    expect(troubles()).toBe(1);
  });

  it('that is full says so itself, and its load is looked at', async () => {
    const { ask, troubles } = engine(async () => called(Response.json({ error: { code: 503 } }, { status: 503 })));
    expect((await ask(REQUEST, stay)).status).toBe(503);
    expect(troubles()).toBe(1);
  });

  it('is no trouble when the router has let go', async () => {
    const { ask, troubles } = engine(async (_url, _request, signal) => {
      signal.throwIfAborted();
      return called(Response.json({}));
    });
    await expect(ask(REQUEST, AbortSignal.abort())).rejects.toThrow(/abort/i);
    expect(troubles()).toBe(0);
  });
});
