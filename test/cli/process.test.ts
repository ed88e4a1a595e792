import { spawn } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MANAGEMENT_KEY, startFakeRouter, type FakeRouter } from './fake-router.ts';

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');

let router: FakeRouter;
beforeAll(async () => void (router = await startFakeRouter()));
afterAll(() => router.stop());

const start = (...argv: string[]) =>
  spawn(process.execPath, [MAIN, ...argv, '--url', router.url, '--key', MANAGEMENT_KEY], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FORCE_COLOR: undefined },
  });

const ended = (child: ReturnType<typeof start>): Promise<{ code: number | null; err: string }> =>
  new Promise((resolve) => {
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.once('close', (code) => resolve({ code, err }));
  });

describe('the command as a process', () => {
  it('ends with 130 and no word at Ctrl-C', async () => {
    let arrived = (): void => {};
    const asked = new Promise<void>((resolve) => (arrived = resolve));
    router.on('GET /teams', () => {
      arrived();
      return new Promise<object>(() => {});
    });
    const child = start('teams');
    const end = ended(child);
    await asked;
    child.kill('SIGINT');
    expect(await end).toEqual({ code: 130, err: '' });
  });

  it('is quiet when its reader has seen enough', async () => {
    const entry = {
      id: 'a',
      at: '2026-11-22T12:00:00.000Z',
      actor: 'x',
      action: 'y',
      object: 'z'.repeat(2000),
      from_version: null,
      to_version: null,
      changes: {},
    };
    router.on('GET /audit', ({ query }) => ({ data: Array.from({ length: Number(query.limit) }, () => entry), next_cursor: 'more' }));
    const child = start('audit', '--limit', '2000', '--json');
    const end = ended(child);
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await end).toEqual({ code: 0, err: '' });
  });

  it('writes no colours into a pipe, and every byte before it ends', async () => {
    const rows = Array.from({ length: 5000 }, (_, index) => ({
      name: `policy-${index}`,
      version: 1,
      document: { optimize: 'price' },
      updated_at: null,
    }));
    router.on('GET /policies', () => ({ data: rows, default: 'policy-0' }));
    const child = start('policies');
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    expect(await ended(child)).toEqual({ code: 0, err: '' });
    expect(out.trimEnd().split('\n')).toHaveLength(5001);
    // oxlint-disable-next-line no-control-regex -- escapes are what is looked for
    expect(out).not.toMatch(/\u001b/);
  });
});
