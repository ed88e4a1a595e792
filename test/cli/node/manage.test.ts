import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listKeptNodes, statusFileOf, writeKeptNode } from '#cli/node/identity/key-file';
import { createKeyPair } from '#cli/node/identity/key-pair';
import { writeStatus } from '#cli/node/status-file';
import { requestStatement } from '#schema/node-link';
import { refusal, runHere, startFakeRouter, type FakeRouter } from '../fake-router.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'headrace-node-manage-'));
let router: FakeRouter;
let state = '';
let runs = 0;

beforeAll(async () => void (router = await startFakeRouter()));
beforeEach(() => void (state = path.join(folder, String(runs++))));
afterEach(() => router.reset());
afterAll(async () => {
  await router.stop();
  rmSync(folder, { recursive: true, force: true });
});

const node = (...argv: string[]) => runHere(['node', ...argv, '--state-dir', state]);

function keep(name: string) {
  const kept = { node: name, router: router.url, keys: createKeyPair(), joinedAt: null };
  writeKeptNode(state, kept);
  return kept;
}

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

  it('need no router’s address: it is the one that the node has joined', async () => {
    keep('rig');
    router.on('POST /nodes/rig/drain', () => ({ data: {} }));
    expect(await node('drain')).toMatchObject({ code: 0 });
    expect(router.sent).toHaveLength(1);
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
            held_price: { price: { prompt: 9, completion: 12 }, reason: 'it rose', state: 'held' },
          },
          { id: 'rig:b', model: 'x', state: 'quarantined', reason: 'no\u001b[2Jmodel', traffic_share: 0, price: null },
        ],
      },
    }));
    const { out } = await node('status', '--router', router.url);
    expect(out).toContain('rig: linked since 2026-11-22 12:00Z\n3 running, 1 waiting, cache 41 %; 3 through the router\n');
    expect(out).toMatch(/rig +qwen\/qwen3-8b +probation +1 % +\$0.02\/\$0.06 +\$9\/\$12 held +–\n/);
    expect(out).toContain('no [2Jmodel');
  });

  it('show what the node says itself, also where its router cannot be asked', async () => {
    const kept = keep('rig');
    const now = new Date().toISOString();
    const status = {
      upstream: 'http://127.0.0.1:8000',
      engine: { name: 'vllm' as const, version: '0.32.0' },
      models: ['qwen/qwen3-8b'],
      linked: false,
    };
    const counts = { load: null, streams: 0, served: 12, failed: 0, completion_tokens: 345 };
    const file = statusFileOf(state, kept.router, 'rig');
    const written = {
      pid: process.pid,
      started_at: now,
      at: now,
      draining: false,
      trouble: 'its engine is loading',
      ...status,
      ...counts,
    };
    writeStatus(file, written);
    router.on('GET /nodes/rig', () => ({ data: { id: 'rig' } }));
    const ran = await node('status', '--router', router.url, '--json');
    expect(JSON.parse(ran.out)).toMatchObject({ data: { id: 'rig' }, agent: { trouble: 'its engine is loading', served: 12 } });
    writeKeptNode(state, { ...kept, router: 'http://127.0.0.1:9' });
    const far = statusFileOf(state, 'http://127.0.0.1:9', 'rig');
    writeStatus(far, written);
    const alone = await node('status', '--router', 'http://127.0.0.1:9');
    expect(alone.code).toBe(3);
    expect(alone.out).toMatch(/here: running since .*not linked, its engine is loading; 12 served, 345 tokens\nengine: vllm 0.32.0 at/);
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
