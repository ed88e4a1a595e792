import { afterEach, describe, expect, it } from 'vitest';
import { llamaServer } from '#cli/node/engines/llama-server';
import { openai } from '#cli/node/engines/openai';
import { vllm } from '#cli/node/engines/vllm';
import { createReading } from '#cli/node/link/read-engine';
import { serve, serveFixture, type FixtureServer } from '../engines/fixture-server.ts';

const open: FixtureServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.stop();
});

async function opened(server: Promise<FixtureServer>): Promise<FixtureServer> {
  open.push(await server);
  return server;
}

describe('a look at the engine', () => {
  it('reads its load', async () => {
    expect(await createReading(vllm, await opened(serveFixture('vllm')))()).toEqual({ load: { running: 3, waiting: 1, kvUsage: 0.4125 } });
  });

  it('asks a second time where the first answers allow it', async () => {
    const busy = await opened(serveFixture('llama-server-busy'));
    expect(await createReading(llamaServer, busy)()).toEqual({ load: { running: 2, waiting: 1, kvUsage: (714 + 714) / 2048 } });
    expect(await createReading(llamaServer, busy, 4096)()).toEqual({ load: { running: 2, waiting: 1, kvUsage: (714 + 714) / 4096 } });
    const asleep = await opened(serveFixture('llama-server-asleep'));
    expect(await createReading(llamaServer, asleep)()).toEqual({ load: { running: 0, waiting: null, kvUsage: null } });
  });

  it('finds it there without a load where it tells none', async () => {
    expect(await createReading(openai, await opened(serveFixture('openai')))()).toEqual({ load: null });
    const troubled = await opened(serve((_, response) => response.writeHead(500).end('<html>')));
    expect(await createReading(vllm, troubled)()).toEqual({ load: null });
  });

  it('takes an engine that sleeps until its operator wakes it for none', async () => {
    const asleep = await opened(
      serve((_, response) => response.end('vllm:num_requests_running 0.0\nvllm:engine_sleep_state{sleep_state="awake"} 0.0\n')),
    );
    expect(await createReading(vllm, asleep)()).toBe('gone');
  });

  it('takes a late answer for a busy engine', async () => {
    const silent = await opened(serve(() => {}));
    expect(await createReading(vllm, { ...silent, timeoutMs: 50 })()).toBe('busy');
  });

  it.each(['127.0.0.1', 'localhost'])('takes a refused connection to %s for none', async (host) => {
    const server = await serve(() => {});
    await server.stop();
    expect(await createReading(vllm, { ...server, url: server.url.replace('127.0.0.1', host) })()).toBe('gone');
  });
});
