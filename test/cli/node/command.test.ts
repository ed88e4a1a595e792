import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listKeptNodes } from '#cli/node/identity/key-file';
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
/** Joins with the token, keeping the key in a folder of the test's choice. */
const joinFrom = (stateDir: string, ...argv: string[]) =>
  runHere(['node', 'join', '--router', router.url, '--token', TOKEN, '--state-dir', stateDir, ...argv]);
const join = (...argv: string[]) => node('join', '--router', router.url, '--upstream', engine.url, '--benchmark', 'none', ...argv);

describe('headrace node join refuses in one line', () => {
  it.each<[why: string, argv: string[], code: number, words: RegExp]>([
    ['a price that is none', ['--price', 'cheap'], 2, /expected USD per million.*0\.02\/0\.06/],
    ['half a price', ['--price', '0.02'], 2, /expected USD per million/],
    ['a negative price', ['--price', '-1/2'], 2, /expected USD per million/],
    ['a country that is none', ['--jurisdiction', 'Germany'], 2, /two-letter country codes/],
    ['a name that is none', ['--name', '../../etc'], 2, /expected at most 64 letters/],
    ['a benchmark that does not exist', ['--benchmark', 'huge'], 2, /Allowed choices are none, short, full/],
    ['a card that nobody knows', ['--token', TOKEN, '--gpu', 'abacus'], 2, /--gpu abacus is not known/],
    ['a price for a model that is not served', ['--token', TOKEN, '--price', 'other=1/2'], 2, /--price names other, which is not served/],
    [
      'a model that the engine does not have',
      ['--token', TOKEN, '--model', 'a=b'],
      1,
      /the engine has no model b \(it has Small\/Echo-1-FP8\)/,
    ],
    ['a codec that nobody knows', ['--token', TOKEN, '--kv-cache', 'gold'], 2, /--kv-cache: unknown KV codec 'gold'/],
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

  it('a folder that takes no key, before anything is measured', async () => {
    writeFileSync(path.join(folder, 'file'), '');
    const stateDir = path.join(folder, 'file', 'nodes');
    const ran = await joinFrom(stateDir, '--upstream', engine.url);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toBe(`headrace: cannot keep the node's key in ${stateDir}: ENOTDIR; name another folder with --state-dir\n`);
  });

  it('an engine that refuses chats, with the engine’s reason and what to do', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/v1/models') response.end(JSON.stringify({ data: [{ id: 'embedder' }] }));
      else response.writeHead(request.url === '/v1/chat/completions' ? 400 : 404).end('{"error":{"message":"no chat template"}}');
    });
    const ran = await joinFrom(state, '--upstream', server.url);
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

  it('measures and prices each of several models, and leaves out one that does not chat', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/v1/models') return void response.end(JSON.stringify({ data: [{ id: 'a' }, { id: 'b' }, { id: 'embedder' }] }));
      if (request.url !== '/v1/chat/completions') return void response.writeHead(404).end();
      let body = '';
      request.on('data', (bytes) => (body += String(bytes)));
      request.on('end', () => {
        const { model } = JSON.parse(body) as { model: string };
        if (model === 'embedder') return void response.writeHead(400).end('{"error":{"message":"no chat template"}}');
        response.end('data: {"choices":[{"delta":{"content":"word"}}]}\n\ndata: {"choices":[{"delta":{"content":" word"}}]}\n\n');
      });
    });
    router.on('POST /nodes/join', () => refusal(403, 'permission_denied', 'Not today.'));
    const wishes = ['--price', '0.02/0.06', '--price', 'b=1/2'];
    const ran = await joinFrom(state, '--upstream', server.url, ...wishes);
    expect(ran.err).toContain('embedder is left out: the engine refuses chats with it (400): no chat template');
    expect(ran.out).toMatch(/✓ benchmark of a[^]*✓ benchmark of b/);
    const body = router.sent[0]?.body as {
      models: object[];
      description: { models: { upstreamModel: string; measured: object | null }[] };
    };
    expect(body.models).toEqual([
      { upstream_model: 'a', model: 'a', price: { prompt: 0.02, completion: 0.06 } },
      { upstream_model: 'b', model: 'b', price: { prompt: 1, completion: 2 } },
    ]);
    expect(body.description.models.map(({ upstreamModel, measured }) => [upstreamModel, measured !== null])).toEqual([
      ['a', true],
      ['b', true],
    ]);
    await server.stop();
  });

  it('declares the codec that is named for an engine that does not tell it, and says that it is declared', async () => {
    router.on('POST /nodes/join', () => refusal(403, 'permission_denied', 'Not today.'));
    const ran = await join('--token', TOKEN, '--name', 'rig', '--kv-cache', 'Q8_0/Q4_0');
    expect(router.sent[0]?.body).toMatchObject({ description: { models: [{ kvCache: 'q8_0/q4_0' }] } });
    expect(ran.out).toContain('KV cache q8_0/q4_0 (declared)');
    const found = (await join('--once-checks', '--json', '--kv-cache', 'q8_0')).out;
    expect(JSON.parse(found)).toMatchObject({
      event: 'found',
      kv_cache_declared: [SMALL_MODEL],
      description: { models: [{ kvCache: 'q8_0' }] },
    });
  });

  it('says what the engine does not tell, with the flags for it, and nothing of what its operator has said', async () => {
    const asked = await join('--once-checks');
    expect(asked.err).toContain(
      'does not tell how its KV cache is stored (--kv-cache), nor how many tokens fit (--kv-pool), nor how many requests it runs at once (--max-concurrency)',
    );
    const said = await join('--once-checks', '--kv-cache', 'q8_0', '--kv-pool', '40960', '--max-concurrency', '4');
    expect(said.err).toBe('');
    expect(said.out).toContain('40,960 tokens fit (declared)');
    expect(JSON.parse((await join('--once-checks', '--json', '--kv-pool', '40960')).out)).toMatchObject({
      kv_pool_declared: [SMALL_MODEL],
      description: { models: [{ capacity: { poolTokens: 40_960 } }] },
    });
  });

  it('takes the engine’s word for the codec where it tells one, and says that the flag counts for nothing', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/version') return void response.end('{"version":"0.32.0"}');
      if (request.url === '/v1/models') return void response.end('{"data":[{"id":"a","max_model_len":4096,"owned_by":"vllm"}]}');
      if (request.url === '/metrics') return void response.end('vllm:cache_config_info{cache_dtype="fp8",block_size="16"} 1\n');
      response.writeHead(request.url === '/health' ? 200 : 404).end();
    });
    const ran = await join('--upstream', server.url, '--once-checks', '--kv-cache', 'q4_0');
    expect(ran.err).toContain('--kv-cache q4_0 counts only where the engine does not tell: here it says fp8');
    expect(ran.out).toContain('KV cache fp8');
    expect(ran.out).not.toContain('declared');
    await server.stop();
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
