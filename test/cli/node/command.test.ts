import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listKeptNodes, writeKeptNode } from '#cli/node/identity/key-file';
import { createKeyPair } from '#cli/node/identity/key-pair';
import { requestStatement } from '#schema/node-link';
import { SMALL_MODEL, startSmallEngine, type SmallEngine } from '#test/support/small-engine';
import { refusal, runHere, startFakeRouter, type FakeRouter } from '../fake-router.ts';
import { serve } from './engines/fixture-server.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'headrace-node-command-'));
const TOKEN = 'hr-join-0123456789abcdef';
let router: FakeRouter;
let engine: SmallEngine;
let state = '';
let runs = 0;

beforeAll(async () => {
  router = await startFakeRouter();
  engine = await startSmallEngine();
});
beforeEach(() => void (state = path.join(folder, String(runs++))));
afterEach(() => router.reset());
afterAll(async () => {
  await router.stop();
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

const node = (...argv: string[]) => runHere(['node', ...argv, '--state-dir', state]);
const join = (...argv: string[]) => node('join', '--router', router.url, '--upstream', engine.url, '--benchmark', 'none', ...argv);

function keep(name: string) {
  const kept = { node: name, router: router.url, keys: createKeyPair(), joinedAt: null };
  writeKeptNode(state, kept);
  return kept;
}

describe('headrace node join refuses in one line', () => {
  it.each<[why: string, argv: string[], code: number, words: RegExp]>([
    ['a price that is none', ['--price', 'cheap'], 2, /expected USD per million.*0\.02\/0\.06/],
    ['half a price', ['--price', '0.02'], 2, /expected USD per million/],
    ['a negative price', ['--price', '-1/2'], 2, /expected USD per million/],
    ['a country that is none', ['--jurisdiction', 'Germany'], 2, /two-letter country codes/],
    ['a name that is none', ['--name', '../../etc'], 2, /expected at most 64 letters/],
    ['a benchmark that does not exist', ['--benchmark', 'huge'], 2, /Allowed choices are none, short, full/],
    ['a card that nobody knows', ['--token', TOKEN, '--gpu', 'abacus'], 2, /--gpu abacus is not known/],
    [
      'a model that the engine does not have',
      ['--token', TOKEN, '--model', 'a=b'],
      1,
      /the engine has no model b \(it has Small\/Echo-1-FP8\)/,
    ],
    ['neither token nor key', [], 2, /has a key here: join with --token/],
    ['plain http to another machine', ['--token', TOKEN, '--router', 'http://192.0.2.1'], 2, /not encrypted: use https, or add --insecure/],
    ['an address with a password', ['--token', TOKEN, '--router', 'https://a:b@router.example.com'], 2, /holds a password/],
    ['a token that no header takes', ['--token', `${TOKEN}\u{1F511}`], 2, /--token holds a character that no key has/],
    ['a key that no header takes', ['--token', TOKEN, '--upstream-key', 'sk-a\nb'], 2, /--upstream-key holds a character that no key has/],
    ['an engine that is no address', ['--token', TOKEN, '--upstream', 'ftp://x'], 2, /not an address: ftp:\/\/x/],
    [
      'an engine that is not there',
      ['--token', TOKEN, '--upstream', 'http://127.0.0.1:9'],
      1,
      /nothing answers at .*start the engine first/,
    ],
  ])('%s', async (_why, argv, code, words) => {
    const ran = await join(...argv);
    expect(ran.code).toBe(code);
    expect(ran.err.trimEnd().split('\n').at(-1)).toMatch(words);
    expect(`${ran.out}${ran.err}`).not.toContain(TOKEN);
    expect(router.sent).toEqual([]);
  });

  it('an engine that refuses chats, with the engine’s reason and what to do', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/v1/models') response.end(JSON.stringify({ data: [{ id: 'embedder' }] }));
      else response.writeHead(request.url === '/v1/chat/completions' ? 400 : 404).end('{"error":{"message":"no chat template"}}');
    });
    const ran = await runHere(['node', 'join', '--router', router.url, '--token', TOKEN, '--state-dir', state, '--upstream', server.url]);
    expect(ran).toMatchObject({
      code: 1,
      err: expect.stringMatching(/the engine refuses chats \(400\): no chat template; .*--benchmark none/) as string,
    });
    await server.stop();
  });

  it('what the router refuses, and keeps no key of it', async () => {
    router.on('POST /nodes/join', () => refusal(401, 'invalid_api_key', 'The join token is unknown or has expired.'));
    const ran = await join('--token', TOKEN, '--name', 'rig');
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('headrace: The join token is unknown or has expired') as string });
    expect(listKeptNodes(state, router.url)).toEqual([]);
  });

  it('a router that is none', async () => {
    router.on('POST /nodes/join', () => ({ hello: 'world' }));
    expect(await join('--token', TOKEN)).toMatchObject({
      code: 1,
      err: expect.stringContaining('does not answer like a Headrace router') as string,
    });
  });
});

describe('headrace node join', () => {
  it('sends what was found and wished for, with the token as bearer', async () => {
    router.on('POST /nodes/join', () => refusal(403, 'permission_denied', 'Not today.'));
    await join(
      '--token',
      TOKEN,
      '--name',
      'rig',
      '--price',
      '0.02/0.06',
      '--jurisdiction',
      'de',
      '--max-concurrency',
      '4',
      '--gpu',
      'rtx-4090',
      '--model',
      `test/x=${SMALL_MODEL}`,
    );
    const [sent] = router.sent;
    expect(sent?.authorization).toBe(`Bearer ${TOKEN}`);
    expect(sent?.body).toMatchObject({
      node: 'rig',
      public_key: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/) as string,
      models: [{ upstream_model: SMALL_MODEL, model: 'test/x', price: { prompt: 0.02, completion: 0.06 } }],
      max_concurrency: 4,
      jurisdiction: ['DE'],
      description: {
        engine: { name: 'openai', version: null },
        gpu: { name: 'rtx-4090', count: 1 },
        models: [{ upstreamModel: SMALL_MODEL, context: 32_768 }],
      },
    });
  });

  it('with --once-checks looks and measures, and asks nobody else', async () => {
    const ran = await runHere([
      'node',
      'join',
      '--upstream',
      engine.url,
      '--once-checks',
      '--gpu',
      'rtx-4090',
      '--model',
      `qwen/qwen3-8b=${SMALL_MODEL}`,
    ]);
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(
      /✓ engine: an OpenAI-compatible server at .*\n {2}qwen\/qwen3-8b: the engine's Small\/Echo-1-FP8, context 32,768\n✓ GPU: rtx-4090 /,
    );
    expect(ran.out).toMatch(/predicted +measured\nfirst token, 1,150-token prompt/);
  });

  it('with --json says the same in one object a line', async () => {
    const ran = await runHere(['node', 'join', '--upstream', engine.url, '--once-checks', '--json']);
    const events = ran.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; at: string });
    expect(events.map(({ event }) => event)).toEqual(['benchmark', 'found']);
  });
});

describe('headrace node status, drain and leave', () => {
  it('sign with the node’s key, bound to method and path, and send nothing that could be used again elsewhere', async () => {
    const { keys } = keep('rig');
    router.on('POST /nodes/rig/drain', () => ({ data: {} }));
    expect(await node('drain', '--router', router.url)).toMatchObject({ code: 0 });
    const [sent] = router.sent;
    const [, id, at, signature] = /^Node (.+)\.(\d{13})\.([\w-]{86})$/.exec(sent?.authorization ?? '') ?? [];
    expect([id, sent?.body]).toEqual(['rig', { on: true }]);
    expect(Math.abs(Number(at) - Date.now())).toBeLessThan(10_000);
    const statement = requestStatement({ node: 'rig', atMs: Number(at), method: 'POST', path: '/v1/nodes/rig/drain' });
    expect(Buffer.from(signature ?? '', 'base64url').toString('base64')).toBe(keys.sign(statement));
  });

  it('show how a node stands, and take what others wrote for plain text', async () => {
    keep('rig');
    router.on('GET /nodes/rig', () => ({
      data: {
        id: 'rig',
        linked: true,
        linked_at: '2026-11-22T12:00:00.000Z',
        draining: false,
        streams: 3,
        load: { running: 3, waiting: 1, kv_usage: 0.41 },
        endpoints: [
          {
            id: 'rig',
            model: 'qwen/qwen3-8b',
            state: 'probation',
            reason: null,
            traffic_share: 0.01,
            price: { prompt: 0.02, completion: 0.06 },
          },
          { id: 'rig:b', model: 'x', state: 'quarantined', reason: 'no\u001b[2Jmodel', traffic_share: 0, price: null },
        ],
      },
    }));
    const { out } = await node('status', '--router', router.url);
    expect(out).toContain('rig: linked since 2026-11-22 12:00Z\n3 running, 1 waiting, cache 41 %; 3 through the router\n');
    expect(out).toMatch(/rig +qwen\/qwen3-8b +probation +1 % +\$0.02\/\$0.06 +–\n/);
    expect(out).toContain('no [2Jmodel');
  });

  it('keep the key where the router says no, and where nobody can be asked', async () => {
    keep('rig');
    expect(await node('leave', '--router', router.url)).toMatchObject({ code: 2, err: expect.stringContaining('add --yes') as string });
    router.on('DELETE /nodes/rig', () => refusal(401, 'invalid_api_key', 'The signature is too old.'));
    expect(await node('leave', '--yes', '--router', router.url)).toMatchObject({
      code: 1,
      err: expect.stringContaining('too old') as string,
    });
    expect(listKeptNodes(state, router.url)).toEqual(['rig']);
    router.on('DELETE /nodes/rig', () => refusal(404, 'not_found', 'No node of that id was found.'));
    expect(await node('leave', '--yes', '--router', router.url)).toMatchObject({ code: 0 });
    expect(listKeptNodes(state, router.url)).toEqual([]);
  });

  it('ask for a name where there are several nodes', async () => {
    keep('a');
    keep('b');
    expect(await node('status', '--router', router.url)).toMatchObject({
      code: 2,
      err: expect.stringContaining('name one of the nodes here with --name: a, b') as string,
    });
  });
});
