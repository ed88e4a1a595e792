import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeData, type RegisteredEndpointBody } from '#schema/answers/operators';
import { runHere } from '#test/cli/fake-router';
import { openHouse, type House } from '#test/support/house';
import { createManager, type Manage } from '#test/support/manage';
import { startNode, type NodeCommand } from '#test/support/node-command';
import { SMALL_MODEL, startSmallEngine, type SmallEngine } from '#test/support/small-engine';

const ADMIN = 'sk-hr-mgmt-admin-00000000000';
/** Until a model that is gone is no candidate any more, and one that is back is one again. */
/** What is looked at once a minute has happened then, and somewhat later on a slow machine. */
const MINUTE = { timeout: 120_000, interval: 250 };
const stateDir = mkdtempSync(path.join(tmpdir(), 'headrace-node-changes-'));
const running: NodeCommand[] = [];
let house: House;
const engines: SmallEngine[] = [];
let manage: Manage;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [{ id: 'spare' }],
    manifest: { management_keys: [{ name: 'admin', value: ADMIN }], policies: {}, teams: [{ id: 'testers' }] },
  });
  manage = createManager(house.url, ADMIN);
  expect((await manage('POST', '/operators', { id: 'alice', team: 'testers' })).status).toBe(201);
});
afterAll(async () => {
  for (const command of running) await command.kill();
  await house.stop();
  for (const engine of engines) await engine.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

async function openEngine(port?: number): Promise<SmallEngine> {
  const engine = await startSmallEngine(port);
  engines.push(engine);
  return engine;
}

async function join(engine: SmallEngine, name: string, ...more: string[]): Promise<NodeCommand> {
  const { token } = (await (await manage('POST', '/nodes/tokens', { operator: 'alice' })).json()) as { token: string };
  const flags = ['--router', house.url, '--state-dir', stateDir, '--name', name, '--upstream', engine.url, '--benchmark', 'none'];
  const command = startNode(...flags, '--token', token, '--price', '0.02/0.06', ...more);
  running.push(command);
  await command.until(({ event, state }) => event === 'state' && state === 'active');
  return command;
}

const nodeOf = async (name: string) => nodeData.parse(await (await manage('GET', `/nodes/${name}`)).json()).data;
const endpointOf = async (id: string) =>
  ((await (await manage('GET', `/endpoints/${id}`)).json()) as { data: RegisteredEndpointBody }).data;
const ask = async (model: string) => (await house.chat({ model })).status;

/** Each has an engine and a node of its own, and waits for what happens on schedule: they wait together. */
describe.concurrent('an engine behind a node', () => {
  it('that is gone takes its endpoints out of traffic with the reason, and brings them back by itself', async ({ expect }) => {
    const engine = await openEngine();
    const node = await join(engine, 'gone', '--model', `test/gone=${SMALL_MODEL}`);
    await expect.poll(() => ask('test/gone'), MINUTE).toBe(200);
    const port = Number(new URL(engine.url).port);
    await engine.stop();
    await expect
      .poll(async () => endpointOf('gone'), MINUTE)
      .toMatchObject({ state: 'pending', reason: 'its node: its engine does not answer' });
    expect(await nodeOf('gone')).toMatchObject({ linked: true, trouble: 'its engine does not answer' });
    const shown = await runHere(['node', 'status', '--router', house.url, '--state-dir', stateDir, '--name', 'gone']);
    expect(shown.out).toMatch(/here: running since .*its engine does not answer[^]*linked since .*its engine does not answer/);
    engines.splice(engines.indexOf(engine), 1);
    await openEngine(port);
    await expect.poll(async () => (await endpointOf('gone')).state, MINUTE).toBe('active');
    expect(await nodeOf('gone')).toMatchObject({ trouble: null });
    await expect.poll(() => ask('test/gone'), MINUTE).toBe(200);
    expect(node.events.filter(({ event }) => event === 'linked')).toHaveLength(1);
  });

  it('hears where its endpoints stand, whoever has moved them', async ({ expect }) => {
    const node = await join(await openEngine(), 'told', '--model', `test/told=${SMALL_MODEL}`);
    const statesOf = () => node.events.filter(({ event }) => event === 'state').map(({ state, reason }) => [state, reason]);
    expect((await manage('POST', '/nodes/told/drain', { on: true })).status).toBe(200);
    expect((await manage('POST', '/nodes/told/drain', { on: false })).status).toBe(200);
    await expect.poll(statesOf, MINUTE).toEqual([
      ['active', null],
      ['active', null],
    ]);
    expect((await manage('PATCH', '/endpoints/told', { state: 'quarantined', reason: 'it lies' })).status).toBe(200);
    await expect.poll(() => statesOf().at(-1), MINUTE).toEqual(['quarantined', 'it lies']);
  });

  it('that serves another model is offered under that one’s name within a minute, and the former is no candidate any more', async ({
    expect,
  }) => {
    const engine = await openEngine();
    const node = await join(engine, 'swapped');
    await expect.poll(() => ask('small/echo-1'), MINUTE).toBe(200);
    engine.swap('Small/Echo-2');
    await expect.poll(() => ask('small/echo-2'), MINUTE).toBe(200);
    expect(await ask('small/echo-1')).toBe(404);
    expect(await endpointOf('swapped')).toMatchObject({ model: 'small/echo-2', price: { prompt: 0.02, completion: 0.06 } });
    expect(node.events.filter(({ event }) => event === 'linked')).toHaveLength(1);
  });

  it('that runs with a shorter context is described anew and looked at again', async ({ expect }) => {
    const engine = await openEngine();
    await join(engine, 'shorter', '--model', `test/shorter=${SMALL_MODEL}`);
    engine.swap(SMALL_MODEL, 4_096);
    await expect.poll(async () => (await endpointOf('shorter')).declared.context, MINUTE).toBe(4_096);
    await expect.poll(async () => endpointOf('shorter'), MINUTE).toMatchObject({ state: 'active', seen: { seen: { context: 4_096 } } });
  });
});
