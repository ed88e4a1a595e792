/** A router that is stopped and started again on the same state, under nodes that serve. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { writeKeptNode } from '#cli/node/identity/key-file';
import { createKeyPair } from '#cli/node/identity/key-pair';
import { findFreePort } from '#test/support/free-port';
import { openHouse, type House, type HouseOptions } from '#test/support/house';
import { startNode, type NodeCommand } from '#test/support/node-command';
import { pause } from '#test/support/pause';
import { admitNode } from '#test/support/scripted-node';
import { SMALL_MODEL, startSmallEngine, type SmallEngine } from '#test/support/small-engine';

const RIG = 'rig';
/** From the start of the router to a node that serves again. */
const BACK_MS_MAX = 10_000;
const folder = mkdtempSync(path.join(tmpdir(), 'headrace-node-restart-'));
const running: NodeCommand[] = [];
let options: HouseOptions;
let engine: SmallEngine;
let house: House;

beforeAll(async () => {
  engine = await startSmallEngine();
  options = {
    endpoints: [{ id: RIG, url: undefined, link: 'tunnel', upstream_model: SMALL_MODEL, max_concurrency: 64 }],
    stateDir: path.join(folder, 'state'),
    port: await findFreePort(),
  };
  house = await openHouse(options);
  const keys = createKeyPair();
  await admitNode(await house.db(), { node: RIG, publicKey: keys.publicKey, privateKey: null as never });
  writeKeptNode(folder, { node: RIG, router: house.url, keys, joinedAt: '2026-11-22T00:00:00.000Z' });
});
afterEach(async () => {
  for (const command of running.splice(0)) await command.kill();
});
afterAll(async () => {
  await house.stop();
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

function startRig(): NodeCommand {
  const where = ['--router', house.url, '--name', RIG, '--state-dir', folder, '--upstream', engine.url];
  const command = startNode(...where, '--benchmark', 'none');
  running.push(command);
  return command;
}

/** Asks until the node answers; milliseconds that it took. */
async function untilServed(): Promise<number> {
  const startedAtMs = performance.now();
  for (;;) {
    const response = await house.chat();
    await response.text();
    if (response.status === 200) return performance.now() - startedAtMs;
    // Nothing that is not connected is anything but a 503.
    expect(response.status).toBe(503);
    if (performance.now() - startedAtMs > BACK_MS_MAX) return Infinity;
    await pause(100);
  }
}

it.each(['idle', 'in the middle of streams'])(
  'a router that is started again %s has its nodes back by itself within seconds',
  async (when) => {
    const node = startRig();
    await node.until(({ event }) => event === 'linked');
    await untilServed();
    engine.pace(20);
    engine.length(400);
    const streams = when === 'idle' ? [] : await Promise.all(Array.from({ length: 20 }, () => house.chat({ stream: true })));
    if (streams.length > 0) expect(engine.running()).toBe(20);
    const ends = Promise.allSettled(streams.map((response) => response.text()));
    await pause(200);
    await house.stop();
    await ends;
    await node.until(({ event }) => event === 'unlinked');
    // Whoever asked is gone: the engine is not kept busy for nobody.
    await expect.poll(() => engine.running()).toBe(0);
    engine.pace(0);
    engine.length(8);
    await pause(1_500);
    house = await openHouse(options);
    const tookMs = await untilServed();
    expect(tookMs).toBeLessThan(BACK_MS_MAX);
  },
);

it('a node that is killed and started again serves again at once, whatever the streams that broke', async () => {
  const node = startRig();
  await node.until(({ event }) => event === 'linked');
  await untilServed();
  engine.pace(20);
  engine.length(400);
  const streams = await Promise.all(Array.from({ length: 20 }, () => house.chat({ stream: true })));
  node.child.kill('SIGKILL');
  for (const response of streams) expect(await response.text()).toContain('"error"');
  engine.pace(0);
  engine.length(8);
  const again = startRig();
  await again.until(({ event }) => event === 'linked');
  const tookMs = await untilServed();
  expect(tookMs).toBeLessThan(1_000);
});
