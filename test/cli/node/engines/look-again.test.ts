import { afterEach, describe, expect, it } from 'vitest';
import { lookAgain } from '#cli/node/engines/look-again';
import { vllm } from '#cli/node/engines/vllm';
import { serve, serveFixture, type FixtureServer } from './fixture-server.ts';

const open: FixtureServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.stop();
});

async function lookAt(server: Promise<FixtureServer>) {
  const options = await server;
  open.push(options);
  return lookAgain({ adapter: vllm, options: { ...options, timeoutMs: 500 } });
}

describe('an engine that is looked at again', () => {
  it('is found with its models', async () => {
    expect(await lookAt(serveFixture('vllm'))).toMatchObject({ found: { adapter: { name: 'vllm' } } });
  });

  it('is found as another one where another listens there now', async () => {
    expect(await lookAt(serveFixture('sglang'))).toMatchObject({ found: { adapter: { name: 'sglang' } } });
  });

  it('is loading, or serves nothing, in words', async () => {
    expect(await lookAt(serve((_request, response) => void response.writeHead(503).end()))).toEqual({ trouble: 'its engine is loading' });
    expect(await lookAt(serve((_request, response) => void response.writeHead(404).end()))).toEqual({
      trouble: 'its engine does not answer as one',
    });
  });

  it('decides nothing where a part of the answer is late', async () => {
    const late = serve((request, response) => {
      if (request.url !== '/metrics') response.writeHead(404).end();
    });
    expect(await lookAt(late)).toBeNull();
  });
});
