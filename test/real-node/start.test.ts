import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ask, chatBody, textOf, until, type SaidChat } from './ask.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const state = mkdtempSync(path.join(tmpdir(), 'headrace-real-start-'));
afterAll(() => rmSync(state, { recursive: true, force: true }));

/** Runs `npm start` without npm until it says that it is ready. */
async function start(...flags: string[]) {
  const child = spawn(process.execPath, ['scripts/headrace.mjs', 'dev', '--port', '0', '--state', state, ...flags], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const pipe of [child.stdout, child.stderr]) pipe.on('data', (chunk: Buffer) => void (output += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const ready = (): string | undefined => /^ready (\S+)$/m.exec(output)?.[1];
  for (let polls = 0; polls < 6 && ready() === undefined; polls += 1)
    await until(async () => ready() !== undefined || child.exitCode !== null);
  const found = (pattern: RegExp): string => pattern.exec(output)?.[1] ?? '';
  return {
    url: ready() ?? '',
    key: found(/^key: +(\S+)$/m),
    engine: { url: found(/^real node: +(\S+) \(llama\.cpp/m) },
    stop: () => child.kill('SIGTERM'),
    exited,
  };
}

describe('npm start -- --real-node', () => {
  it('serves a real engine under its own model, says that it is real, and takes it along when it ends', async () => {
    const { url, key, engine, stop, exited } = await start('--no-devnet', '--real-node');
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'headrace/tiny-llama', ...chatBody() }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-headrace-endpoint')).toBe('real-tiny-llama');
    expect(textOf((await response.json()) as SaidChat)).toBe(textOf(await ask(engine)));
    stop();
    expect(await exited).toBe(0);
    await expect(fetch(`${engine.url}/health`)).rejects.toThrow();
  });
});
