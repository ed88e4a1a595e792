import { beforeEach, describe, expect, it } from 'vitest';
import type { NodeDescription } from '#schema/node';
import { sayChat } from '#src/dispatch/say-chat';
import { createLinkEvents } from '#src/nodes/link/link-events';
import { createManualClock, type ManualClock } from '#test/support/manual-clock';
import { createEngine, type Call, type Traits } from '../probe/fake-engine.ts';
import { reportOf } from '../probe/reports.ts';
import { descriptionOf, nodeModelOf, openSupply, type Supply } from '../staged-supply.ts';

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
    say: sayChat,
    tell: (frame) => told.push(frame),
    log: (event) => lines.push(event),
  });
}

async function link(description: NodeDescription = descriptionOf(), traits: Partial<Traits> = {}): Promise<void> {
  const linking = eventsOf(traits).onLinked('rig', { description, trouble: null });
  await clock.pass(20_000);
  await linking;
}

describe('a node that connects', () => {
  it('has its endpoints probed over the link at once, in traffic within the time of a probe, and is told so', async () => {
    supply.node('rig', { linkedAtMs: null });
    supply.endpoint('rig', { nodeId: 'rig', provenAtMs: 1 });
    const linking = eventsOf().onLinked('rig', { description: descriptionOf(), trouble: null });
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

  it('does not change what it is billed by: that takes a price, and so another joining', async () => {
    supply.node('rig');
    supply.endpoint('rig', { nodeId: 'rig', state: 'active', provenAtMs: 1, capabilities: ['rerank'] });
    await link(descriptionOf(nodeModelOf({ capabilities: ['rerank', 'transcription'] })));
    expect((await supply.read('rig')).endpoint.capabilities).toEqual(['rerank']);
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

describe('a node that says something else of itself while it is connected', () => {
  async function describeAs(description: NodeDescription, trouble: string | null = null, traits: Partial<Traits> = {}): Promise<void> {
    const described = eventsOf(traits).onDescribed('rig', { description, trouble });
    await clock.pass(20_000);
    await described;
  }
  const serving = (id: string, over: Parameters<Supply['endpoint']>[1] = {}) =>
    supply.endpoint(id, { nodeId: 'rig', provenAtMs: 1, state: 'active', seen: reportOf(), probedAtMs: clock.now(), ...over });

  it('is out of traffic at once while its engine is gone, with the reason, without a probe that counts against it', async () => {
    supply.node('rig');
    serving('rig:a');
    serving('rig:b');
    await describeAs(descriptionOf(), 'its engine does not answer');
    expect(calls).toEqual([]);
    expect(told).toEqual(
      ['rig:a', 'rig:b'].map((endpoint) => ({ endpoint, state: 'pending', reason: 'its node: its engine does not answer' })),
    );
    expect((await supply.read('rig:a')).registration.failedProbes).toBe(0);
    expect(supply.rows('select trouble from nodes')).toEqual([{ trouble: 'its engine does not answer' }]);
    expect(supply.catalogueVersion()).not.toBe('one');
  });

  it('is back after one good answer when it can serve again', async () => {
    supply.node('rig');
    serving('rig');
    await describeAs(descriptionOf(), 'its engine does not answer');
    await describeAs(descriptionOf());
    expect(calls.filter(({ method }) => method === 'POST')).toHaveLength(1);
    expect(told.at(-1)).toEqual({ endpoint: 'rig', state: 'probation', reason: null });
    expect(supply.rows('select trouble from nodes')).toEqual([{ trouble: null }]);
  });

  it('loses the endpoint of a model that it does not have any more, and no other', async () => {
    supply.node('rig', { description: descriptionOf(nodeModelOf(), nodeModelOf({ upstreamModel: 'gone' })) });
    serving('rig:a');
    serving('rig:b');
    supply.exec("update endpoints set upstream_model = 'gone' where id = 'rig:b'");
    await describeAs(descriptionOf());
    expect(calls).toEqual([]);
    expect(await supply.stateOf('rig:a')).toBe('active');
    expect((await supply.read('rig:b')).registration).toMatchObject({ state: 'pending', reason: 'its node does not have its model now' });
  });

  it('is looked at again when its engine is another version, or holds another number of tokens', async () => {
    supply.node('rig');
    serving('rig');
    await describeAs({ ...descriptionOf(), engine: { name: 'vllm', version: '0.33.0' } });
    expect(calls.filter(({ method }) => method === 'POST').length).toBeGreaterThan(0);
    await describeAs({
      ...descriptionOf(nodeModelOf({ capacity: { poolTokens: 1, maxSequences: 16 } })),
      engine: { name: 'vllm', version: '0.33.0' },
    });
    expect(calls.filter(({ method }) => method === 'POST').length).toBeGreaterThan(0);
  });

  it('ends neither a drain nor a quarantine by being in trouble', async () => {
    supply.node('rig');
    serving('rig:a', { state: 'draining' });
    serving('rig:b', { state: 'quarantined' });
    await describeAs(descriptionOf(), 'its engine does not answer');
    expect([await supply.stateOf('rig:a'), await supply.stateOf('rig:b')]).toEqual(['draining', 'quarantined']);
  });

  it('is not heard after its link is gone: the sweep decides then', async () => {
    supply.node('rig', { unlinkedAtMs: clock.now() + 1 });
    serving('rig');
    await describeAs(descriptionOf(), 'its engine does not answer');
    expect(await supply.stateOf('rig')).toBe('active');
  });

  it('is heard after its own arrival, whichever D1 answers first', async () => {
    supply.node('rig', { linkedAtMs: null });
    serving('rig', { state: 'pending' });
    const events = eventsOf();
    const arrived = events.onLinked('rig', { description: descriptionOf(), trouble: null });
    const described = events.onDescribed('rig', { description: descriptionOf(), trouble: 'its engine is loading' });
    await clock.pass(20_000);
    await Promise.all([arrived, described]);
    expect(told.map(({ state }) => state)).toEqual(['probation', 'pending']);
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
