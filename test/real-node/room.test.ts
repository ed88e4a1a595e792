import { spawn } from 'node:child_process';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { spawnEngine, type RunningEngine } from '#engine/llama/spawn';
import { openReader, readStream } from '#test/support/read-stream';
import { findFreePort } from '#test/support/free-port';
import { ask, chatBody, post, readMetric, until } from './ask.ts';

const running: RunningEngine[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((engine) => engine.stop()));
});

async function start(...flags: string[]): Promise<RunningEngine> {
  const engine = await spawnEngine(['--ctx', '8192', ...flags]);
  running.push(engine);
  return engine;
}

/** Begins an answer that takes seconds, and resolves when its first word has come. */
async function occupy(engine: RunningEngine): Promise<{ leave(): void; response: Response }> {
  const client = new AbortController();
  const response = await post(engine, 'chat/completions', chatBody({ stream: true, max_tokens: 8000 }), client.signal);
  expect(response.status).toBe(200);
  return { leave: () => client.abort(), response };
}

const processing = (engine: RunningEngine): Promise<number> => readMetric(engine, 'llamacpp:requests_processing');

describe('when every slot is busy', () => {
  it('the next request is refused at once with llama-server’s 503, and one that comes later is not', async () => {
    const engine = await start('--slots', '2');
    const clients = [await occupy(engine), await occupy(engine)];
    const response = await post(engine, 'chat/completions', chatBody());
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ error: { code: 503, message: 'every slot is busy', type: 'unavailable_error' } });
    expect(await processing(engine)).toBe(2);
    clients.forEach(({ leave }) => leave());
    await until(async () => (await processing(engine)) === 0);
    expect((await ask(engine)).usage.completion_tokens).toBe(40);
  });

  it('a client that leaves ends its generation and frees its slot, streaming or not', async () => {
    const engine = await start('--slots', '1');
    const stream = await occupy(engine);
    stream.leave();
    await until(async () => (await processing(engine)) === 0);
    expect(await processing(engine)).toBe(0);
    const client = new AbortController();
    const whole = post(engine, 'chat/completions', chatBody({ max_tokens: 8000 }), client.signal).catch(() => 'left');
    await until(async () => (await processing(engine)) === 1);
    client.abort();
    expect(await whole).toBe('left');
    await until(async () => (await processing(engine)) === 0);
    expect(await processing(engine)).toBe(0);
    expect(await readMetric(engine, 'llamacpp:tokens_predicted_total')).toBeLessThan(8000);
  });

  it('with a queue the next waits its turn, is counted as deferred, and only who finds the queue full is refused', async () => {
    const engine = await start('--slots', '1', '--queue', '1');
    const first = await occupy(engine);
    const second = ask(engine);
    await until(async () => (await readMetric(engine, 'llamacpp:requests_deferred')) === 1);
    expect((await post(engine, 'chat/completions', chatBody())).status).toBe(503);
    first.leave();
    expect((await second).usage.completion_tokens).toBe(40);
    expect(await readMetric(engine, 'llamacpp:requests_deferred')).toBe(0);
  });

  it('several answers at once each say what their prompt asks for', async () => {
    const engine = await start('--slots', '4');
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, place) => ask(engine, { messages: [{ role: 'user', content: `Question ${place}` }], max_tokens: 200 })),
    );
    expect(answers.map(({ usage }) => usage.completion_tokens)).toEqual([200, 200, 200, 200]);
    expect(new Set(answers.map(({ choices }) => choices[0].message.content)).size).toBe(4);
  });
});

describe('the life of the engine', () => {
  it('begins with 503 to every question while the model loads', async () => {
    const port = await findFreePort();
    const main = path.resolve(import.meta.dirname, '../../engine/llama/main.ts');
    const child = spawn(process.execPath, [main, '--port', String(port)], { stdio: 'ignore' });
    const seen: number[] = [];
    await until(async () => {
      const response = await fetch(`http://127.0.0.1:${port}/health`).catch(() => null);
      if (response !== null) seen.push(response.status);
      return response?.status === 200;
    });
    child.kill();
    expect(seen[0]).toBe(503);
    expect(seen.slice(0, -1).every((status) => status === 503)).toBe(true);
    expect(seen.at(-1)).toBe(200);
  });

  it('ends after the answer that it is giving, and takes no new one', async () => {
    const engine = await spawnEngine(['--ctx', '4096']);
    const response = await post(engine, 'chat/completions', chatBody({ stream: true, max_tokens: 200 }));
    const reader = openReader(response);
    await reader.until(({ text }) => text !== '');
    const stopped = engine.stop();
    const isRefused = () =>
      fetch(`${engine.url}/health`).then(
        () => false,
        () => true,
      );
    await until(isRefused);
    expect(await isRefused()).toBe(true);
    await reader.until(() => false);
    expect(reader.seen.text).toHaveLength(200);
    expect(reader.seen.done).toBe(true);
    await stopped;
    expect(await engine.exited).toBe(0);
  });

  it('is refused in one line for a wrong option', async () => {
    await expect(spawnEngine(['--cache-type-k', 'turbo3'])).rejects.toThrow(/^llama engine: --cache-type-k must be one of f16, [^\n]+$/);
    await expect(spawnEngine(['--model', 'no-such-file.gguf'])).rejects.toThrow(/^llama engine: /);
  });

  it('says what it was asked again after an interrupted answer', async () => {
    const engine = await start('--slots', '1');
    const before = await ask(engine);
    (await occupy(engine)).leave();
    await until(async () => (await processing(engine)) === 0);
    const again = await readStream(await post(engine, 'chat/completions', chatBody({ stream: true })));
    expect(again.text).toBe(before.choices[0].message.content);
  });
});
