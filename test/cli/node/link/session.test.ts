import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BINARY, CHUNK_BYTES_MAX, CONTROL_CHARS_MAX, LINK_CLOSE, LINK_PROTOCOL, linkStatement, WINDOW_BYTES } from '#schema/node-link';
import { settleDown } from '#test/support/fake-clock';
import { DESCRIPTION, NODE, openSession, request, ROUTER } from './opened-session.ts';
import { silentEngine } from './silent-engine.ts';

const challenge = (more: object = {}) => ({
  type: 'challenge',
  protocol: LINK_PROTOCOL,
  nonce: 'once-and-never-again',
  router: ROUTER,
  ...more,
});

describe('the handshake', () => {
  it('signs the challenge for this router, this node and this nonce, and says what the node is', () => {
    const { say, frames, keys } = openSession({ isNew: true, load: { running: 1, waiting: 0, kvUsage: null } });
    say(challenge());
    const [hello] = frames;
    if (hello?.type !== 'hello') throw new Error('no hello');
    expect(hello).toMatchObject({ node: NODE, protocol: LINK_PROTOCOL, load: { running: 1 } });
    const x = Buffer.from(keys.publicKey, 'base64').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const statement = (router: string): Buffer => Buffer.from(linkStatement({ router, node: NODE, nonce: 'once-and-never-again' }));
    const signature = Buffer.from(hello.signature, 'base64');
    expect(verify(null, statement(ROUTER), key, signature)).toBe(true);
    expect(verify(null, statement('https://evil.example'), key, signature)).toBe(false);
  });

  it('signs nothing for a router that calls itself by another name', () => {
    const opened = openSession({ isNew: true });
    opened.say(challenge({ router: 'https://evil.example' }));
    expect(opened.frames).toEqual([]);
    expect(opened.closed?.code).toBe(LINK_CLOSE.refused);
    expect(opened.events).toEqual([{ type: 'broken', final: true, reason: expect.stringContaining('https://evil.example') as string }]);
  });

  it.each([
    [LINK_PROTOCOL + 1, 'update this command'],
    [LINK_PROTOCOL - 1, 'update the router'],
  ])('refuses protocol %i in words', (protocol, words) => {
    const opened = openSession({ isNew: true });
    opened.say(challenge({ protocol }));
    expect(opened.events).toEqual([{ type: 'broken', final: true, reason: expect.stringContaining(words) as string }]);
  });
});

describe('hostile routers', () => {
  const CASES: [what: string, send: (opened: ReturnType<typeof openSession>) => void][] = [
    ['a frame that is no JSON', ({ session }) => session.receive('{')],
    ['a frame of no known type', ({ say }) => say({ type: 'exec', command: 'rm' })],
    ['an oversize frame', ({ say }) => say(request(1, { headers: { a: 'x'.repeat(CONTROL_CHARS_MAX) } }))],
    ['a second challenge', ({ say }) => say(challenge())],
    ['a second welcome', ({ say }) => say({ type: 'welcome', node: NODE, drained: false, endpoints: [] })],
    ['two requests with one number', ({ say }) => [say(request(4)), say(request(4))]],
    ['a number that goes backwards', ({ say }) => [say(request(4)), say(request(3))]],
    ['a body for a request that was never made', ({ binary }) => binary(BINARY.data, 9, new Uint8Array(1))],
    ['a binary frame that is too short', ({ session }) => session.receive(new ArrayBuffer(3))],
    ['a binary frame that is too long', ({ session }) => session.receive(new ArrayBuffer(CHUNK_BYTES_MAX + 6))],
    ['a kind that does not exist', ({ say, binary }) => [say(request(1)), binary(9 as 1, 1)]],
    ['a head, which is the node’s to say', ({ say, binary }) => [say(request(1)), binary(BINARY.head, 1)]],
    ['a bundle, which is the node’s to make', ({ say, binary }) => [say(request(1)), binary(BINARY.bundle, 1)]],
    ['body bytes behind a body that came whole', ({ say, binary }) => [say(request(1)), binary(BINARY.data, 1, new Uint8Array(1))]],
    ['credit that was never due', ({ say, credit }) => [say(request(1)), credit(1, 1)]],
    ['credit that cannot be read', ({ say, binary }) => [say(request(1)), binary(BINARY.credit, 1, new Uint8Array(2))]],
    [
      'a body longer than announced',
      ({ say, binary }) => [say(request(1, { body: undefined, bodyBytes: 2 })), binary(BINARY.data, 1, new Uint8Array(3))],
    ],
    ['a body shorter than announced', ({ say, binary }) => [say(request(1, { body: undefined, bodyBytes: 2 })), binary(BINARY.end, 1)]],
  ];

  it.each(CASES)('are cut off for %s, and every request is let go', async (_what, send) => {
    const engine = silentEngine();
    const opened = openSession({ askEngine: engine.ask });
    send(opened);
    await settleDown();
    expect(opened.closed?.code).toBe(LINK_CLOSE.violation);
    expect(opened.events).toContainEqual(expect.objectContaining({ type: 'broken', final: false }));
    expect(opened.session.streams).toBe(0);
    const before = opened.frames.length;
    opened.say(request(99));
    expect(opened.frames.length).toBe(before);
  });

  it('are cut off for requests before the node was let in', () => {
    const opened = openSession({ isNew: true });
    opened.say(challenge());
    opened.say(request(1));
    expect(opened.closed?.code).toBe(LINK_CLOSE.violation);
  });

  it('cannot send more of a body than the window while the engine does not read', async () => {
    const opened = openSession({ askEngine: silentEngine().ask });
    opened.say(request(1, { body: undefined, bodyBytes: WINDOW_BYTES * 2 }));
    for (let sent = 0; sent < WINDOW_BYTES; sent += CHUNK_BYTES_MAX) opened.binary(BINARY.data, 1, new Uint8Array(CHUNK_BYTES_MAX));
    expect(opened.closed).toBeNull();
    opened.binary(BINARY.data, 1, new Uint8Array(1));
    expect(opened.closed?.code).toBe(LINK_CLOSE.violation);
  });

  it.each(['/v1/files', '/v1/chat/completions/../../admin', '/v1/chat/completions?x=1', '//evil.example', '/metrics#', '/V1/MODELS'])(
    'S10: get 404 for %s, and the engine hears nothing',
    async (path) => {
      let asked = 0;
      const opened = openSession({ askEngine: async () => (asked++, Response.json({})) });
      opened.say(request(1, { path }));
      await settleDown();
      expect(opened.answered(1)).toMatchObject({ status: 404, ended: true });
      expect(asked).toBe(0);
    },
  );

  it('S10: get 404 for the wrong method on a path that is served', async () => {
    const opened = openSession();
    opened.say(request(1, { method: 'GET' }));
    opened.say(request(2, { path: '/metrics' }));
    await settleDown();
    expect([opened.answered(1).status, opened.answered(2).status]).toEqual([404, 404]);
  });
});

describe('a node whose engine has changed', () => {
  it('says so to a router that hears of it, and why it can serve nothing', () => {
    const opened = openSession({ hearsChanges: true, trouble: () => 'its engine is loading' });
    expect(opened.frames[0]).toMatchObject({ type: 'hello', trouble: 'its engine is loading' });
    opened.session.tellStanding();
    expect(opened.frames.at(-1)).toEqual({ type: 'describe', description: DESCRIPTION, trouble: 'its engine is loading' });
  });

  it('sends nothing that an older router would close the link for', () => {
    const opened = openSession({ trouble: () => 'its engine is loading' });
    opened.session.tellStanding();
    expect(opened.frames).toHaveLength(1);
    expect(opened.frames[0]).not.toHaveProperty('trouble');
  });
});

describe('a router that would take the memory of this machine', () => {
  it('cannot have more kept for a slow engine than a link may hold', () => {
    const opened = openSession({ askEngine: () => new Promise(() => undefined) });
    for (let stream = 1; stream <= 200 && opened.closed === null; stream++) {
      opened.say(request(stream, { body: undefined, bodyBytes: WINDOW_BYTES }));
      for (let piece = 0; piece < 4 && opened.closed === null; piece++) opened.binary(BINARY.data, stream, new Uint8Array(CHUNK_BYTES_MAX));
    }
    expect(opened.closed).toMatchObject({
      code: LINK_CLOSE.violation,
      reason: expect.stringContaining('more than a link may hold') as string,
    });
  });
});

describe('a router that would reach more of this machine than the engine’s chat', () => {
  it.each([
    '/v1/chat/completions/../../admin',
    '/v1/../metrics',
    '//v1/chat/completions',
    '/v1//chat/completions',
    '/v1/chat/completions?x=1',
    '/v1/chat/completions#x',
    '/v1/chat%2fcompletions',
    '/v1/chat/completions%00',
    '/V1/chat/completions',
    '\\v1\\chat\\completions',
    'http://169.254.169.254/latest/meta-data',
    '//169.254.169.254/v1/models',
    '@169.254.169.254/v1/models',
    '/api/pull',
    '/slots/0?action=save',
    '',
  ])('S10: does not get %j', async (path) => {
    const asked: string[] = [];
    const opened = openSession({ askEngine: async ({ path: reached }) => (asked.push(reached), Response.json({})) as never });
    for (const [stream, method] of [
      [1, 'POST'],
      [2, 'GET'],
    ] as const)
      opened.say(request(stream, { path, method, body: undefined }));
    await expect.poll(() => [opened.answered(1).status, opened.answered(2).status]).toEqual([404, 404]);
    expect(asked).toEqual([]);
  });
});
