import { beforeEach, describe, expect, it } from 'vitest';
import { createEngine } from '#test/src/nodes/probe/fake-engine';
import { reportOf } from '#test/src/nodes/probe/reports';
import { networkOf, type Supply } from '#test/src/nodes/staged-supply';
import type { ManualClock } from '#test/support/manual-clock';
import { MINUTE_MS, openProbedMinutes, ORIGIN, type ProbedMinutes } from './probed-minutes.ts';

let supply: Supply;
let clock: ManualClock;
let told: unknown[];
let minute: ProbedMinutes['minute'];

beforeEach(() => {
  ({ supply, clock, told, minute } = openProbedMinutes());
});

describe('endpoints that are due, of many operators', () => {
  it('R6: two hundred of one that hang keep no other waiting', async () => {
    supply.operator('flood');
    supply.operator('op');
    for (let n = 0; n < 200; n++)
      supply.endpoint(`flood-${n}`, { operatorId: 'flood', state: 'active', provenAtMs: 1, url: 'https://203.2.2.2/v1', nextProbeAtMs: n });
    supply.endpoint('honest', { state: 'active', provenAtMs: 1, url: `${ORIGIN}/v1`, nextProbeAtMs: clock.now() });
    await minute();
    expect((await supply.read('honest')).registration.seen?.completed).toBe(true);
  });
});

describe('nodes that are lost', () => {
  beforeEach(() => supply.operator('op'));

  it('leave the traffic after a minute, and not before', async () => {
    supply.node('rig', { unlinkedAtMs: clock.now() - MINUTE_MS + 1, linkedAtMs: 5 });
    supply.endpoint('rig', { nodeId: 'rig', state: 'active', provenAtMs: 1, nextProbeAtMs: Infinity });
    await minute();
    expect(await supply.stateOf('rig')).toBe('active');
    await minute();
    expect((await supply.read('rig')).registration).toMatchObject({ state: 'pending', reason: 'its node is not connected' });
    expect(supply.catalogueVersion()).not.toBe('one');
  });

  it('are found however many were lost and seen to before', async () => {
    for (let n = 0; n < 150; n++) supply.node(`gone-${n}`, { linkedAtMs: 1, unlinkedAtMs: clock.now() - 30 * MINUTE_MS });
    supply.node('rig', { linkedAtMs: 1, unlinkedAtMs: clock.now() - 2 * MINUTE_MS });
    supply.endpoint('rig', { nodeId: 'rig', state: 'active', provenAtMs: 1, nextProbeAtMs: Infinity });
    await minute();
    expect(await supply.stateOf('rig')).toBe('pending');
  });

  it('stay where they have come back', async () => {
    supply.node('rig', { unlinkedAtMs: clock.now() - 5 * MINUTE_MS, linkedAtMs: clock.now() - 4 * MINUTE_MS });
    supply.endpoint('rig', { nodeId: 'rig', state: 'active', provenAtMs: 1, nextProbeAtMs: Infinity });
    await minute();
    expect(await supply.stateOf('rig')).toBe('active');
  });
});

describe('endpoints that are due', () => {
  beforeEach(() => supply.operator('op'));

  it('are looked at, the others are not', async () => {
    supply.endpoint('due', { state: 'active', provenAtMs: 1, url: `${ORIGIN}/v1` });
    supply.endpoint('later', { state: 'active', provenAtMs: 1, url: `${ORIGIN}/v1`, nextProbeAtMs: clock.now() + MINUTE_MS });
    await minute();
    expect((await supply.read('due')).registration.seen?.completed).toBe(true);
    expect((await supply.read('later')).registration.seen).toBeNull();
  });

  it('of a node are reached over its link, and the node is told where they stand now', async () => {
    supply.node('rig');
    supply.endpoint('rig', { nodeId: 'rig', provenAtMs: 1 });
    const calls = await minute();
    expect(calls.length).toBeGreaterThan(0);
    expect(told).toEqual([{ endpoint: 'rig', state: 'probation', reason: null }]);
  });

  it('that hang do not keep others from being looked at', async () => {
    for (const id of ['h1', 'h2', 'h3'])
      supply.endpoint(id, { state: 'active', provenAtMs: 1, url: 'https://203.1.1.2/v1', seen: reportOf() });
    supply.endpoint('well', { state: 'probing', provenAtMs: 1, url: `${ORIGIN}/v1`, nextProbeAtMs: clock.now() });
    const engine = createEngine(clock);
    const silent = (() => new Promise(() => undefined)) as unknown as typeof fetch;
    await minute({}, { fetch: networkOf({ [ORIGIN]: engine.fetch, 'https://203.1.1.2': silent }).fetch });
    expect(await supply.stateOf('well')).toBe('active');
    expect((await supply.read('h1')).registration).toMatchObject({ state: 'active', failedProbes: 1 });
  });

  it('one that breaks the look itself does not stop the minute', async () => {
    supply.endpoint('broken', { state: 'active', provenAtMs: 1, url: `${ORIGIN}/v1`, keySecret: 'endpoint:broken' });
    supply.endpoint('well', { state: 'probing', provenAtMs: 1, url: `${ORIGIN}/v1` });
    const endpointKey = () => Promise.reject(new Error('sealed'));
    await minute({}, { endpointKey });
    expect(await supply.stateOf('well')).toBe('active');
  });

  it('R6: a crowd of them takes no run longer than its time: the rest waits for the next one', async () => {
    for (let n = 0; n < 60; n++) supply.endpoint(`e${n}`, { state: 'active', provenAtMs: 1, url: `${ORIGIN}/v1` });
    await minute({ prefillMs: 1_000, tokenMs: 100 });
    const seen = supply.rows('select endpoint_id from registrations where seen is not null').length;
    expect(seen).toBeGreaterThan(3);
    expect(seen).toBeLessThan(30);
  });
});
