import type { RequestListener } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { ask } from '#cli/node/engines/answers';
import { detect } from '#cli/node/engines/detect';
import { serve, serveFixture, type FixtureServer } from './fixture-server.ts';

const open: FixtureServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.stop();
});

async function opened(server: Promise<FixtureServer>): Promise<FixtureServer> {
  open.push(await server);
  return server;
}
const at = (listener: RequestListener): Promise<FixtureServer> => opened(serve(listener));
const found = (server: FixtureServer, timeoutMs = server.timeoutMs) => detect({ ...server, timeoutMs }, () => {}, 0);

describe('detection over the network', () => {
  it.each(['vllm', 'sglang', 'llama-server', 'ollama', 'tgi', 'lmdeploy', 'tabbyapi', 'openai'])('finds %s', async (name) => {
    const server = await opened(serveFixture(name));
    expect((await found(server)).adapter.name).toBe(name === 'llama-server' ? 'llama-cpp' : name);
  });

  it.each<[what: string, listener: RequestListener, words: RegExp]>([
    [
      'a web page',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>hi</html>'),
      /web page.*is the port right/,
    ],
    ['an engine that asks for a key', (_, response) => response.writeHead(401).end('{}'), /asks for a key.*--upstream-key/],
    [
      'a server that knows nothing',
      (_, response) => response.writeHead(404).end('{"error":{"message":"no such thing"}}'),
      /404, no such thing/,
    ],
    ['an engine without a model', (_, response) => response.end('{"object":"list","data":[]}'), /serves no model/],
    ['a redirect', (_, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(), /does not speak OpenAI/],
    ['silence', () => {}, /nothing answers/],
    ['a body that never ends', (_, response) => void response.writeHead(200).write('{"data":['), /nothing answers/],
  ])('says of %s what to do, in time', async (what, listener, words) => {
    const startedAtMs = performance.now();
    const isSilent = what === 'silence' || what === 'a body that never ends';
    await expect(found(await at(listener), isSilent ? 200 : 5_000)).rejects.toThrow(words);
    expect(performance.now() - startedAtMs).toBeLessThan(20_000);
  });

  it('says that nothing answers where nothing listens', async () => {
    const server = await serve(() => {});
    await server.stop();
    await expect(found(server)).rejects.toThrow(/nothing answers at .*start the engine first/);
  });

  it('waits for an engine that is loading its model', async () => {
    let isReady = false;
    let waited = 0;
    const server = await at((request, response) => {
      const models = { object: 'list', data: [{ id: 'm', owned_by: 'llamacpp' }] };
      if (!isReady) response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":{"message":"Loading model"}}');
      else response.end(JSON.stringify(request.url === '/v1/models' ? models : {}));
    });
    await expect(found(server)).rejects.toThrow(/still loading/);
    const pending = detect(server, () => {
      waited++;
      isReady = true;
    });
    expect((await pending).adapter.name).toBe('llama-cpp');
    expect(waited).toBe(1);
  });

  it('says that the engine refuses the key that it was given', async () => {
    const server = await at((_request, response) => response.writeHead(401).end('{}'));
    await expect(detect({ ...server, key: 'sk-wrong' }, () => {})).rejects.toThrow(/refuses the key of --upstream-key/);
  });

  it('asks what the first answers lead to: Ollama, what each model is made for', async () => {
    const server = await at((request, response) => {
      const answers: Record<string, object> = {
        'GET /api/version': { version: '0.17.4' },
        'GET /api/tags': { models: [{ model: 'seer' }] },
        'POST /api/show': { capabilities: ['completion', 'vision'], parameters: 'num_ctx 2048' },
      };
      response.end(JSON.stringify(answers[`${request.method} ${request.url}`] ?? {}));
    });
    expect((await found(server)).models).toMatchObject([{ upstreamModel: 'seer', context: 2_048, can: { tools: false, vision: true } }]);
  });

  it('sends the engine’s key and follows no redirect', async () => {
    const seen: unknown[] = [];
    const server = await at((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    const answers = await ask(['/v1/models'], { ...server, key: 'engine-key' });
    expect(seen).toEqual(['Bearer engine-key']);
    expect(answers.get('/v1/models')?.status).toBe(307);
  });

  it('reads no more than 2 MiB of an answer', async () => {
    let written = 0;
    const server = await at((_, response) => {
      const fill = (): void => {
        while (written < 64 * 1024 * 1024 && response.write(Buffer.alloc(256 * 1024))) written += 256 * 1024;
      };
      response.on('drain', fill);
      fill();
    });
    const answer = (await ask(['/metrics'], { ...server, timeoutMs: 5_000 })).get('/metrics');
    expect(answer).toMatchObject({ status: 200, text: null });
    expect(written).toBeLessThan(32 * 1024 * 1024);
  });
});
