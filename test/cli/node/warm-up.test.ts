import { afterEach, describe, expect, it } from 'vitest';
import { warmUp } from '#cli/node/benchmark/warm-up';
import { serve, type FixtureServer } from './engines/fixture-server.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function opened(server: Promise<FixtureServer>): Promise<FixtureServer> {
  stops.push((await server).stop);
  return server;
}

describe('the warm-up', () => {
  it('asks once for log probabilities and once for a schema, a few tokens each, and reads the answers to their end', async () => {
    const bodies: Record<string, unknown>[] = [];
    let finished = 0;
    const server = await opened(
      serve((request, response) => {
        let text = '';
        request.on('data', (bytes: Buffer) => (text += bytes.toString()));
        request.on('end', () => {
          bodies.push(JSON.parse(text) as Record<string, unknown>);
          response.on('finish', () => finished++);
          response.write('{');
          response.end('}');
        });
      }),
    );
    await warmUp({ ...server, model: 'm' });
    expect(bodies.map(({ logprobs, response_format: format }) => [logprobs ?? false, format !== undefined])).toEqual(
      expect.arrayContaining([
        [true, false],
        [false, true],
      ]),
    );
    for (const body of bodies) expect(body).toMatchObject({ model: 'm', max_tokens: 2 });
    expect(finished).toBe(2);
  });

  it('lets an engine that refuses, and one that is gone, be', async () => {
    const server = await opened(serve((_, response) => response.writeHead(400).end('{"error":{"message":"no logprobs here"}}')));
    await expect(warmUp({ ...server, model: 'm' })).resolves.toBeUndefined();
    await server.stop();
    await expect(warmUp({ ...server, model: 'm' })).resolves.toBeUndefined();
  });
});
