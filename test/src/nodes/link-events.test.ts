import { beforeEach, describe, expect, it } from 'vitest';
import type { NodeDescription } from '#schema/node';
import { createLinkEvents } from '#src/nodes/link-events';
import { createManualClock, type ManualClock } from '#test/support/manual-clock';
import { createEngine, type Call, type Traits } from './probe/fake-engine.ts';
import { reportOf } from './probe/reports.ts';
import { descriptionOf, nodeModelOf, openSupply, type Supply } from './staged-supply.ts';

const DAY_MS = 24 * 3_600_000;

let supply: Supply;
let clock: ManualClock;
let told: { endpoint: string; state: string; reason: string | null }[];
let lines: Record<string, unknown>[];
let calls: Call[];

beforeEach(() => {
  supply = openSupply();
  supply.operator('op');
  clock = createManualClock();
  told = [];
  lines = [];
});

function eventsOf(traits: Partial<Traits> = {}) {
  const engine = createEngine(clock, traits);
  calls = engine.calls;
  return createLinkEvents({
    db: supply.db,
    now: clock.now,
    random: () => 0.5,
    timers: clock.timers,
    fetch: engine.fetch,
    tell: (frame) => told.push(frame),
    log: (event) => lines.push(event),
  });
}

async function link(description: NodeDescription = descriptionOf(), traits: Partial<Traits> = {}): Promise<void> {
  const linking = eventsOf(traits).onLinked('rig', description);
  await clock.pass(20_000);
  await linking;
}

describe('a node that connects', () => {
  it('has its endpoints probed over the link at once, in traffic within the time of a probe, and is told so', async () => {
    supply.node('rig', { linkedAtMs: null });
    supply.endpoint('rig', { nodeId: 'rig', provenAtMs: 1 });
    const linking = eventsOf().onLinked('rig', descriptionOf());
    await clock.pass(8_000);
    expect(await supply.stateOf('rig')).toBe('probation');
    await linking;
    expect(told).toEqual([{ endpoint: 'rig', state: 'probation', reason: null }]);
    expect(supply.catalogueVersion()).not.toBe('one');
    expect(supply.rows('select linked_at_ms, unlinked_at_ms from nodes')).toEqual([
      { linked_at_ms: expect.any(Number), unlinked_at_ms: null },
    ]);
  });

  it('is told why where its endpoint is not let in', async () => {
    supply.node('rig');
    supply.endpoint('rig', { nodeId: 'rig', provenAtMs: 1 });
    await link(descriptionOf(), { models: () => Response.json({ data: [{ id: 'other' }] }) });
    expect(told).toEqual([{ endpoint: 'rig', state: 'probing', reason: 'its model: not in its model list' }]);
  });

  it('has all its models looked at', async () => {
    supply.node('rig');
    supply.endpoint('rig:a', { nodeId: 'rig', provenAtMs: 1 });
    supply.endpoint('rig:b', { nodeId: 'rig', provenAtMs: 1 });
    await link();
    expect(told.map(({ endpoint, state }) => [endpoint, state])).toEqual([
      ['rig:a', 'probation'],
      ['rig:b', 'probation'],
    ]);
  });

  it('is back where it was after one good answer, when it was well within a day', async () => {
    supply.node('rig', { unlinkedAtMs: clock.now() });
    supply.endpoint('rig', { nodeId: 'rig', provenAtMs: 1, state: 'pending', seen: reportOf(), probedAtMs: clock.now() - DAY_MS / 2 });
    await link();
    expect(calls.filter(({ method }) => method === 'POST')).toHaveLength(1);
    expect(await supply.stateOf('rig')).toBe('probation');
    expect((await supply.read('rig')).registration.seen?.speed.tpot_ms).toBe(10);
  });

  it('is looked at thoroughly when it was away for longer', async () => {
    supply.node('rig', { unlinkedAtMs: clock.now() });
    supply.endpoint('rig', { nodeId: 'rig', provenAtMs: 1, state: 'pending', seen: reportOf(), probedAtMs: clock.now() - DAY_MS - 1 });
    await link();
    expect(calls.filter(({ method }) => method === 'POST').length).toBeGreaterThan(3);
  });

  it('is left in traffic where it has not been away long enough to be taken out', async () => {
    supply.node('rig', { unlinkedAtMs: clock.now() });
    supply.endpoint('rig', { nodeId: 'rig', provenAtMs: 1, state: 'active', seen: reportOf(), probedAtMs: clock.now() });
    await link();
    expect(calls).toEqual([]);
    expect(told).toEqual([{ endpoint: 'rig', state: 'active', reason: null }]);
    expect(supply.catalogueVersion()).toBe('one');
  });

  it('that runs another engine, other weights or another cache now is described anew, and what was seen before is forgotten', async () => {
    supply.node('rig');
    supply.endpoint('rig', {
      nodeId: 'rig',
      provenAtMs: 1,
      state: 'active',
      seen: reportOf({ seen: { kv_cache: 'fp8' } }),
      probedAtMs: clock.now(),
    });
    const model = nodeModelOf({ quantization: 'int4', kvCache: 'turboquant_4bit_nc', context: 65_536, capabilities: ['tools'] });
    await link({ ...descriptionOf(model), engine: { name: 'sglang', version: null } }, { context: 65_536 });
    const { endpoint, registration } = await supply.read('rig');
    expect(endpoint).toMatchObject({
      engine: 'sglang',
      quantization: 'int4',
      tag: 'selfhosted/int4',
      kvCache: 'turboquant_4bit_nc',
      context: 65_536,
      capabilities: ['tools'],
    });
    expect(registration.seen?.seen).toMatchObject({ kv_cache: null, capabilities: { tools: true } });
  });

  it('that has left, or is in no registration, changes nothing', async () => {
    await link();
    expect(told).toEqual([]);
    supply.node('rig');
    await link();
    expect(told).toEqual([]);
  });

  it('is not held up where D1 does not answer', async () => {
    supply.node('rig');
    supply.behave('fails');
    await link();
    expect(lines).toEqual([{ event: 'node_linked_failed', nodeId: 'rig', cause: 'Error' }]);
  });
});

describe('a node whose link is gone', () => {
  it('is noted, and stays in traffic for as long as a restart takes', async () => {
    supply.node('rig');
    supply.endpoint('rig', { nodeId: 'rig', provenAtMs: 1, state: 'active' });
    await eventsOf().onUnlinked('rig');
    expect(supply.rows('select unlinked_at_ms as at from nodes')).toEqual([{ at: clock.now() }]);
    expect(await supply.stateOf('rig')).toBe('active');
  });

  it('is noted also where word of an earlier loss came only after the node was back', async () => {
    supply.node('rig', { linkedAtMs: clock.now(), unlinkedAtMs: clock.now() - 500 });
    await clock.pass(9_000);
    await eventsOf().onUnlinked('rig');
    expect(supply.rows('select unlinked_at_ms as at from nodes')).toEqual([{ at: clock.now() }]);
  });

  it('S11: nothing of the node’s network is in what is logged', async () => {
    supply.node('rig');
    supply.endpoint('rig', { nodeId: 'rig', provenAtMs: 1 });
    await link(descriptionOf(), { chat: () => Response.json({ error: { message: 'http://192.168.1.7:8000 is down' } }, { status: 500 }) });
    expect(JSON.stringify([lines, told, (await supply.read('rig')).registration])).not.toContain('192.168');
  });
});
