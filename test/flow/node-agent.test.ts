import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeKeptNode } from '#cli/node/identity/key-file';
import { createKeyPair } from '#cli/node/identity/key-pair';
import { openHouse, type House } from '#test/support/house';
import { startNode, type NodeCommand } from '#test/support/node-command';
import { answer } from '#test/support/openai-scripts';
import { pause } from '#test/support/pause';
import { admitNode } from '#test/support/scripted-node';
import { SMALL_MODEL, startSmallEngine, type SmallEngine } from '#test/support/small-engine';

/** A node for each test: what the router learns of one must not steer the next. */
const NODES = Array.from({ length: 8 }, (_, index) => `rig-${index}`);
let tests = 0;
let rig = '';
const stateDir = mkdtempSync(path.join(tmpdir(), 'headrace-node-agent-'));
let house: House;
let engine: SmallEngine;
const running: NodeCommand[] = [];

/** Starts the command for the node that has its key here. */
function startRig(...args: string[]): NodeCommand {
  const command = startNode(
    '--router',
    house.url,
    '--name',
    rig,
    '--state-dir',
    stateDir,
    '--upstream',
    engine.url,
    '--benchmark',
    'none',
    ...args,
  );
  running.push(command);
  return command;
}

/** Asks for the node first; a conversation of its own each time, so that nobody's prompt cache decides. */
let conversations = 0;
const chat = (body: object = {}, init: RequestInit = {}): Promise<Response> =>
  house.chat(
    { provider: { order: [rig, 'spare'] }, messages: [{ role: 'user', content: `Conversation ${conversations++}.` }], ...body },
    init,
  );

/** Asks for a stream until the rig gives one: where the machine is slow, the router may give up waiting for it. */
async function streamFromRig(init: RequestInit = {}): Promise<Response> {
  for (;;) {
    const response = await chat({ stream: true }, init);
    if (response.headers.get('x-headrace-endpoint') === rig) return response;
    await response.body?.cancel();
  }
}

/** Joins what a streamed answer says; an error stands as it came. */
const contentOf = (text: string): string =>
  [...text.matchAll(/"content":"([^"]*)"|("error":\{.*)/g)].map(([, content, error]) => content ?? error).join('');

const isLinked = ({ event }: { event: string }): boolean => event === 'linked';

beforeAll(async () => {
  engine = await startSmallEngine();
  house = await openHouse({
    endpoints: [
      ...NODES.map((id) => ({
        id,
        url: undefined,
        link: 'tunnel',
        upstream_model: SMALL_MODEL,
        max_concurrency: 64,
        capabilities: ['continuation'],
      })),
      { id: 'spare', capabilities: ['continuation'] },
    ],
  });
  house.upstream.script('spare', answer({ text: 'from the spare one' }));
  for (const node of NODES) {
    const keys = createKeyPair();
    await admitNode(await house.db(), { node, publicKey: keys.publicKey, privateKey: null as never });
    writeKeptNode(stateDir, { node, router: house.url, keys, joinedAt: '2026-11-22T00:00:00.000Z' });
  }
});
beforeEach(() => void (rig = NODES[tests++] ?? ''));
afterEach(async () => {
  for (const command of running.splice(0)) await command.kill();
  engine.pace(0);
  engine.length(8);
});
afterAll(async () => {
  await house.stop();
  await engine.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

describe('headrace node join', () => {
  it('links with its key and serves requests of clients, streamed and whole', async () => {
    const node = startRig();
    expect(await node.until(isLinked)).toMatchObject({ endpoints: [rig], drained: false });
    const whole = await chat();
    expect([whole.status, whole.headers.get('x-headrace-endpoint')]).toEqual([200, rig]);
    expect(await whole.text()).toContain('word word');
    const streamed = await (await chat({ stream: true })).text();
    expect(streamed).toContain('word7');
    expect(streamed.trimEnd().endsWith('data: [DONE]')).toBe(true);
  });

  it('takes requests that are longer than a frame and a window', async () => {
    const node = startRig();
    await node.until(isLinked);
    const response = await chat({ messages: [{ role: 'user', content: 'ä'.repeat(60_000) }] });
    expect([response.status, response.headers.get('x-headrace-endpoint')]).toEqual([200, rig]);
    expect(engine.asked()).toBeGreaterThan(60_000);
    await response.text();
  });

  it('finishes what is under way at Ctrl-C, takes nothing new, and ends with 0', async () => {
    const node = startRig();
    await node.until(isLinked);
    engine.pace(20);
    engine.length(40);
    const response = await streamFromRig();
    node.child.kill('SIGINT');
    await node.until(({ event }) => event === 'draining');
    await pause(50);
    const other = await chat();
    expect(other.headers.get('x-headrace-endpoint')).toBe('spare');
    await other.text();
    expect(await response.text()).toContain('word39');
    expect(await node.ended).toEqual({ code: 0, signal: null });
    expect(node.events.at(-1)).toMatchObject({ event: 'end', reason: null, cut: 0 });
  });

  it('leaves at once at the second Ctrl-C, with 130', async () => {
    const node = startRig();
    await node.until(isLinked);
    engine.pace(50);
    engine.length(200);
    const response = await chat({ stream: true });
    node.child.kill('SIGINT');
    await node.until(({ event }) => event === 'draining');
    await pause(400);
    node.child.kill('SIGINT');
    expect(await node.ended).toEqual({ code: 130, signal: null });
    expect(node.events.at(-1)).toMatchObject({ event: 'end', cut: 1 });
    expect(await response.text()).toContain('[DONE]');
  });

  it('loses no stream when it is killed in the middle of 50: each goes on elsewhere or ends with the typed error', async () => {
    const node = startRig();
    await node.until(isLinked);
    engine.pace(20);
    engine.length(300);
    const responses = await Promise.all(Array.from({ length: 50 }, () => chat({ stream: true })));
    expect(responses.some(({ headers }) => headers.get('x-headrace-endpoint') === rig)).toBe(true);
    await pause(200);
    node.child.kill('SIGKILL');
    const texts = await Promise.all(responses.map((response) => response.text()));
    // On a slow machine the router may have turned to the spare one before the first word.
    for (const text of texts) expect(contentOf(text)).toMatch(/^(word0 .*)?(from the spare one|"error":\{.*)$/s);
    expect(texts.some((text) => /^word0 .*from the spare one$/s.test(contentOf(text)))).toBe(true);
    const rows = await Promise.all(responses.map(({ headers }) => house.receiptRow(headers.get('x-generation-id') ?? '')));
    expect(rows).toHaveLength(50);
  });

  it('tells the engine at once when a client leaves', async () => {
    const node = startRig();
    await node.until(isLinked);
    engine.pace(20);
    engine.length(500);
    const leaving = new AbortController();
    await streamFromRig({ signal: leaving.signal });
    await pause(100);
    const before = engine.left();
    leaving.abort();
    await expect.poll(() => engine.left()).toBe(before + 1);
  });

  it('refuses at once while the engine is gone, and serves again by itself when it is back', async () => {
    const port = Number(new URL(engine.url).port);
    const node = startRig();
    await node.until(isLinked);
    await engine.stop();
    const startedAtMs = performance.now();
    const elsewhere = await chat();
    expect(elsewhere.headers.get('x-headrace-endpoint')).toBe('spare');
    // Silence would be waited for, ten seconds long.
    expect(performance.now() - startedAtMs).toBeLessThan(8_000);
    await elsewhere.text();
    await node.until(({ event, there }) => event === 'engine' && there === false);
    engine = await startSmallEngine(port);
    await node.until(({ event, there }) => event === 'engine' && there === true);
  });

  it('ends when another process joins with its identity', async () => {
    const first = startRig();
    await first.until(isLinked);
    const second = startRig();
    await second.until(isLinked);
    expect((await first.ended).code).toBe(4);
    expect(first.err()).toContain('another process has joined');
    expect((await chat()).headers.get('x-headrace-endpoint')).toBeTruthy();
  });
});
